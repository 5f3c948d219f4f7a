// Package regf owns reading registry hives in their file format (REGF, versions 1.3 to
// 1.6): NTUSER.DAT and UsrClass.dat of people who are not signed in. It reads what it is
// asked for through an io.ReaderAt, with bounds on everything, and refuses to write.
//
// The format is not published; this follows the description of Maxim Suhanov, "Windows
// registry file format specification" (github.com/msuhanov/regf). Offsets of cells
// count from the end of the base block.
package regf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"vigia/agent/internal/winreg"
)

// ErrFormat says that the file is no hive, or a damaged one.
var ErrFormat = errors.New("damaged or no registry hive")

const (
	baseSize = 4096
	maxCell  = 1 << 20 // bytes of one cell that is read
	maxHive  = 2 << 30
	maxReads = 1_000_000 // cells read of one hive: a made-up one may point in circles
)

var le = binary.LittleEndian

// Hive is one hive file.
type Hive struct {
	r     io.ReaderAt
	size  int64 // of the file
	root  uint32
	dirty bool
	// seq is the number of the last write that reached the file.
	seq  uint32
	data uint32 // bytes of cells
	left int    // cells that may still be read
	// pages are those that a transaction log holds in a newer state, by offset.
	pages map[uint32][]byte
}

// Open reads the base block of a hive of size bytes.
func Open(r io.ReaderAt, size int64) (*Hive, error) {
	if size < 2*baseSize || size > maxHive {
		return nil, fmt.Errorf("%w: %d bytes", ErrFormat, size)
	}
	b := make([]byte, 512)
	if err := readFull(r, b, 0); err != nil {
		return nil, err
	}
	if string(b[:4]) != "regf" {
		return nil, fmt.Errorf("%w: it does not begin with regf", ErrFormat)
	}
	if major, minor := le.Uint32(b[20:]), le.Uint32(b[24:]); major != 1 || minor < 3 || minor > 6 {
		return nil, fmt.Errorf("%w: version %d.%d", ErrFormat, major, minor)
	}
	h := &Hive{r: r, size: size, root: le.Uint32(b[36:]), data: le.Uint32(b[40:]), seq: le.Uint32(b[8:]), left: maxReads}
	h.dirty = le.Uint32(b[4:]) != h.seq || checksum(b) != le.Uint32(b[508:])
	return h, nil
}

// Dirty reports whether the last write did not reach the file in full: the machine went
// down while it was in use. What is read may be old; the rest lies in a transaction log.
func (h *Hive) Dirty() bool { return h.dirty && h.pages == nil }

// checksum is the XOR of the first 127 words; 0 and -1 stand for their neighbours.
func checksum(b []byte) uint32 {
	var sum uint32
	for i := 0; i < 508; i += 4 {
		sum ^= le.Uint32(b[i:])
	}
	switch sum {
	case 0:
		return 1
	case 0xffffffff:
		return 0xfffffffe
	}
	return sum
}

func readFull(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends at %d", ErrFormat, at+int64(n))
	}
	return err
}

// read fills b from the offset at of the cells, newer pages of a log first.
func (h *Hive) read(b []byte, at uint32) error {
	if int64(at)+int64(len(b))+baseSize > max(h.size, int64(h.data)+baseSize) {
		return fmt.Errorf("%w: offset %d", ErrFormat, at)
	}
	if h.pages == nil {
		return readFull(h.r, b, int64(at)+baseSize)
	}
	for len(b) > 0 {
		page, in := at/pageSize*pageSize, at%pageSize
		n := min(len(b), int(pageSize-in))
		if p, ok := h.pages[page]; ok {
			copy(b[:n], p[in:])
		} else if err := readFull(h.r, b[:n], int64(at)+baseSize); err != nil {
			return err
		}
		b, at = b[n:], at+uint32(n)
	}
	return nil
}

// cell returns the content of the cell at an offset, cut to limit bytes.
func (h *Hive) cell(at uint32, limit int) ([]byte, error) {
	var head [4]byte
	if at%8 != 0 || at == 0 {
		return nil, fmt.Errorf("%w: no cell at %d", ErrFormat, at)
	}
	if h.left--; h.left < 0 {
		return nil, fmt.Errorf("%w: more than %d cells were read", ErrFormat, maxReads)
	}
	if err := h.read(head[:], at); err != nil {
		return nil, err
	}
	n := -int64(int32(le.Uint32(head[:])))
	if n < 8 || n > maxHive {
		return nil, fmt.Errorf("%w: no cell in use at %d", ErrFormat, at)
	}
	if at64 := int64(at) + n; at64 > max(h.size-baseSize, int64(h.data)) {
		return nil, fmt.Errorf("%w: the cell at %d is longer than the file", ErrFormat, at)
	}
	b := make([]byte, min(n-4, int64(limit), maxCell))
	return b, h.read(b, at+4)
}

// Root returns the top key.
func (h *Hive) Root() (winreg.Key, error) { return h.key(h.root) }

// key is one key node (nk).
type key struct {
	h        *Hive
	name     string
	modified time.Time
	subkeys  uint32 // how many
	list     uint32 // offset of their list
	values   uint32
	vlist    uint32
	children map[string]*key // by folded name, once they were listed
}

func (h *Hive) key(at uint32) (*key, error) {
	b, err := h.cell(at, 76+512)
	if err != nil {
		return nil, err
	}
	if len(b) < 76 || string(b[:2]) != "nk" {
		return nil, fmt.Errorf("%w: no key at %d", ErrFormat, at)
	}
	n := int(le.Uint16(b[72:]))
	if 76+n > len(b) {
		return nil, fmt.Errorf("%w: name of the key at %d", ErrFormat, at)
	}
	return &key{
		h: h, name: name(b[76:76+n], le.Uint16(b[2:])&0x20 != 0), modified: winreg.FileTime(le.Uint64(b[4:])),
		subkeys: le.Uint32(b[20:]), list: le.Uint32(b[28:]), values: le.Uint32(b[36:]), vlist: le.Uint32(b[40:]),
	}, nil
}

// name decodes a name: Latin-1 where it is compressed, else UTF-16.
func name(b []byte, compressed bool) string {
	if !compressed {
		return winreg.UTF16(b)
	}
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

// offsets returns where the keys below are.
func (k *key) offsets() ([]uint32, error) {
	if k.subkeys == 0 {
		return nil, nil
	}
	if k.subkeys > winreg.MaxKeys {
		return nil, fmt.Errorf("%s: %d keys, at most %d are read", k.name, k.subkeys, winreg.MaxKeys)
	}
	list, err := k.h.list(k.list, 0, nil)
	if err == nil && len(list) > int(k.subkeys) {
		list = list[:k.subkeys]
	}
	return list, err
}

// list reads a list of keys: lf, lh (with a hash for each), li, or ri, a list of lists.
func (h *Hive) list(at uint32, depth int, found []uint32) ([]uint32, error) {
	b, err := h.cell(at, maxCell)
	if err != nil {
		return nil, err
	}
	if len(b) < 4 {
		return nil, fmt.Errorf("%w: list at %d", ErrFormat, at)
	}
	width, count := 4, int(le.Uint16(b[2:]))
	kind := string(b[:2])
	switch kind {
	case "lf", "lh":
		width = 8
	case "li", "ri":
	default:
		return nil, fmt.Errorf("%w: no list of keys at %d", ErrFormat, at)
	}
	if 4+count*width > len(b) || depth > 2 {
		return nil, fmt.Errorf("%w: list at %d", ErrFormat, at)
	}
	for i := range count {
		sub := le.Uint32(b[4+i*width:])
		if kind != "ri" {
			found = append(found, sub)
		} else if found, err = h.list(sub, depth+1, found); err != nil {
			return nil, err
		}
		if len(found) > winreg.MaxKeys {
			return nil, fmt.Errorf("%w: more than %d keys at %d", ErrFormat, winreg.MaxKeys, at)
		}
	}
	return found, nil
}

func (k *key) Keys() ([]string, error) {
	at, err := k.offsets()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(at))
	children := make(map[string]*key, len(at))
	for _, o := range at {
		sub, err := k.h.key(o)
		if err != nil {
			return nil, err
		}
		names = append(names, sub.name)
		children[strings.ToLower(sub.name)] = sub
	}
	k.children = children
	return names, nil
}

func (k *key) Open(path string) (winreg.Key, error) {
	at := k
	for part := range strings.SplitSeq(strings.Trim(path, `\`), `\`) {
		next, err := at.child(part)
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

func (k *key) child(name string) (*key, error) {
	if sub, ok := k.children[strings.ToLower(name)]; ok {
		return sub, nil
	}
	at, err := k.offsets()
	if err != nil {
		return nil, err
	}
	for _, o := range at {
		sub, err := k.h.key(o)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(sub.name, name) {
			return sub, nil
		}
	}
	return nil, &fs.PathError{Op: "open", Path: k.name + `\` + name, Err: fs.ErrNotExist}
}

func (k *key) Modified() time.Time { return k.modified }
func (k *key) Close() error        { return nil }
