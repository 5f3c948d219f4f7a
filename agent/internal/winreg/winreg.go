// Package winreg owns reading a Windows registry: one small interface for a key,
// answered by the running system (Machine, User; on Windows) and by the hive file of
// somebody who is not signed in (package regf). It refuses to write, and never loads a
// hive into the system.
package winreg

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"strings"
	"time"
	"unicode/utf16"
)

// Key is one open key. Paths are separated by backslashes and, as names are, compared
// without case. A key or value that is not there is fs.ErrNotExist (wrapped).
type Key interface {
	// Keys returns the names of the keys below, at most MaxKeys of them.
	Keys() ([]string, error)
	// Open opens a key below; the caller closes it.
	Open(path string) (Key, error)
	// Value returns a value; "" is the default one.
	Value(name string) (Value, error)
	// Modified is when the key was last written, zero where that is not known.
	Modified() time.Time
	Close() error
}

// Bounds of what is read of one key.
const (
	MaxKeys  = 20_000  // names of one list
	MaxValue = 1 << 20 // bytes of one value
)

// Types of values (winnt.h).
const (
	TypeString   = 1
	TypeExpand   = 2
	TypeBinary   = 3
	TypeDword    = 4
	TypeDwordBig = 5
	TypeMulti    = 7
	TypeQword    = 11
)

// Value is a value as it is stored.
type Value struct {
	Type uint32
	Data []byte
}

// Text returns a string value up to its first NUL, "" for any other type. Variables
// such as %SystemRoot% stay as they are.
func (v Value) Text() string {
	if v.Type != TypeString && v.Type != TypeExpand {
		return ""
	}
	text, _, _ := strings.Cut(UTF16(v.Data), "\x00")
	return text
}

// Number returns an integer value.
func (v Value) Number() (uint64, bool) {
	switch {
	case v.Type == TypeDword && len(v.Data) >= 4:
		return uint64(binary.LittleEndian.Uint32(v.Data)), true
	case v.Type == TypeDwordBig && len(v.Data) >= 4:
		return uint64(binary.BigEndian.Uint32(v.Data)), true
	case v.Type == TypeQword && len(v.Data) >= 8:
		return binary.LittleEndian.Uint64(v.Data), true
	}
	return 0, false
}

// UTF16 decodes little-endian text; half a character at the end is dropped.
func UTF16(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// Text returns a string value of k, "" where there is none.
func Text(k Key, name string) string {
	v, err := k.Value(name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(v.Text())
}

// Number returns an integer value of k, 0 where there is none.
func Number(k Key, name string) uint64 {
	v, err := k.Value(name)
	if err != nil {
		return 0
	}
	n, _ := v.Number()
	return n
}

// Each calls fn with every key below path, which may be missing. A key that vanished
// or is refused is passed over; the first other error ends it.
func Each(k Key, path string, fn func(name string, sub Key) error) error {
	top, err := k.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer top.Close()
	names, err := top.Keys()
	if err != nil {
		return err
	}
	for _, name := range names {
		sub, err := top.Open(name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return err
		}
		err = fn(name, sub)
		sub.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// FileTime turns 100 ns since 1601 into a time; zero for 0 and what makes no sense.
func FileTime(ticks uint64) time.Time {
	const epoch = 116_444_736_000_000_000
	if ticks <= epoch || ticks > 1<<62 {
		return time.Time{}
	}
	d := ticks - epoch
	return time.Unix(int64(d/10_000_000), int64(d%10_000_000)*100).UTC()
}
