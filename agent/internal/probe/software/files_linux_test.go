package software

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

func openRoot(t *testing.T, img image) *rootfs.FS {
	t.Helper()
	root, err := rootfs.Open(img.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

const script = "#!/bin/sh\nexit 0\n"

// elf puts a real program of this machine into an image.
func (i image) elf(name string) { i.t.Helper(); i.copyOf("/usr/bin/true", name, 0o755) }

// home makes an image with a person.
func homeImage(t *testing.T) image {
	img := newImage(t)
	img.write("etc/passwd", "ana:x:1000:1000::/home/ana:/bin/sh\n")
	img.write("home/ana/.profile", "")
	return img
}

func TestFilesInHomes(t *testing.T) {
	img := homeImage(t)
	img.elf("home/ana/bin/tool-1.4.2")
	img.write("home/ana/bin/greet", script, 0o755)
	img.write("home/ana/.local/bin/helper", script, 0o755)
	img.write("home/ana/scripts/notcounted.sh", script, 0o755)
	img.write("home/ana/Documents/letter.odt", "x", 0o755)
	img.elf("home/ana/Documents/disguised")
	img.elf("home/ana/Downloads/Editor-2.1.0-x86_64.AppImage")
	img.elf("home/ana/Downloads/not-executable")
	img.elf("home/ana/Downloads/lib.so.6")
	if err := os.Chmod(img.path("home/ana/Downloads/not-executable"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"browser", "browser-bin", "crash/reporter"} {
		img.elf("home/ana/Downloads/browser/" + f)
	}
	for _, skipped := range []string{".cache/x", "src/node_modules/.bin/esbuild", ".git/hooks/x", ".local/share/Trash/files/x", ".config/google-chrome/x", "go/pkg/mod/x"} {
		img.elf("home/ana/" + skipped)
	}
	img.elf("home/ana/env/bin/python3")
	img.write("home/ana/env/pyvenv.cfg", "home = /usr/bin\n")
	img.elf("home/ana/.nvm/versions/node/v20.1.0/bin/node")
	img.write("home/ana/.nvm/versions/node/v20.1.0/lib/x", "")
	img.elf("home/ana/.nvm/versions/node/v18.0.0/bin/node")
	img.write("home/ana/.nvm/versions/node/v18.0.0/include/x", "")
	img.elf("home/ana/apps/jdk-21.0.2/bin/java")
	img.elf("home/ana/apps/jdk-21.0.2/bin/javac")
	img.write("home/ana/apps/jdk-21.0.2/lib/x", "")
	img.write("home/ana/apps/jdk-21.0.2/release", "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"21.0.2\"\n")

	list := img.collect(Files(FilesOptions{}))
	wantNames(t, list, "tool", "greet", "helper", "disguised", "Editor", "browser", "node", "node", "jdk")
	if p := named(t, list, "tool"); p.Version != "1.4.2" || p.User != "ana" || p.Scope != "user" || p.Source != "file" || !p.Requested ||
		p.Path != "/home/ana/bin/tool-1.4.2" || p.InstalledAt.IsZero() || p.SHA256 != "" {
		t.Errorf("%+v", p)
	}
	if p := named(t, list, "Editor"); p.Version != "2.1.0" {
		t.Errorf("%+v", p)
	}
	if p := named(t, list, "jdk"); p.Version != "21.0.2" || p.Path != "/home/ana/apps/jdk-21.0.2" {
		t.Errorf("%+v", p)
	}
}

func TestFilesInOptAndUsrLocal(t *testing.T) {
	img := newImage(t)
	img.elf("opt/vendor/app/bin/app")
	img.elf("opt/owned/run")
	img.write("opt/data/readme", "x", 0o755)
	img.elf("opt/single")
	img.elf("usr/local/bin/tool")
	img.elf("usr/local/bin/packaged")
	img.write("usr/local/sbin/backup", script, 0o755)
	img.elf("usr/local/go/bin/go")
	img.elf("usr/local/go/bin/gofmt")
	img.write("usr/local/go/lib/x", "")
	img.write("usr/local/go/VERSION", "go1.26.8\ntime 2026-08-01\n")
	img.elf("usr/local/lib/nodejs/node-v22.1.0/bin/node")
	img.write("usr/local/lib/nodejs/node-v22.1.0/lib/x", "")
	img.elf("usr/bin/system")
	img.elf("srv/elsewhere")
	img.link("/usr/bin/system", "usr/local/bin/system-link")
	img.link("../go/bin/go", "usr/local/bin/go")
	img.link("tool", "usr/local/bin/tool-link")
	img.link("/srv/elsewhere", "usr/local/bin/else")
	img.link("loop", "usr/local/bin/loop")
	img.write("etc/passwd", "svc:x:1000:1000::/opt/svc:/bin/sh\n")
	img.elf("opt/svc/bin/service")
	img.link("../..", "usr/local/lib/up")
	img.write("etc/os-release", "ID=debian\n")
	img.write("var/lib/dpkg/status", stanza("owned", "1", vendor)+stanza("base", "1", team))
	img.write("var/lib/dpkg/info/owned.list", "/.\n/opt\n/opt/owned\n/opt/owned/run\n/usr/local/bin/packaged\n")
	list := img.collect(Files(FilesOptions{}))
	wantNames(t, list, "vendor", "single", "tool", "backup", "go", "node", "else", "service")
	if p := named(t, list, "go"); p.Version != "1.26.8" || p.Path != "/usr/local/go" || p.Scope != "machine" {
		t.Errorf("%+v", p)
	}
	if p := named(t, list, "node"); p.Version != "22.1.0" {
		t.Errorf("%+v", p)
	}
	if p := named(t, list, "service"); p.User != "svc" || p.Path != "/opt/svc/bin/service" {
		t.Errorf("a home in /opt: %+v", p)
	}
	if p := named(t, list, "else"); p.Path != "/usr/local/bin/else" {
		t.Errorf("%+v", p)
	}
}

func TestFilesHashAndGoVersionAreKept(t *testing.T) {
	img := homeImage(t)
	img.elf("home/ana/bin/tool")
	cache := t.TempDir()
	look := func(hash bool) inventory.Program {
		t.Helper()
		var part inventory.Snapshot
		if _, err := Files(FilesOptions{}).Collect(context.Background(), &probe.Env{Root: img.dir, Now: testNow, CacheDir: cache, Hash: hash}, &part); err != nil {
			t.Fatal(err)
		}
		return named(t, part.Software, "tool")
	}
	if p := look(false); p.SHA256 != "" {
		t.Errorf("hash without being asked: %+v", p)
	}
	first := look(true)
	if len(first.SHA256) != 64 {
		t.Fatalf("%+v", first)
	}
	if again := look(true); again.SHA256 != first.SHA256 {
		t.Errorf("from the cache: %+v", again)
	}
	img.write("home/ana/bin/tool", script, 0o755)
	if changed := look(true); changed.SHA256 == first.SHA256 || changed.SHA256 == "" {
		t.Errorf("after a change: %+v", changed)
	}
}

func TestFilesGoBuildInfo(t *testing.T) {
	img := homeImage(t)
	img.copyOf("/proc/self/exe", "home/ana/bin/gotest", 0o755) // this test is a Go program
	if p := named(t, img.collect(Files(FilesOptions{})), "gotest"); p.Arch == "" || strings.HasPrefix(p.Version, "v") {
		t.Errorf("%+v", p)
	}
}

// TestFilesBlockedHome has one home hang in a listing, as a dead network file system
// does; the others are searched all the same, and the answer says which it was.
func TestFilesBlockedHome(t *testing.T) {
	img := homeImage(t)
	img.elf("home/ana/bin/tool")
	img.elf("home/blocked/bin/tool2")
	img.elf("home/zoe/bin/tool3")
	release := make(chan struct{})
	defer close(release)
	o := FilesOptions{Wall: 300 * time.Millisecond, readDir: func(root *rootfs.FS, name string) ([]fs.DirEntry, error) {
		if strings.HasPrefix(name, "/home/blocked") {
			<-release
		}
		return root.ReadDir(name)
	}}
	began := time.Now()
	list, err := img.tryCollect(Files(o))
	if err == nil || !strings.Contains(err.Error(), "/home/blocked did not answer in time") || errors.Is(err, probe.ErrAbsent) {
		t.Errorf("%v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	wantNames(t, list, "tool", "tool3")
}

func TestFilesBudget(t *testing.T) {
	img := homeImage(t)
	for i := range 50 {
		img.write(fmt.Sprintf("home/ana/d%02d/x.txt", i), "")
	}
	img.elf("home/ana/bin/tool")
	if _, err := img.tryCollect(Files(FilesOptions{Folders: 20})); !errors.Is(err, errBudget) {
		t.Errorf("too many folders: %v", err)
	}
	for i := range 50 {
		img.write(fmt.Sprintf("home/ana/bin/f%02d", i), "")
	}
	if _, err := img.tryCollect(Files(FilesOptions{Files: 20})); !errors.Is(err, errBudget) {
		t.Errorf("too many files: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var part inventory.Snapshot
	if _, err := Files(FilesOptions{}).Collect(ctx, &probe.Env{Root: img.dir}, &part); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	deep := "home/ana" + strings.Repeat("/d", 40) + "/tool"
	img.elf(deep)
	wantNames(t, img.collect(Files(FilesOptions{})), "tool")
}

func TestSplitName(t *testing.T) {
	for in, want := range map[string][2]string{
		"Foo-1.2.3-x86_64.AppImage": {"Foo", "1.2.3"}, "Foo_1.2.3_amd64.AppImage": {"Foo", "1.2.3"}, "Foo-x86_64.AppImage": {"Foo", ""},
		"jdk-21.0.2": {"jdk", "21.0.2"}, "node-v20.11.1-linux-x64": {"node", "20.11.1"}, "tool-2": {"tool", "2"},
		"python3.11": {"python3.11", ""}, "7z": {"7z", ""}, "x86_64-linux-gnu-gcc": {"x86_64-linux-gnu-gcc", ""}, "foo-2-bar": {"foo-2-bar", ""},
		"app-1.0-rc1": {"app", "1.0"}, "tool-linux-amd64": {"tool-linux-amd64", ""}, "1.2.3": {"1.2.3", ""}, "": {"", ""}, "---": {"---", ""}, ".AppImage": {".AppImage", ""}, "--.AppImage": {"--.AppImage", ""},
	} {
		if name, version := SplitName(in); name != want[0] || version != want[1] {
			t.Errorf("%q: %q, %q; want %q", in, name, version, want)
		}
	}
}

func FuzzSplitName(f *testing.F) {
	f.Add("Foo-1.2.3-x86_64.AppImage")
	f.Fuzz(func(t *testing.T, s string) {
		if name, version := SplitName(s); len(name) > len(s)+8 || len(version) > len(s) {
			t.Errorf("%q: %q, %q", s, name, version)
		}
	})
}
