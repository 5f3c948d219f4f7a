// Package rootfs owns reading files below one folder taken as "/": the running
// system, or the tree of a mounted image or chroot. Every symbolic link, absolute
// ones too, is resolved inside that folder, so that an image can never make the
// agent read the host. It refuses to write, to run anything, and to wait: named
// pipes, sockets and devices are not opened for reading.
//
// Paths are slash-separated and absolute from the root ("/etc/os-release"); a
// missing leading slash is forgiven, and ".." stops at the root as it does for "/".
package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Errors of this package; all others are those of package os.
var (
	ErrTooLarge   = errors.New("file is larger than allowed")
	ErrNotRegular = errors.New("not a regular file")
	errLoop       = errors.New("too many symbolic links")
)

// maxLinks is how many symbolic links one path may go through, as in Linux.
const maxLinks = 40

// FS reads below one root. It is safe for concurrent use.
type FS struct {
	dir  string
	root *os.Root // nil for the running system: the kernel resolves
}

// Open returns the tree below dir; "" and "/" are the running system. The caller
// closes it.
func Open(dir string) (*FS, error) {
	if dir == "" || dir == "/" {
		return &FS{dir: "/"}, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening root %s: %w", dir, err)
	}
	return &FS{dir: dir, root: root}, nil
}

// Close frees the root. Files opened before stay open.
func (f *FS) Close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}

// Live reports whether f is the running system.
func (f *FS) Live() bool { return f.root == nil }

// Dir returns the folder taken as "/".
func (f *FS) Dir() string { return f.dir }

// HostPath returns where name, taken literally, lies on the host. It resolves nothing:
// use it to show a path or to watch one, never to open one under a foreign root.
func (f *FS) HostPath(name string) string {
	return filepath.Join(f.dir, filepath.FromSlash(clean(name)))
}

// Open opens a regular file for reading, without ever blocking on it.
func (f *FS) Open(name string) (*os.File, error) {
	file, err := f.open(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		file.Close()
		if err == nil {
			err = &fs.PathError{Op: "open", Path: clean(name), Err: ErrNotRegular}
		}
		return nil, err
	}
	return file, nil
}

// ReadFile returns the content of a regular file of at most limit bytes, or
// ErrTooLarge (wrapped).
func (f *FS) ReadFile(name string, limit int64) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size() // 0 for most of /proc, one page for /sys
	if size > limit {
		return nil, &fs.PathError{Op: "read", Path: clean(name), Err: fmt.Errorf("%w: %d of %d bytes", ErrTooLarge, size, limit)}
	}
	buf := make([]byte, 0, max(size, 512)+1)
	for {
		n, err := file.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, &fs.PathError{Op: "read", Path: clean(name), Err: fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)}
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) == cap(buf):
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

// ReadText returns a small file with white space trimmed, or "" where it cannot be
// read: for the one-line files of /sys and /etc, whose absence is an answer.
func (f *FS) ReadText(name string) string {
	b, err := f.ReadFile(name, 64<<10)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// ReadDir lists a folder, sorted by name. Entries are not followed.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	dir, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	list, err := dir.ReadDir(-1)
	sortEntries(list)
	return list, err
}

// Stat follows links, inside the root.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	if f.root == nil {
		return os.Stat(live(name))
	}
	real, err := f.Resolve(name)
	if err != nil {
		return nil, err
	}
	return f.root.Lstat(local(real))
}

// Lstat does not follow the last component.
func (f *FS) Lstat(name string) (fs.FileInfo, error) {
	if f.root == nil {
		return os.Lstat(live(name))
	}
	real, err := f.resolve(name, false)
	if err != nil {
		return nil, err
	}
	return f.root.Lstat(local(real))
}

// Readlink returns the text of a symbolic link, unresolved.
func (f *FS) Readlink(name string) (string, error) {
	if f.root == nil {
		return os.Readlink(live(name))
	}
	real, err := f.resolve(name, false)
	if err != nil {
		return "", err
	}
	return f.root.Readlink(local(real))
}

// Exists reports whether name, followed, is there.
func (f *FS) Exists(name string) bool {
	_, err := f.Stat(name)
	return err == nil
}

// clean returns name as an absolute, slash-separated path without "." and "..".
func clean(name string) string { return path.Clean("/" + name) }

// local turns a clean absolute path into one relative to the root.
func local(name string) string {
	if name == "/" {
		return "."
	}
	return name[1:]
}
