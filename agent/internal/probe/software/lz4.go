package software

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// lz4Window is how far back a match may point, and slack what fast copies may write
// beyond the end of a block.
const (
	lz4Window = 64 << 10
	lz4Slack  = 32
)

var errLZ4 = errors.New("bad lz4 data")

// lz4Frame reads an LZ4 frame (lz4_Frame_format.md) block by block into one window
// that matches of linked blocks point into. It exists because apt's lists are linked
// 64 KiB blocks, for which the general library costs twice the CPU time and six times
// the memory. Checksums are skipped: apt verified the list when it fetched it.
type lz4Frame struct {
	r         io.Reader
	in        []byte // compressed input: in[ip:ie] is unread
	ip, ie    int
	buf       []byte // window and output
	pos       int
	blockSize int
	linked    bool
	blockSum  bool
}

// newLZ4Frame reads the frame's header.
func newLZ4Frame(r io.Reader) (*lz4Frame, error) {
	f := &lz4Frame{r: r, in: make([]byte, 128<<10)}
	if err := f.need(7); err != nil {
		return nil, err
	}
	head := f.in[f.ip:f.ie]
	flags, size := head[4], head[5]>>4&7
	if binary.LittleEndian.Uint32(head) != 0x184D2204 || flags>>6 != 1 || size < 4 {
		return nil, fmt.Errorf("%w: no frame header", errLZ4)
	}
	f.linked, f.blockSum = flags&0x20 == 0, flags&0x10 != 0
	f.blockSize = 64 << 10 << (2 * (size - 4))
	headSize := 7
	if flags&0x08 != 0 { // content size
		headSize += 8
	}
	if err := f.need(headSize); err != nil {
		return nil, err
	}
	f.ip = headSize
	if flags&0x01 != 0 { // dictionary id
		return nil, fmt.Errorf("%w: needs a dictionary", errLZ4)
	}
	f.in = append(f.in, make([]byte, f.blockSize)...)
	f.buf = make([]byte, lz4Window+max(f.blockSize, 3*lz4Window)+lz4Slack)
	return f, nil
}

// need makes n bytes of input available, io.ErrUnexpectedEOF where there are not.
func (f *lz4Frame) need(n int) error {
	if f.ie-f.ip >= n {
		return nil
	}
	f.ie, f.ip = copy(f.in, f.in[f.ip:f.ie]), 0
	for f.ie < n {
		got, err := f.r.Read(f.in[f.ie:])
		f.ie += got
		if err != nil && f.ie < n {
			if errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// next returns the content of the next block, valid until the next call, or io.EOF.
func (f *lz4Frame) next() ([]byte, error) {
	if err := f.need(4); err != nil {
		return nil, err
	}
	size := int(binary.LittleEndian.Uint32(f.in[f.ip:]))
	f.ip += 4
	if size == 0 {
		return nil, io.EOF
	}
	plain := size>>31 != 0
	size &= 1<<31 - 1
	sum := 0
	if f.blockSum {
		sum = 4
	}
	if size > f.blockSize {
		return nil, fmt.Errorf("%w: a block of %d bytes", errLZ4, size)
	}
	if err := f.need(size + sum); err != nil {
		return nil, err
	}
	block := f.in[f.ip : f.ip+size]
	f.ip += size + sum
	if f.pos+f.blockSize+lz4Slack > len(f.buf) {
		keep := min(f.pos, lz4Window)
		copy(f.buf, f.buf[f.pos-keep:f.pos])
		f.pos = keep
	}
	start := f.pos
	if plain {
		f.pos += copy(f.buf[f.pos:], block)
		return f.buf[start:f.pos], nil
	}
	low := start
	if f.linked {
		low = 0
	}
	end, ok := lz4Block(f.buf[:start+f.blockSize+lz4Slack], start, low, block)
	if !ok || end > start+f.blockSize {
		return nil, errLZ4
	}
	f.pos = end
	return f.buf[start:end], nil
}

// lz4Block decodes src to buf from pos on and returns where it ended. Matches may
// point back to low. buf must have lz4Slack bytes more than the block may fill.
func lz4Block(buf []byte, pos, low int, src []byte) (int, bool) {
	limit, si := len(buf)-lz4Slack, 0
	for si < len(src) {
		token := int(src[si])
		si++
		lit := token >> 4
		if lit < 15 && si+16 <= len(src) && pos <= limit {
			binary.LittleEndian.PutUint64(buf[pos:], binary.LittleEndian.Uint64(src[si:]))
			binary.LittleEndian.PutUint64(buf[pos+8:], binary.LittleEndian.Uint64(src[si+8:]))
		} else {
			ok := true
			if lit == 15 {
				lit, si, ok = lz4Length(src, si, lit)
			}
			if !ok || lit > len(src)-si || lit > limit-pos {
				return 0, false
			}
			copy(buf[pos:], src[si:si+lit])
		}
		pos, si = pos+lit, si+lit
		if si >= len(src) {
			return pos, si == len(src)
		}
		if si+2 > len(src) {
			return 0, false
		}
		offset := int(src[si]) | int(src[si+1])<<8
		si += 2
		from, n := pos-offset, token&15+4
		if offset == 0 || from < low {
			return 0, false
		}
		if n < 19 && offset >= 8 && pos <= limit {
			binary.LittleEndian.PutUint64(buf[pos:], binary.LittleEndian.Uint64(buf[from:]))
			binary.LittleEndian.PutUint64(buf[pos+8:], binary.LittleEndian.Uint64(buf[from+8:]))
			binary.LittleEndian.PutUint64(buf[pos+16:], binary.LittleEndian.Uint64(buf[from+16:]))
			pos += n
			continue
		}
		ok := true
		if n == 19 {
			n, si, ok = lz4Length(src, si, n)
		}
		if !ok || n > limit-pos {
			return 0, false
		}
		for n > 0 { // an overlapping match doubles what there is to copy
			c := copy(buf[pos:pos+min(n, pos-from)], buf[from:pos])
			pos, n = pos+c, n-c
		}
	}
	return pos, true
}

// lz4Length reads the bytes that prolong a length.
func lz4Length(src []byte, si, n int) (int, int, bool) {
	for si < len(src) {
		b := int(src[si])
		si++
		if n += b; b != 255 {
			return n, si, true
		}
	}
	return 0, si, false
}
