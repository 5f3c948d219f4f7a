package watch

import (
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// rule tells what a name in a watched folder means.
type rule struct {
	pattern string // of the name, as in path.Match
	leaf    bool   // the last part of a glob: a change wakes; else a folder on the way: a change makes a new plan
}

// plan is what to watch for one source: folders, as host paths, with their rules.
type plan map[string][]rule

// planned is a plan with the source it is for.
type planned struct {
	source string
	plan   plan
}

// makePlan finds the folders to watch for globs as things are now. A folder is watched
// where it holds what a glob ends in, where a glob has a wildcard for what it holds, or
// where the next folder on the way is missing. It may block on a dead network file
// system, so it has a goroutine of its own.
func makePlan(root string, globs []string) plan {
	p := make(plan)
	for _, glob := range globs {
		parts := strings.Split(strings.Trim(path.Clean("/"+glob), "/"), "/")
		dirs := []string{filepath.Clean(root)}
		if runtime.GOOS == "windows" && hasVolume(glob) { // below no other root
			dirs, parts = []string{parts[0] + `\`}, parts[1:]
		}
		for i, part := range parts {
			r := rule{pattern: part, leaf: i == len(parts)-1}
			var next []string
			for _, dir := range dirs {
				found := expand(dir, part)
				if r.leaf || wild(part) || len(found) == 0 {
					p.add(dir, r)
				}
				next = append(next, found...)
			}
			dirs = next
		}
	}
	return p
}

// hasVolume reports globs of Windows, such as /C:/Users/*.
func hasVolume(glob string) bool { return len(glob) > 3 && glob[2] == ':' }

func (p plan) add(dir string, r rule) {
	for _, have := range p[dir] {
		if have == r {
			return
		}
	}
	p[dir] = append(p[dir], r)
}

// expand returns the folders in dir whose name matches part. Names with a leading dot
// match only a pattern with one.
func expand(dir, part string) []string {
	if !wild(part) {
		if name := filepath.Join(dir, part); isDir(name) {
			return []string{name}
		}
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		if name := filepath.Join(dir, e.Name()); matches(part, e.Name()) && (e.IsDir() || e.Type()&os.ModeSymlink != 0) && isDir(name) {
			found = append(found, name)
		}
	}
	return found
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func wild(part string) bool { return strings.ContainsAny(part, `*?[`) }

func matches(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
