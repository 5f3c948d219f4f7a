package software

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"vigia/agent/internal/rootfs"
)

// fileID tells one content of one file from every other.
type fileID struct {
	dev, ino           uint64
	size, mtime, ctime int64 // bytes, and nanoseconds since 1970
}

// foundExec is a program that a walk came upon.
type foundExec struct {
	path    string // of the executable
	product string // folder of the product it belongs to; empty for a single file
	kind    execKind
	arch    string
	id      fileID
}

// errBudget says that a tree holds more than may be searched.
var errBudget = errors.New("more folders or files than are searched")

// fileWalk searches one tree. It lists folders in the order of names, so that the same
// tree always gives the same result.
type fileWalk struct {
	ctx     context.Context
	root    *rootfs.FS
	readDir func(name string) ([]fs.DirEntry, error)
	top     string
	mounts  map[string]bool // places not to enter
	owned   func(path string) bool
	dirs    int // folders that may still be listed
	looks   int // files that may still be looked at
	depth   int // deepest folder below top
	found   []foundExec
	links   []string // links in drop folders, followed when everything else is known
}

// tree searches the whole tree. Folders that cannot be read because they vanished or
// are forbidden hold nothing that could be told.
func (w *fileWalk) tree() error { return w.dir(w.top, 0) }

func (w *fileWalk) list(dir string) ([]fs.DirEntry, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", w.top, err)
	}
	if w.dirs--; w.dirs < 0 || w.looks < 0 {
		return nil, fmt.Errorf("%s: %w", w.top, errBudget)
	}
	entries, err := w.readDir(dir)
	if missing(err) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	return entries, err
}

func (w *fileWalk) dir(dir string, depth int) error {
	entries, err := w.list(dir)
	if err != nil {
		return err
	}
	if hasEntry(entries, "pyvenv.cfg") { // a Python environment: its programs are Python packages
		return nil
	}
	if depth > 0 && isPrefix(dir, entries) {
		stop, err := w.product(dir)
		if stop || err != nil {
			return w.versions(dir, entries, depth, err)
		}
	}
	here := w.files(dir, entries)
	if depth > 1 && !dropFolder(dir) && len(here) > 1 { // several beside one another: a product
		here[0].product = dir
		w.found = append(w.found, here[0])
		return w.versions(dir, entries, depth, nil)
	}
	w.found = append(w.found, here...)
	if depth >= w.depth {
		return nil
	}
	for _, e := range entries {
		if sub := path.Join(dir, e.Name()); e.IsDir() && !skipFolder(sub) && !w.mounts[sub] {
			if err := w.dir(sub, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// versions goes on below a product to where a version manager keeps further ones.
func (w *fileWalk) versions(dir string, entries []fs.DirEntry, depth int, err error) error {
	for _, e := range entries {
		if sub := path.Join(dir, e.Name()); err == nil && e.IsDir() && keepsVersions(sub) && depth < w.depth && !w.mounts[sub] {
			err = w.dir(sub, depth+1)
		}
	}
	return err
}

// isPrefix reports whether dir looks like the root of an installed product: a folder
// for programs beside one for what they need.
func isPrefix(dir string, entries []fs.DirEntry) bool {
	if path.Base(dir) == ".local" {
		return false
	}
	bin, more := false, false
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		switch e.Name() {
		case "bin":
			bin = true
		case "lib", "lib64", "libexec", "share", "include", "jre", "jbr", "jmods", "resources":
			more = true
		}
	}
	return bin && more
}

// product looks for a program in the tree below dir and notes the first one that no
// package owns. stop is false where there is none: then dir is an ordinary folder.
func (w *fileWalk) product(dir string) (stop bool, err error) {
	links := len(w.links)
	defer func() { w.links = w.links[:links] }() // those of a product are parts of it
	queue, listed := []string{dir}, 0
	for len(queue) > 0 && listed < 64 {
		at := queue[0]
		queue, listed = queue[1:], listed+1
		entries, err := w.list(at)
		if err != nil {
			return false, err
		}
		if here := w.files(at, entries); len(here) > 0 {
			here[0].product = dir
			w.found = append(w.found, here[0])
			return true, nil
		}
		var first, later []string
		for _, e := range entries {
			sub := path.Join(at, e.Name())
			switch {
			case !e.IsDir() || w.mounts[sub] || strings.Count(sub[len(dir):], "/") > 4:
			case binFolder(sub):
				first = append(first, sub)
			case !skipFolder(sub):
				later = append(later, sub)
			}
		}
		queue = append(append(first, queue...), later...)
	}
	return false, nil
}

// files returns the programs among the files of one folder.
func (w *fileWalk) files(dir string, entries []fs.DirEntry) []foundExec {
	var here []foundExec
	drop, bin := dropFolder(dir), binFolder(dir)
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if e.Type()&fs.ModeSymlink != 0 && drop {
			w.links = append(w.links, name)
		}
		if !e.Type().IsRegular() || (!bin && dataFile(e.Name())) {
			continue
		}
		if f, ok := w.file(name, bin); ok {
			here = append(here, f)
		}
	}
	return here
}

// file looks at one file. Scripts count in folders for programs only.
func (w *fileWalk) file(name string, scripts bool) (foundExec, bool) {
	if w.looks--; w.looks < 0 { // searchTree says so
		return foundExec{}, false
	}
	info, err := w.root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 || info.Size() < 4 {
		return foundExec{}, false
	}
	f, err := w.root.Open(name)
	if err != nil {
		return foundExec{}, false
	}
	defer f.Close()
	if now, err := f.Stat(); err != nil || idOf(now) != idOf(info) { // swapped for another file meanwhile
		return foundExec{}, false
	}
	kind, arch := readKind(path.Base(name), f)
	if kind == notExec || (kind == execScript && !scripts) || w.owned(name) {
		return foundExec{}, false
	}
	return foundExec{path: name, kind: kind, arch: arch, id: idOf(info)}, true
}

// follow looks at the links of folders for programs: one that leads to a program not
// found yet, outside of what packages own, is a program.
func (w *fileWalk) follow() {
	known := make(map[string]bool, len(w.found))
	for _, f := range w.found {
		known[f.path] = true
	}
	for _, link := range w.links {
		target, err := w.root.Resolve(link)
		if err != nil || known[target] || systemPath(target) || w.inProduct(target) {
			continue
		}
		known[target] = true
		if f, ok := w.file(target, true); ok {
			f.path = link
			w.found = append(w.found, f)
		}
	}
}

func (w *fileWalk) inProduct(target string) bool {
	return slices.ContainsFunc(w.found, func(f foundExec) bool {
		return f.product != "" && strings.HasPrefix(target, f.product+"/")
	})
}

// systemPath reports paths that packages of the system and other sources answer for.
func systemPath(p string) bool {
	if strings.HasPrefix(p, "/usr/local/") {
		return false
	}
	for _, top := range [...]string{"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/snap/", "/etc/", "/var/lib/", "/proc/", "/dev/", "/nix/"} {
		if strings.HasPrefix(p, top) {
			return true
		}
	}
	return false
}

func hasEntry(entries []fs.DirEntry, name string) bool {
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name })
}
