// Package pack owns the compact forms in which inventories rest in the database: a
// machine's installs as one blob, who has an item as a bitmap, a section as compressed
// JSON. It is pure: bytes in, values out. It refuses to know SQL, and to trust what it
// reads: damaged bytes give an error, never a panic or an endless allocation.
package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Install is one program of a machine: the item's number, and when it was installed and
// first told, in Unix seconds. Installed is 0 where the machine does not tell.
type Install struct {
	Item      int64
	Installed int64
	First     int64
}

// installsV1 is the first byte of a list of installs.
const installsV1 = 1

// ErrDamaged is what every decoder of this package returns for bytes it never wrote.
var ErrDamaged = errors.New("damaged bytes")

// AppendInstalls appends the form of list to dst. list must be in ascending order of
// Item, without duplicates. Each install takes the distance to the one before, so that
// neighbours cost about five bytes: number, time of installation, time first told.
func AppendInstalls(dst []byte, list []Install) []byte {
	dst = append(dst, installsV1)
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	var item, installed, first int64
	for _, in := range list {
		dst = binary.AppendUvarint(dst, uint64(in.Item-item))
		if in.Installed == 0 {
			dst = append(dst, 0)
		} else {
			dst = binary.AppendUvarint(dst, zigzag(in.Installed-installed)+1)
			installed = in.Installed
		}
		dst = binary.AppendUvarint(dst, zigzag(in.First-first))
		item, first = in.Item, in.First
	}
	return dst
}

// Installs decodes what AppendInstalls wrote, appending to dst. No bytes are an empty
// list. Errors: ErrDamaged.
func Installs(dst []Install, b []byte) ([]Install, error) {
	if len(b) == 0 {
		return dst, nil
	}
	if b[0] != installsV1 {
		return dst, fmt.Errorf("installs: form %d: %w", b[0], ErrDamaged)
	}
	r := reader{b: b[1:]}
	n := r.uvarint()
	if n > uint64(len(r.b)) { // each install takes three bytes at least
		return dst, fmt.Errorf("installs: %d announced in %d bytes: %w", n, len(r.b), ErrDamaged)
	}
	var in Install
	var installed int64
	for range n {
		step := int64(r.uvarint())
		told := r.uvarint()
		in.First += unzigzag(r.uvarint())
		if step <= 0 || in.Item+step <= in.Item {
			r.bad = true
		}
		in.Item += step
		in.Installed = 0
		if told != 0 {
			installed += unzigzag(told - 1)
			in.Installed = installed
			r.bad = r.bad || installed == 0
		}
		if r.bad {
			return dst, fmt.Errorf("installs: %w", ErrDamaged)
		}
		dst = append(dst, in)
	}
	if r.bad || len(r.b) != 0 {
		return dst, fmt.Errorf("installs: %w", ErrDamaged)
	}
	return dst, nil
}

// Count returns how many installs b announces, as far as so many fit in it.
func Count(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	n, _ := binary.Uvarint(b[1:])
	return int(min(n, uint64(len(b))))
}

// reader reads varints; bad is set at the first that does not hold.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 { // most are one byte
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	return r.long()
}

func (r *reader) long() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func zigzag(v int64) uint64   { return uint64(v)<<1 ^ uint64(v>>63) }
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
