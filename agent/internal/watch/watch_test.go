package watch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"vigia/agent/internal/probe"
)

const patience = 20 * time.Second // how long a test waits for what must come

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// running is a watcher at work on a folder of its own.
type running struct {
	t     *testing.T
	root  string
	wakes chan []string
}

func (r *running) path(name string) string { return filepath.Join(r.root, name) }

func (r *running) mkdir(name string) { r.t.Helper(); must(r.t, os.MkdirAll(r.path(name), 0o755)) }

func (r *running) write(name string, mode os.FileMode) {
	r.t.Helper()
	must(r.t, os.WriteFile(r.path(name), []byte("x"), mode))
}

// next waits for the wake of source.
func (r *running) next(source string) time.Time {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case s := <-r.wakes:
			if slices.Contains(s, source) {
				return time.Now()
			}
		case <-deadline:
			r.t.Fatalf("no wake of %s", source)
		}
	}
}

// quiet fails if a wake comes before the sentinel's, which is caused after what must
// not wake: events keep their order.
func (r *running) quiet(what string) {
	r.t.Helper()
	r.write("sentinel/file", 0o644)
	select {
	case s := <-r.wakes:
		if !slices.Equal(s, []string{"sentinel"}) {
			r.t.Errorf("%s woke %v", what, s)
		}
	case <-time.After(patience):
		r.t.Fatal("no wake of the sentinel")
	}
	must(r.t, os.Remove(r.path("sentinel/file")))
	r.next("sentinel")
}

// start runs a watcher of probes and waits until it is at work.
func start(t *testing.T, root string, o Options, globs map[string][]string) *running {
	t.Helper()
	r := &running{t: t, root: root, wakes: make(chan []string, 100)}
	r.mkdir("sentinel")
	probes := []probe.Probe{{Source: "sentinel", Watch: []string{"/sentinel/file"}}, {Source: "blind"}}
	for source, g := range globs {
		probes = append(probes, probe.Probe{Source: source, Watch: g})
	}
	o.Root = root
	if o.Quiet == 0 {
		o.Quiet = 30 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- New(probes, o).Run(ctx, func(s []string) { r.wakes <- s }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	for i := 0; ; i++ { // the first plans are made in the background
		must(t, os.RemoveAll(r.path("sentinel/file")))
		r.write("sentinel/file", 0o644)
		select {
		case <-r.wakes:
			must(t, os.Remove(r.path("sentinel/file")))
			r.next("sentinel")
			time.Sleep(50 * time.Millisecond) // the other sources' plans
			return r
		case <-time.After(100 * time.Millisecond):
			if i > 100 {
				t.Fatal("the watcher does not start")
			}
		}
	}
}

func TestReplacedFileWakes(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg"), 0o755))
	must(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	r := start(t, root, Options{}, map[string][]string{"deb": {"/var/lib/dpkg/status"}, "snap": {"/var/lib/snapd/state.json"}})
	for range 3 { // as dpkg does it, again and again
		r.write("var/lib/dpkg/status-new", 0o644)
		must(t, os.Rename(r.path("var/lib/dpkg/status-new"), r.path("var/lib/dpkg/status")))
		r.next("deb")
	}
	r.write("var/lib/dpkg/lock", 0o644)
	r.quiet("a neighbour")
}

func TestFolderThatAppearsGoesAndComesBack(t *testing.T) {
	r := start(t, t.TempDir(), Options{}, map[string][]string{"snap": {"/var/lib/snapd/state.json"}})
	for range 2 {
		r.mkdir("var/lib/snapd")
		r.next("snap")
		r.write("var/lib/snapd/state.json", 0o644)
		r.next("snap")
		must(t, os.RemoveAll(r.path("var/lib/snapd")))
		r.next("snap")
	}
	must(t, os.RemoveAll(r.path("var")))
	r.mkdir("var/lib/snapd")
	r.next("snap")
}

func TestNewHomeIsWatched(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "home/ana/Downloads"), 0o755))
	r := start(t, root, Options{}, map[string][]string{"file": {"/home/*/Downloads/*", "/home/*/.local/bin/*"}})
	r.write("home/ana/Downloads/tool", 0o755)
	r.next("file")
	r.mkdir("home/luis/.local/bin")
	r.next("file")
	r.write("home/luis/.local/bin/tool", 0o755)
	r.next("file")
	r.mkdir("home/ana/.local/bin")
	r.next("file")
	must(t, os.Remove(r.path("home/ana/Downloads/tool")))
	r.next("file")
}

func TestDocumentsDoNotWake(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "home/ana/Downloads"), 0o755))
	r := start(t, root, Options{}, map[string][]string{"file": {"/home/*/Downloads/*"}})
	r.write("home/ana/Downloads/letter.odt", 0o644)
	r.write("home/ana/Downloads/tool.part", 0o644)
	r.quiet("a document")
	must(t, os.Rename(r.path("home/ana/Downloads/tool.part"), r.path("home/ana/Downloads/tool")))
	r.next("file") // something went away
	must(t, os.Chmod(r.path("home/ana/Downloads/tool"), 0o755))
	r.next("file") // something can run
}

func TestBurstIsToldTogetherButNotForever(t *testing.T) {
	r := start(t, t.TempDir(), Options{Quiet: 300 * time.Millisecond, Most: time.Second}, map[string][]string{"deb": {"/sentinel/deb"}})
	stop := time.Now().Add(2500 * time.Millisecond)
	n := 0
	for time.Now().Before(stop) {
		r.write("sentinel/deb", 0o644)
		time.Sleep(20 * time.Millisecond)
		n++
	}
	time.Sleep(400 * time.Millisecond)
	got := len(r.wakes)
	if got < 2 || got > n/4 {
		t.Errorf("%d wakes for %d changes in 2.5 s; want about one each second", got, n)
	}
}

// fakeNotifier refuses some folders and reports what it is told.
type fakeNotifier struct {
	notifier
	refuse func(dir string) error
	errs   chan error
}

func (f *fakeNotifier) Errors() <-chan error { return f.errs }

func (f *fakeNotifier) Add(dir string) error {
	if err := f.refuse(dir); err != nil {
		return err
	}
	return f.notifier.Add(dir)
}

func TestOverflowWakesAll(t *testing.T) {
	fake := &fakeNotifier{refuse: func(string) error { return nil }, errs: make(chan error, 1)}
	o := Options{newNotifier: func() (notifier, error) {
		n, err := newFSNotify()
		fake.notifier = n
		return fake, err
	}}
	r := start(t, t.TempDir(), o, map[string][]string{"deb": {"/none/x"}, "snap": {"/none/y"}})
	fake.errs <- fsnotify.ErrEventOverflow
	select {
	case s := <-r.wakes:
		if !slices.Equal(s, []string{"deb", "sentinel", "snap"}) {
			t.Errorf("woke %v", s)
		}
	case <-time.After(patience):
		t.Fatal("no wake")
	}
}

func TestTooManyWatchesIsPolled(t *testing.T) {
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "opt"), 0o755))
	fake := &fakeNotifier{errs: make(chan error), refuse: func(dir string) error {
		if filepath.Base(dir) == "opt" {
			return &os.PathError{Op: "inotify_add_watch", Path: dir, Err: syscall.ENOSPC}
		}
		return nil
	}}
	o := Options{Poll: 50 * time.Millisecond, newNotifier: func() (notifier, error) {
		n, err := newFSNotify()
		fake.notifier = n
		return fake, err
	}}
	r := start(t, root, o, map[string][]string{"file": {"/opt/*"}})
	r.mkdir("opt/product")
	r.next("file")
	must(t, os.RemoveAll(r.path("opt")))
	r.next("file")
}

func TestNoNotifierAtAllIsPolled(t *testing.T) {
	o := Options{Poll: 20 * time.Millisecond, newNotifier: func() (notifier, error) { return nil, errors.New("too many open files") }}
	r := start(t, t.TempDir(), o, map[string][]string{"deb": {"/var/lib/dpkg/status"}})
	r.mkdir("var/lib/dpkg")
	r.next("deb")
}

func TestBadPatternIsRefused(t *testing.T) {
	for _, glob := range []string{"/opt/[", "relative/path", ""} {
		w := New([]probe.Probe{{Source: "deb", Watch: []string{glob}}}, Options{Root: t.TempDir()})
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := w.Run(ctx, func([]string) {}); err == nil {
			t.Errorf("%q was taken", glob)
		}
		cancel()
	}
}

func TestPlanNamesOnlyWhatIsNeeded(t *testing.T) {
	root := t.TempDir()
	for _, d := range []string{"home/ana/Downloads", "home/luis", "var/lib"} {
		must(t, os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	must(t, os.Symlink("loop", filepath.Join(root, "home/loop")))
	p := makePlan(root, []string{"/home/*/Downloads/*", "/var/lib/dpkg/status"})
	var got []string
	for dir := range p {
		rel, err := filepath.Rel(root, dir)
		must(t, err)
		got = append(got, rel)
	}
	slices.Sort(got)
	if want := []string{"home", "home/ana/Downloads", "home/luis", "var/lib"}; !slices.Equal(got, want) {
		t.Errorf("watches %v, want %v", got, want)
	}
}
