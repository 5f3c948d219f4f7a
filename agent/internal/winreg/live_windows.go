package winreg

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// live is a key of the running system, always in the 64-bit view: the 32-bit one is
// read by its own path, WOW6432Node.
type live struct {
	key  registry.Key
	name string
	own  bool // to be closed
}

// Machine returns HKEY_LOCAL_MACHINE.
func Machine() Key { return live{registry.LOCAL_MACHINE, "HKLM", false} }

// Users returns HKEY_USERS: the hives of all who are signed in.
func Users() Key { return live{registry.USERS, "HKU", false} }

func (l live) Open(path string) (Key, error) {
	name := l.name + `\` + path
	k, err := registry.OpenKey(l.key, path, registry.READ|registry.WOW64_64KEY)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: plain(err)}
	}
	return live{k, name, true}, nil
}

// plain turns what the registry says into what package fs knows.
func plain(err error) error {
	switch {
	case errors.Is(err, registry.ErrNotExist), errors.Is(err, windows.ERROR_KEY_DELETED), errors.Is(err, windows.ERROR_PATH_NOT_FOUND):
		return fs.ErrNotExist
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fs.ErrPermission
	}
	return err
}

func (l live) Keys() ([]string, error) {
	names, err := l.key.ReadSubKeyNames(-1)
	if err != nil {
		return nil, &fs.PathError{Op: "list", Path: l.name, Err: plain(err)}
	}
	if len(names) > MaxKeys {
		return nil, fmt.Errorf("%s: %d keys, at most %d are read", l.name, len(names), MaxKeys)
	}
	return names, nil
}

func (l live) Value(name string) (Value, error) {
	buf := make([]byte, 256)
	for range 4 { // it may grow meanwhile
		n, kind, err := l.key.GetValue(name, buf)
		switch {
		case errors.Is(err, registry.ErrShortBuffer) && n <= MaxValue:
			buf = make([]byte, n)
			continue
		case err != nil:
			return Value{}, &fs.PathError{Op: "read", Path: l.name + `\` + name, Err: plain(err)}
		}
		return Value{Type: kind, Data: buf[:n]}, nil
	}
	return Value{}, fmt.Errorf("%s\\%s: larger than %d bytes", l.name, name, MaxValue)
}

func (l live) Modified() time.Time {
	info, err := l.key.Stat()
	if err != nil {
		return time.Time{}
	}
	if t := info.ModTime(); t.Year() > 1980 {
		return t.UTC()
	}
	return time.Time{}
}

func (l live) Close() error {
	if !l.own {
		return nil
	}
	return l.key.Close()
}
