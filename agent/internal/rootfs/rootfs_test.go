//go:build linux

package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// image makes a tree with every kind of link an image brings, and a secret beside it.
func image(t testing.TB) (*FS, string) {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "image")
	for _, d := range []string{"etc", "usr/lib", "home/ana/.config", "home/luis"} {
		must(t, os.MkdirAll(filepath.Join(dir, d), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(top, "secret"), []byte("host"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "usr/lib/os-release"), []byte("ID=image\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("image"), 0o644))
	for link, target := range map[string]string{
		"etc/os-release": "../usr/lib/os-release",
		"etc/absolute":   "/usr/lib/os-release",
		"etc/above":      "../../../../secret",
		"etc/outside":    filepath.Join(top, "secret"),
		"etc/loop":       "loop",
		"lib":            "/usr/lib",
		"etc/broken":     "/nowhere",
	} {
		must(t, os.Symlink(target, filepath.Join(dir, link)))
	}
	must(t, syscall.Mkfifo(filepath.Join(dir, "etc/pipe"), 0o644))
	f, err := Open(dir)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	return f, dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadFileStaysInside(t *testing.T) {
	f, _ := image(t)
	for name, want := range map[string]string{
		"/etc/os-release":     "ID=image\n",
		"etc/os-release":      "ID=image\n",
		"/etc/absolute":       "ID=image\n",
		"/lib/os-release":     "ID=image\n",
		"/etc/above":          "image",
		"/../../secret":       "image",
		"/etc/../../secret":   "image",
		"/lib/../lib/../etc/": "",
	} {
		got, err := f.ReadFile(name, 100)
		if string(got) != want || (want != "" && err != nil) {
			t.Errorf("ReadFile(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"/etc/outside", "/etc/broken", "/etc/none"} {
		if got, err := f.ReadFile(name, 100); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("ReadFile(%q) = %q, %v; want not exist", name, got, err)
		}
	}
	if _, err := f.ReadFile("/etc/loop", 100); !errors.Is(err, errLoop) && !errors.Is(err, syscall.ELOOP) {
		t.Errorf("loop: %v", err)
	}
}

func TestReadFileRefuses(t *testing.T) {
	f, dir := image(t)
	live, err := Open("/")
	must(t, err)
	if _, err := f.ReadFile("/etc/os-release", 3); !errors.Is(err, ErrTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := f.ReadFile("/etc/os-release", 9); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
	for _, r := range []struct {
		f    *FS
		name string
	}{{f, "/etc/pipe"}, {f, "/etc"}, {live, dir + "/etc/pipe"}, {live, "/dev/null"}} {
		if _, err := r.f.ReadFile(r.name, 100); !errors.Is(err, ErrNotRegular) {
			t.Errorf("ReadFile(%q): %v; want ErrNotRegular", r.name, err)
		}
	}
	if b, err := live.ReadFile("/proc/self/stat", 4096); err != nil || len(b) == 0 {
		t.Errorf("a file without a size: %q, %v", b, err)
	}
	if _, err := live.ReadFile("/proc/self/stat", 10); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a file without a size, over the limit: %v", err)
	}
}

func TestStatAndLinks(t *testing.T) {
	f, dir := image(t)
	if info, err := f.Stat("/etc/absolute"); err != nil || !info.Mode().IsRegular() {
		t.Errorf("Stat follows: %v, %v", info, err)
	}
	if info, err := f.Lstat("/lib/../etc/absolute"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("Lstat does not: %v, %v", info, err)
	}
	if got, err := f.Readlink("/etc/outside"); err != nil || !strings.HasPrefix(got, "/") {
		t.Errorf("Readlink = %q, %v", got, err)
	}
	if got, err := f.Resolve("/etc/absolute"); err != nil || got != "/usr/lib/os-release" {
		t.Errorf("Resolve = %q, %v", got, err)
	}
	if info, err := f.Stat("/"); err != nil || !info.IsDir() {
		t.Errorf("Stat of the root: %v, %v", info, err)
	}
	if got := f.HostPath("/etc/../x"); got != filepath.Join(dir, "x") {
		t.Errorf("HostPath = %q", got)
	}
	if f.Exists("/etc/outside") || !f.Exists("/lib/os-release") || f.Live() {
		t.Error("Exists or Live is wrong")
	}
}

func TestReadDirAndGlob(t *testing.T) {
	f, _ := image(t)
	list, err := f.ReadDir("/lib")
	if err != nil || len(list) != 1 || list[0].Name() != "os-release" {
		t.Errorf("ReadDir through an absolute link = %v, %v", list, err)
	}
	for pattern, want := range map[string][]string{
		"/home/*":         {"/home/ana", "/home/luis"},
		"/home/*/.config": {"/home/ana/.config"},
		"/home/ana/*":     nil,
		"/home/ana/.*":    {"/home/ana/.config"},
		"/l*/os-*":        {"/lib/os-release"},
		"/etc/none":       nil,
		"/":               {"/"},
	} {
		got, err := f.Glob(pattern)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("Glob(%q) = %v, %v; want %v", pattern, got, err, want)
		}
	}
	if _, err := f.Glob("/etc/["); err == nil {
		t.Error("a bad pattern passed")
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing root: %v", err)
	}
}

// FuzzNothingLeadsOutside reads through a link of any target, in a tree that has other
// links already, and looks for the secret that lies beside the tree.
func FuzzNothingLeadsOutside(f *testing.F) {
	fsys, dir := image(f)
	for _, target := range []string{"../secret", "/../../secret", "../../../../../secret", "lib/../../secret", dir + "/../secret", "/etc/above", "."} {
		f.Add(target, "/link")
		f.Add(target, "link/../../secret")
	}
	f.Fuzz(func(t *testing.T, target, name string) {
		link := filepath.Join(dir, "link")
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			return // a target that no file system takes
		}
		for _, p := range []string{name, "/link", "/link/secret"} {
			if b, err := fsys.ReadFile(p, 100); err == nil && string(b) == "host" {
				t.Fatalf("ReadFile(%q) with link to %q read the host", p, target)
			}
			if list, err := fsys.ReadDir(p); err == nil {
				for _, e := range list {
					if e.Name() == "image" {
						t.Fatalf("ReadDir(%q) with link to %q listed the host", p, target)
					}
				}
			}
			if _, err := fsys.Stat(p); err == nil {
				if real, err := fsys.Resolve(p); err != nil || !strings.HasPrefix(real, "/") {
					t.Fatalf("Resolve(%q) = %q, %v", p, real, err)
				}
			}
		}
	})
}
