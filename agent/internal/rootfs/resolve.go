package rootfs

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Resolve returns name with every symbolic link followed inside the root, as a clean
// absolute path from the root. The file must exist.
func (f *FS) Resolve(name string) (string, error) {
	if f.root == nil {
		real, err := filepath.EvalSymlinks(live(name))
		return filepath.ToSlash(real), err
	}
	return f.resolve(name, true)
}

// resolve walks name component by component. The result holds no link (but the last
// component, when follow is false); opening it goes through os.Root all the same, so
// that a tree changed meanwhile can still not lead outside.
func (f *FS) resolve(name string, follow bool) (string, error) {
	done, rest, links := "/", strings.Split(clean(name)[1:], "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, part)
		info, err := f.root.Lstat(local(next))
		if err != nil {
			return "", &fs.PathError{Op: "resolve", Path: clean(name), Err: unwrapPath(err)}
		}
		if info.Mode()&fs.ModeSymlink == 0 || (!follow && len(rest) == 0) {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "resolve", Path: clean(name), Err: errLoop}
		}
		target, err := f.root.Readlink(local(next))
		if err != nil {
			return "", &fs.PathError{Op: "resolve", Path: clean(name), Err: unwrapPath(err)}
		}
		target = filepath.ToSlash(target)
		if path.IsAbs(target) {
			done = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}

// open opens a file or folder without blocking.
func (f *FS) open(name string) (*os.File, error) {
	if f.root == nil {
		return os.OpenFile(live(name), openFlags, 0)
	}
	file, err := f.root.OpenFile(local(clean(name)), openFlags, 0)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	// os.Root refuses absolute links, and links above the root: take them as the
	// tree itself would.
	real, err := f.resolve(name, true)
	if err != nil {
		return nil, err
	}
	return f.root.OpenFile(local(real), openFlags, 0)
}

func unwrapPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func sortEntries(list []fs.DirEntry) {
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
}
