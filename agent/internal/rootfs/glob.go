package rootfs

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// MaxGlob is how many paths one Glob returns at most.
const MaxGlob = 10_000

// Glob returns the paths that match pattern, sorted, at most MaxGlob. Wildcards are
// those of path.Match and do not match a leading dot unless the pattern's component
// starts with one. Folders that cannot be read match nothing; a bad pattern is an error.
func (f *FS) Glob(pattern string) ([]string, error) {
	pattern = clean(pattern)
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, fmt.Errorf("pattern %q: %w", pattern, err)
	}
	found := []string{"/"}
	parts := strings.Split(pattern[1:], "/")
	for i, part := range parts {
		if part == "" {
			continue
		}
		var next []string
		for _, dir := range found {
			if !strings.ContainsAny(part, `*?[\`) {
				next = append(next, path.Join(dir, part))
				continue
			}
			next = append(next, f.matches(dir, part)...)
			if len(next) >= MaxGlob {
				next = next[:MaxGlob]
				break
			}
		}
		found = next
		if i == len(parts)-1 {
			found = slices.DeleteFunc(found, func(p string) bool {
				_, err := f.Lstat(p)
				return err != nil
			})
		}
	}
	return found, nil
}

// matches lists the entries of dir that match one component of a pattern.
func (f *FS) matches(dir, part string) []string {
	list, err := f.ReadDir(dir)
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range list {
		if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(part, ".") {
			continue
		}
		if ok, err := path.Match(part, e.Name()); ok && err == nil {
			found = append(found, path.Join(dir, e.Name()))
		}
	}
	return found
}
