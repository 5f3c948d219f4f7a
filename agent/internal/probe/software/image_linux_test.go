package software

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
)

var testNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// image is a tree that stands for a machine.
type image struct {
	t   *testing.T
	dir string
}

func newImage(t *testing.T) image { return image{t, t.TempDir()} }

func (i image) path(name string) string { return filepath.Join(i.dir, name) }

func (i image) write(name, text string, mode ...os.FileMode) {
	i.t.Helper()
	m := os.FileMode(0o644)
	if len(mode) > 0 {
		m = mode[0]
	}
	file := i.path(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), m)); err != nil {
		i.t.Fatal(err)
	}
}

func (i image) link(target, name string) {
	i.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(i.path(name)), 0o755), os.Symlink(target, i.path(name))); err != nil {
		i.t.Fatal(err)
	}
}

// copyOf puts a file of this machine into the image.
func (i image) copyOf(from, name string, mode os.FileMode) {
	i.t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		i.t.Fatal(err)
	}
	i.write(name, string(b), mode)
}

func (i image) tryCollect(p probe.Probe) ([]inventory.Program, error) {
	i.t.Helper()
	var part inventory.Snapshot
	n, err := p.Collect(context.Background(), &probe.Env{Root: i.dir, Now: testNow}, &part)
	if err == nil && n != len(part.Software) {
		i.t.Errorf("%s says %d entries, gave %d", p.Source, n, len(part.Software))
	}
	inventory.SortPrograms(part.Software)
	return part.Software, err
}

func (i image) collect(p probe.Probe) []inventory.Program {
	i.t.Helper()
	list, err := i.tryCollect(p)
	if err != nil {
		i.t.Fatalf("%s: %v", p.Source, err)
	}
	return list
}

// named returns the entry with a name, which must be there once.
func named(t *testing.T, list []inventory.Program, name string) inventory.Program {
	t.Helper()
	var found []inventory.Program
	for _, p := range list {
		if p.Name == name {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d entries called %q in %v", len(found), name, names(list))
	}
	return found[0]
}

func names(list []inventory.Program) []string {
	var n []string
	for _, p := range list {
		n = append(n, p.Name)
	}
	return n
}

func wantNames(t *testing.T, list []inventory.Program, want ...string) {
	t.Helper()
	got := names(list)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found %q\nwant  %q", got, want)
	}
}
