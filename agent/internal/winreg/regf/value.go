package regf

import (
	"fmt"
	"io/fs"
	"strings"

	"vigia/agent/internal/winreg"
)

const (
	inData    = 16344 // bytes of a value kept in one cell
	maxValues = 10_000
)

// Value looks through the list of values (vk).
func (k *key) Value(name string) (winreg.Value, error) {
	missing := &fs.PathError{Op: "read", Path: k.name + `\` + name, Err: fs.ErrNotExist}
	if k.values == 0 {
		return winreg.Value{}, missing
	}
	if k.values > maxValues {
		return winreg.Value{}, fmt.Errorf("%s: %d values, at most %d are read", k.name, k.values, maxValues)
	}
	list, err := k.h.cell(k.vlist, 4*int(k.values))
	if err != nil {
		return winreg.Value{}, err
	}
	for ; len(list) >= 4; list = list[4:] {
		v, found, err := k.h.value(le.Uint32(list), name)
		if found || err != nil {
			return v, err
		}
	}
	return winreg.Value{}, missing
}

// value reads the value at an offset if it has the name.
func (h *Hive) value(at uint32, want string) (v winreg.Value, found bool, err error) {
	b, err := h.cell(at, 20+32767)
	if err != nil {
		return v, false, err
	}
	if len(b) < 20 || string(b[:2]) != "vk" {
		return v, false, fmt.Errorf("%w: no value at %d", ErrFormat, at)
	}
	n := int(le.Uint16(b[2:]))
	if 20+n > len(b) {
		return v, false, fmt.Errorf("%w: name of the value at %d", ErrFormat, at)
	}
	if !strings.EqualFold(name(b[20:20+n], le.Uint16(b[16:])&1 != 0), want) {
		return v, false, nil
	}
	v.Type = le.Uint32(b[12:])
	v.Data, err = h.content(le.Uint32(b[4:]), le.Uint32(b[8:]), b[8:12])
	return v, true, err
}

// content reads what a value holds: in the offset's place up to 4 bytes, in a cell, or
// in several cells (db).
func (h *Hive) content(size, at uint32, inline []byte) ([]byte, error) {
	if size&0x80000000 != 0 {
		return append([]byte(nil), inline[:min(4, int(size&0x7fffffff))]...), nil
	}
	if size == 0 {
		return nil, nil
	}
	if size > winreg.MaxValue {
		return nil, fmt.Errorf("a value of %d bytes: at most %d are read", size, winreg.MaxValue)
	}
	b, err := h.cell(at, int(size))
	if err != nil {
		return nil, err
	}
	if size > inData && len(b) >= 8 && string(b[:2]) == "db" {
		return h.segments(int(le.Uint16(b[2:])), le.Uint32(b[4:]), int(size))
	}
	if len(b) < int(size) {
		return nil, fmt.Errorf("%w: a value is cut short at %d", ErrFormat, at)
	}
	return b, nil
}

func (h *Hive) segments(count int, at uint32, size int) ([]byte, error) {
	list, err := h.cell(at, 4*count)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, size)
	for ; len(list) >= 4 && len(data) < size; list = list[4:] {
		b, err := h.cell(le.Uint32(list), min(inData, size-len(data)))
		if err != nil {
			return nil, err
		}
		data = append(data, b...)
	}
	if len(data) < size {
		return nil, fmt.Errorf("%w: a large value is cut short", ErrFormat)
	}
	return data, nil
}
