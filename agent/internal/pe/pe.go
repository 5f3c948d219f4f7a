// Package pe owns reading programs of Windows (PE files): what architecture they are
// for, what their version resource says, and who signed them (Authenticode), through an
// io.ReaderAt with bounds on everything. It refuses to run or load them, and knows
// nothing of signatures kept apart from the file, in catalogs.
//
// The format is that of Microsoft's "PE Format" and "VS_VERSIONINFO".
package pe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFormat says that a file is no PE program, or a damaged one.
var ErrFormat = errors.New("damaged or no program of Windows")

var le = binary.LittleEndian

const (
	maxSections = 96
	maxResource = 1 << 20
)

// File is a program as its headers describe it.
type File struct {
	r        io.ReaderAt
	size     int64
	Arch     string // in Go's words; "" for others
	DLL      bool
	sections []section

	checksumAt, certEntryAt, headersEnd int64  // places that a signature leaves out
	resources                           uint32 // address of the resource directory
	certAt, certSize                    int64  // the table of signatures
}

type section struct{ address, virtual, offset, raw uint32 }

// Open reads the headers of a program of size bytes.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var dos [64]byte
	if size < 64 {
		return nil, ErrFormat
	}
	if _, err := r.ReadAt(dos[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	at := int64(le.Uint32(dos[60:]))
	if string(dos[:2]) != "MZ" || at < 4 || at+24 > size {
		return nil, ErrFormat
	}
	head := make([]byte, min(24+240, size-at))
	if _, err := r.ReadAt(head, at); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if string(head[:4]) != "PE\x00\x00" {
		return nil, ErrFormat
	}
	f := &File{r: r, size: size, Arch: archName(le.Uint16(head[4:])), DLL: le.Uint16(head[22:])&0x2000 != 0}
	count, optional := int(le.Uint16(head[6:])), int64(le.Uint16(head[20:]))
	if count > maxSections || optional > 4096 {
		return nil, fmt.Errorf("%w: %d sections", ErrFormat, count)
	}
	if err := f.directories(head[24:], at+24); err != nil {
		return nil, err
	}
	table := make([]byte, 40*count)
	if _, err := r.ReadAt(table, at+24+optional); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for ; len(table) >= 40; table = table[40:] {
		f.sections = append(f.sections, section{le.Uint32(table[12:]), le.Uint32(table[8:]), le.Uint32(table[20:]), le.Uint32(table[16:])})
	}
	return f, nil
}

// directories reads what is needed of the optional header: where resources and
// signatures are.
func (f *File) directories(b []byte, at int64) error {
	dirs := 96
	if len(b) < 2 {
		return ErrFormat
	}
	switch le.Uint16(b) {
	case 0x10b:
	case 0x20b:
		dirs = 112
	default:
		return fmt.Errorf("%w: no optional header", ErrFormat)
	}
	if len(b) < dirs {
		return fmt.Errorf("%w: short header", ErrFormat)
	}
	f.checksumAt, f.headersEnd = at+64, int64(le.Uint32(b[60:]))
	count := int(le.Uint32(b[dirs-4:]))
	if count > 2 && len(b) >= dirs+3*8 {
		f.resources = le.Uint32(b[dirs+2*8:])
	}
	if count > 4 && len(b) >= dirs+5*8 {
		f.certEntryAt = at + int64(dirs) + 4*8
		f.certAt, f.certSize = int64(le.Uint32(b[dirs+4*8:])), int64(le.Uint32(b[dirs+4*8+4:]))
		if f.certSize > 0 && (f.certAt < 64 || f.certAt+f.certSize > f.size) {
			return fmt.Errorf("%w: signatures outside of the file", ErrFormat)
		}
	}
	return nil
}

func archName(machine uint16) string {
	switch machine {
	case 0x8664:
		return "amd64"
	case 0x14c:
		return "386"
	case 0xaa64:
		return "arm64"
	case 0x1c0, 0x1c2, 0x1c4:
		return "arm"
	}
	return ""
}

// at reads n bytes at an address of memory.
func (f *File) at(address, n uint32) ([]byte, error) {
	for _, s := range f.sections {
		if size := max(s.virtual, s.raw); address >= s.address && address-s.address < size && size < 1<<31 {
			in := address - s.address
			if in+n > s.raw || n > maxResource || int64(s.offset)+int64(in)+int64(n) > f.size {
				return nil, fmt.Errorf("%w: address %#x", ErrFormat, address)
			}
			b := make([]byte, n)
			_, err := f.r.ReadAt(b, int64(s.offset)+int64(in))
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return b, err
		}
	}
	return nil, fmt.Errorf("%w: address %#x", ErrFormat, address)
}
