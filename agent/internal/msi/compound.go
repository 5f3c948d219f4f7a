package msi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	maxFile    = 2 << 30
	maxTable   = 16 << 20
	maxEntries = 20_000
	endOfChain = 0xfffffffe
	noEntry    = 0xffffffff

	kindStorage = 1
	kindStream  = 2
	kindRoot    = 5
)

// entry is one entry of the directory.
type entry struct {
	name               []uint16
	kind               byte
	left, right, child uint32
	class              [16]byte
	start              uint32
	size               int64
}

// compound is a compound file.
type compound struct {
	r       io.ReaderAt
	size    int64
	shift   uint // sectors are 1<<shift bytes
	fat     []uint32
	miniFAT []uint32
	mini    []uint32 // sectors that hold small streams
	cutoff  int64    // streams below it are small
	entries []entry
}

func openCompound(r io.ReaderAt, size int64) (*compound, error) {
	head := make([]byte, 512)
	if size < 1536 || size > maxFile {
		return nil, ErrFormat
	}
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(head[:8], []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}) {
		return nil, ErrFormat
	}
	c := &compound{r: r, size: size, shift: uint(le.Uint16(head[30:])), cutoff: int64(le.Uint32(head[56:]))}
	if (c.shift != 9 && c.shift != 12) || le.Uint16(head[32:]) != 6 || c.cutoff != 4096 {
		return nil, fmt.Errorf("%w: sizes of sectors", ErrFormat)
	}
	if err := c.readFAT(head); err != nil {
		return nil, err
	}
	dir, err := c.chain(c.fat, le.Uint32(head[48:]))
	if err != nil {
		return nil, err
	}
	if err := c.readDirectory(dir); err != nil {
		return nil, err
	}
	if le.Uint32(head[64:]) > 0 {
		if err := c.readMini(le.Uint32(head[60:])); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// sectors is how many the file has.
func (c *compound) sectors() int64 { return (c.size+1<<c.shift-1)>>c.shift - 1 }

func (c *compound) sector(n uint32) ([]byte, error) {
	if int64(n) >= c.sectors() {
		return nil, fmt.Errorf("%w: sector %d", ErrFormat, n)
	}
	b := make([]byte, 1<<c.shift)
	if _, err := c.r.ReadAt(b, (int64(n)+1)<<c.shift); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// readFAT reads the table of sectors: its first 109 places stand in the header, the
// others in a chain.
func (c *compound) readFAT(head []byte) error {
	places := head[76:512]
	next, limit := le.Uint32(head[68:]), c.sectors()
	for {
		for ; len(places) >= 4; places = places[4:] {
			at := le.Uint32(places)
			if at >= endOfChain-2 {
				continue
			}
			b, err := c.sector(at)
			if err != nil {
				return err
			}
			c.fat = appendWords(c.fat, b)
			if int64(len(c.fat)) > limit+1<<c.shift {
				return fmt.Errorf("%w: a table of sectors longer than the file", ErrFormat)
			}
		}
		if next >= endOfChain-2 {
			return nil
		}
		b, err := c.sector(next)
		if err != nil {
			return err
		}
		if limit--; limit < 0 {
			return fmt.Errorf("%w: a table of sectors in circles", ErrFormat)
		}
		places, next = b[:len(b)-4], le.Uint32(b[len(b)-4:])
	}
}

func appendWords(list []uint32, b []byte) []uint32 {
	for ; len(b) >= 4; b = b[4:] {
		list = append(list, le.Uint32(b))
	}
	return list
}

// chain lists the sectors from start on.
func (c *compound) chain(table []uint32, start uint32) ([]uint32, error) {
	var list []uint32
	for at := start; at != endOfChain && at != noEntry; at = table[at] {
		if int64(at) >= int64(len(table)) || len(list) > len(table) {
			return nil, fmt.Errorf("%w: a chain of sectors", ErrFormat)
		}
		list = append(list, at)
	}
	return list, nil
}

func (c *compound) readDirectory(sectors []uint32) error {
	for _, s := range sectors {
		b, err := c.sector(s)
		if err != nil {
			return err
		}
		for ; len(b) >= 128; b = b[128:] {
			n := int(le.Uint16(b[64:]))
			if n > 64 || n%2 != 0 {
				return fmt.Errorf("%w: a name of the directory", ErrFormat)
			}
			e := entry{kind: b[66], left: le.Uint32(b[68:]), right: le.Uint32(b[72:]), child: le.Uint32(b[76:]),
				start: le.Uint32(b[116:]), size: int64(le.Uint32(b[120:]))}
			copy(e.class[:], b[80:96])
			for i := 0; i+2 < n; i += 2 {
				e.name = append(e.name, le.Uint16(b[i:]))
			}
			c.entries = append(c.entries, e)
		}
		if len(c.entries) > maxEntries {
			return fmt.Errorf("%w: more than %d streams", ErrFormat, maxEntries)
		}
	}
	if len(c.entries) == 0 || c.entries[0].kind != kindRoot {
		return fmt.Errorf("%w: no root of the directory", ErrFormat)
	}
	return nil
}

// readMini reads the table of small sectors, and where they are.
func (c *compound) readMini(start uint32) error {
	list, err := c.chain(c.fat, start)
	if err != nil {
		return err
	}
	for _, s := range list {
		b, err := c.sector(s)
		if err != nil {
			return err
		}
		c.miniFAT = appendWords(c.miniFAT, b)
	}
	c.mini, err = c.chain(c.fat, c.entries[0].start)
	return err
}

// read returns a stream of at most limit bytes.
func (c *compound) read(e entry, limit int64) ([]byte, error) {
	if e.size > limit {
		return nil, fmt.Errorf("%w: a stream of %d bytes", ErrFormat, e.size)
	}
	var b bytes.Buffer
	err := c.copy(&b, e)
	return b.Bytes(), err
}

// copy writes a stream to w.
func (c *compound) copy(w io.Writer, e entry) error {
	left := e.size
	table, unit := c.fat, int64(1)<<c.shift
	if e.size < c.cutoff {
		table, unit = c.miniFAT, 64
	}
	if left > c.size {
		return fmt.Errorf("%w: a stream longer than the file", ErrFormat)
	}
	if left == 0 {
		return nil
	}
	list, err := c.chain(table, e.start)
	if err != nil {
		return err
	}
	for _, n := range list {
		if left <= 0 {
			break
		}
		b, err := c.unit(n, unit)
		if err != nil {
			return err
		}
		if _, err := w.Write(b[:min(left, unit)]); err != nil {
			return err
		}
		left -= unit
	}
	if left > 0 {
		return fmt.Errorf("%w: a stream is cut short", ErrFormat)
	}
	return nil
}

// unit reads one sector, or one small sector.
func (c *compound) unit(n uint32, size int64) ([]byte, error) {
	if size != 64 {
		return c.sector(n)
	}
	at := int64(n) * 64
	index := at >> c.shift
	if index >= int64(len(c.mini)) {
		return nil, fmt.Errorf("%w: small sector %d", ErrFormat, n)
	}
	b, err := c.sector(c.mini[index])
	if err != nil {
		return nil, err
	}
	in := at & (1<<c.shift - 1)
	return b[in : in+64], nil
}

// children lists what lies in a storage, in the order of names as bytes.
func (c *compound) children(storage uint32) ([]uint32, error) {
	var list []uint32
	todo := []uint32{c.entries[storage].child}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if at == noEntry {
			continue
		}
		if int64(at) >= int64(len(c.entries)) || len(list) > len(c.entries) {
			return nil, fmt.Errorf("%w: the directory", ErrFormat)
		}
		list = append(list, at)
		todo = append(todo, c.entries[at].left, c.entries[at].right)
	}
	slices.SortFunc(list, func(a, b uint32) int {
		return bytes.Compare(nameBytes(c.entries[a].name), nameBytes(c.entries[b].name))
	})
	return list, nil
}

func nameBytes(units []uint16) []byte {
	b := make([]byte, 0, 2*len(units))
	for _, u := range units {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}
