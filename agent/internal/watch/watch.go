// Package watch owns noticing that something was installed or removed: it watches the
// files, folders and registry keys that probes name and tells, a moment later, which sources to ask
// again. It refuses to look at what changed, to run a probe, and to poll, except for
// folders that the system will not watch. While nothing changes it sleeps.
package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path"
	"runtime"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"vigia/agent/internal/probe"
)

// Options are the knobs of a Watcher. Zero values take the defaults.
type Options struct {
	Root  string        // folder taken as "/"; default "/"
	Quiet time.Duration // how long nothing may change before a wake; default 500 ms
	Most  time.Duration // the longest wait while changes go on; default 2 s
	Poll  time.Duration // how often folders are looked at that cannot be watched; default 60 s
	Log   *slog.Logger  // default: nowhere
	// Ready, where given, is called once, when every source is watched: what is read after
	// that misses no change.
	Ready func()

	newNotifier func() (notifier, error) // fsnotify, but for tests
	newKeys     func(map[string][]string, *slog.Logger) (keyNotifier, error)
}

// Watcher watches for a fixed list of probes.
type Watcher struct {
	opts    Options
	globs   map[string][]string // by source
	keys    map[string][]string // of the registry, by source
	sources []string            // with globs
}

// New returns a Watcher for the probes that name something to watch.
func New(probes []probe.Probe, o Options) *Watcher {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.Quiet <= 0 {
		o.Quiet = 500 * time.Millisecond
	}
	if o.Most <= 0 {
		o.Most = 2 * time.Second
	}
	if o.Poll <= 0 {
		o.Poll = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.newNotifier == nil {
		o.newNotifier = newFSNotify
	}
	if o.newKeys == nil {
		o.newKeys = newKeys
	}
	w := &Watcher{opts: o, globs: make(map[string][]string), keys: make(map[string][]string)}
	for _, p := range probes {
		for _, glob := range p.Watch {
			if runtime.GOOS != "windows" || hasVolume(glob) { // the others are of Unix
				w.globs[p.Source] = append(w.globs[p.Source], glob)
			}
		}
		if len(p.Registry) > 0 {
			w.keys[p.Source] = append(w.keys[p.Source], p.Registry...)
		}
	}
	w.sources = slices.Sorted(maps.Keys(w.globs))
	return w
}

// Run watches until ctx ends, and returns nil then. It calls wake with the sources
// concerned, sorted, from one goroutine; wake must return soon. Changes of one burst
// are told together. Where a folder cannot be watched, or nothing can, Run logs it once
// and looks every Poll instead. It fails only on a pattern that is wrong.
func (w *Watcher) Run(ctx context.Context, wake func(sources []string)) error {
	for source, globs := range w.globs {
		for _, g := range globs {
			if _, err := path.Match(g, ""); err != nil || !path.IsAbs(g) {
				return fmt.Errorf("source %s watches %q, which is no absolute pattern: %w", source, g, cmp.Or(err, path.ErrBadPattern))
			}
		}
	}
	l := &loop{
		w: w, wake: wake, plans: make(map[string]plan), watched: make(map[string]bool), polled: make(map[string]string),
		planning: make(map[string]bool), again: make(map[string]bool), results: make(chan planned, len(w.sources)),
		dirty: make(map[string]bool),
	}
	n, err := w.opts.newNotifier()
	if err != nil {
		w.opts.Log.Warn("the system offers no more watches; changes are looked for instead", "every", w.opts.Poll, "error", err)
		n = deafNotifier{}
	}
	l.notifier = n
	defer n.Close()
	if l.keys, err = w.opts.newKeys(w.keys, w.opts.Log); err != nil {
		return err
	}
	defer l.keys.Close()
	return l.run(ctx)
}

// notifier is what the loop needs of fsnotify.
type notifier interface {
	Add(dir string) error
	Remove(dir string) error
	Events() <-chan fsnotify.Event
	Errors() <-chan error
	Close() error
}

type fsNotify struct{ w *fsnotify.Watcher }

func newFSNotify() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return fsNotify{w}, nil
}

func (f fsNotify) Add(dir string) error          { return f.w.Add(dir) }
func (f fsNotify) Remove(dir string) error       { return f.w.Remove(dir) }
func (f fsNotify) Events() <-chan fsnotify.Event { return f.w.Events }
func (f fsNotify) Errors() <-chan error          { return f.w.Errors }
func (f fsNotify) Close() error                  { return f.w.Close() }

var errDeaf = errors.New("no watches available")

// deafNotifier stands in where the system gives no notifier: all is polled.
type deafNotifier struct{}

func (deafNotifier) Add(string) error              { return errDeaf }
func (deafNotifier) Remove(string) error           { return nil }
func (deafNotifier) Events() <-chan fsnotify.Event { return nil }
func (deafNotifier) Errors() <-chan error          { return nil }
func (deafNotifier) Close() error                  { return nil }
