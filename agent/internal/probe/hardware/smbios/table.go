// Package smbios owns the decoding of an SMBIOS structure table, as firmware lays it
// out in memory (DMTF DSP0134), into the few structures that an inventory tells. It
// works on bytes alone: it reads no file, trusts no length, and answers broken tables
// with an error and what could be read before it.
package smbios

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Limits of a table.
const (
	MaxTable      = 1 << 20 // bytes
	maxStructures = 8_192
)

// Errors of this package, wrapped with where.
var (
	ErrTruncated = errors.New("smbios table is cut short")
	ErrMalformed = errors.New("smbios table is malformed")
)

const (
	headerLen  = 4
	endOfTable = 127
)

// Structure is one record: its formatted area with the header, and its strings.
type Structure struct {
	Type    byte
	Handle  uint16
	Data    []byte // header included, so that offsets are those of DSP0134
	strings []byte // zero-terminated strings, without the last zero
}

// Walk cuts a table into structures. On error it returns those before the damage.
// The structures point into table.
func Walk(table []byte) ([]Structure, error) {
	if len(table) > MaxTable {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrMalformed, len(table), MaxTable)
	}
	var list []Structure
	for at := 0; at < len(table); {
		rest := table[at:]
		if len(rest) < headerLen {
			return list, tail(rest, at)
		}
		length := int(rest[1])
		if length < headerLen {
			if len(bytes.Trim(rest, "\x00")) == 0 && len(list) > 0 {
				return list, nil // padding after a table that lacks its end
			}
			return list, fmt.Errorf("%w: structure at %d is %d bytes long", ErrMalformed, at, length)
		}
		if length > len(rest) {
			return list, fmt.Errorf("%w: structure at %d", ErrTruncated, at)
		}
		s := Structure{Type: rest[0], Handle: binary.LittleEndian.Uint16(rest[2:]), Data: rest[:length]}
		end := bytes.Index(rest[length:], []byte{0, 0})
		if end < 0 {
			if s.Type == endOfTable {
				return list, nil
			}
			return list, fmt.Errorf("%w: strings of the structure at %d", ErrTruncated, at)
		}
		s.strings = rest[length : length+end]
		if s.Type == endOfTable {
			return list, nil
		}
		if len(list) == maxStructures {
			return list, fmt.Errorf("%w: more than %d structures", ErrMalformed, maxStructures)
		}
		list = append(list, s)
		at += length + end + 2
	}
	return list, nil
}

// tail judges what is too short for a header: zeros after a structure are padding.
func tail(rest []byte, at int) error {
	if at > 0 && len(bytes.Trim(rest, "\x00")) == 0 {
		return nil
	}
	return fmt.Errorf("%w: header at %d", ErrTruncated, at)
}

// raw returns the string whose number stands at offset; empty when there is none.
func (s *Structure) raw(offset int) string {
	n := int(s.byte(offset))
	if n == 0 {
		return ""
	}
	rest := s.strings
	for ; n > 1; n-- {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			return ""
		}
		rest = rest[i+1:]
	}
	if i := bytes.IndexByte(rest, 0); i >= 0 {
		rest = rest[:i]
	}
	return strings.TrimSpace(string(rest))
}

// text is raw without placeholders.
func (s *Structure) text(offset int) string { return Meaningful(s.raw(offset)) }

// byte, word, dword and qword return the number at offset, or 0 where the structure
// is older and ends before it.
func (s *Structure) byte(offset int) byte {
	if offset >= len(s.Data) {
		return 0
	}
	return s.Data[offset]
}

func (s *Structure) word(offset int) uint16 {
	if offset+2 > len(s.Data) {
		return 0
	}
	return binary.LittleEndian.Uint16(s.Data[offset:])
}

func (s *Structure) dword(offset int) uint32 {
	if offset+4 > len(s.Data) {
		return 0
	}
	return binary.LittleEndian.Uint32(s.Data[offset:])
}

func (s *Structure) qword(offset int) uint64 {
	if offset+8 > len(s.Data) {
		return 0
	}
	return binary.LittleEndian.Uint64(s.Data[offset:])
}

// expect checks type and least length.
func (s *Structure) expect(kind byte, least int) error {
	if s.Type != kind {
		return fmt.Errorf("%w: structure of type %d, want %d", ErrMalformed, s.Type, kind)
	}
	if len(s.Data) < least {
		return fmt.Errorf("%w: type %d of %d bytes, want at least %d", ErrTruncated, kind, len(s.Data), least)
	}
	return nil
}
