package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// loop is one run of a Watcher; all but makePlan happens in its goroutine.
type loop struct {
	w        *Watcher
	wake     func([]string)
	notifier notifier
	keys     keyNotifier

	plans    map[string]plan
	watched  map[string]bool
	polled   map[string]string // folders that could not be watched
	planning map[string]bool   // sources with a plan in the making
	again    map[string]bool   // sources that need another plan after that
	results  chan planned

	dirty map[string]bool
	since time.Time   // of the first change of this burst
	flush *time.Timer // runs while something is dirty
	told  bool        // that some folders are polled
	ready bool        // every source was watched once
}

func (l *loop) run(ctx context.Context) error {
	l.flush = time.NewTimer(time.Hour)
	l.flush.Stop()
	defer l.flush.Stop()
	poll := time.NewTimer(time.Hour)
	poll.Stop()
	defer poll.Stop()
	for _, s := range l.w.sources {
		l.replan(s)
	}
	polling := false
	for {
		l.tellReady()
		if need := len(l.polled) > 0; need != polling {
			if polling = need; need {
				poll.Reset(l.w.opts.Poll)
			} else {
				poll.Stop()
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case r := <-l.results:
			l.install(r)
		case e := <-l.notifier.Events():
			l.event(e)
		case s := <-l.keys.Events():
			l.mark(s)
		case err := <-l.notifier.Errors():
			l.lost(err)
		case <-l.flush.C:
			l.tell()
		case <-poll.C:
			polling = false
			l.look()
		}
	}
}

func (l *loop) tellReady() {
	if !l.ready && len(l.plans) == len(l.w.sources) {
		l.ready = true
		if l.w.opts.Ready != nil {
			l.w.opts.Ready()
		}
	}
}

// replan makes a new plan for a source in the background. One that hangs holds up
// nothing but itself.
func (l *loop) replan(source string) {
	if l.planning[source] {
		l.again[source] = true
		return
	}
	l.planning[source] = true
	globs, root := l.w.globs[source], l.w.opts.Root
	go func() { l.results <- planned{source, makePlan(root, globs)} }()
}

// install watches what a new plan names. Where it differs from the one before, its
// source is asked again: something may have happened before the watch was there.
func (l *loop) install(r planned) {
	delete(l.planning, r.source)
	before, had := l.plans[r.source]
	l.plans[r.source] = r.plan
	changed := false
	for dir := range r.plan {
		_, was := before[dir]
		if !l.watched[dir] {
			l.watch(dir)
			was = was && !l.watched[dir] // a folder made anew is a change too
		}
		changed = changed || !was
	}
	for dir := range before {
		if _, ok := r.plan[dir]; !ok {
			l.unwatch(dir)
			changed = true
		}
	}
	if had && changed {
		l.mark(r.source)
	}
	if l.again[r.source] {
		delete(l.again, r.source)
		l.replan(r.source)
	}
}

func (l *loop) watch(dir string) {
	err := l.notifier.Add(dir)
	if err == nil {
		l.watched[dir] = true
		delete(l.polled, dir)
		return
	}
	if _, ok := l.polled[dir]; !ok {
		l.polled[dir] = l.signature(dir)
	}
	if !l.told && !errors.Is(err, os.ErrNotExist) {
		l.told = true
		l.w.opts.Log.Warn("a folder cannot be watched; it is looked at instead (raise fs.inotify.max_user_watches)",
			"folder", dir, "every", l.w.opts.Poll, "error", err)
	}
}

// unwatch lets a folder go that no plan names any more.
func (l *loop) unwatch(dir string) {
	for _, p := range l.plans {
		if _, ok := p[dir]; ok {
			return
		}
	}
	delete(l.polled, dir)
	if l.watched[dir] {
		delete(l.watched, dir)
		if err := l.notifier.Remove(dir); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
			l.w.opts.Log.Debug("letting go of a watch", "folder", dir, "error", err)
		}
	}
}

// event judges one change.
func (l *loop) event(e fsnotify.Event) {
	name := filepath.Clean(e.Name)
	dir, base := filepath.Dir(name), filepath.Base(name)
	gone := e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
	self := gone && l.watched[name]
	if self { // the kernel's watch is on the folder itself, and went with it or lost its name
		if err := l.notifier.Remove(name); err != nil && !errors.Is(err, fsnotify.ErrNonExistentWatch) {
			l.w.opts.Log.Debug("letting go of a watch", "folder", name, "error", err)
		}
		delete(l.watched, name)
	}
	for source, p := range l.plans {
		if _, ok := p[name]; ok && self {
			l.mark(source)
			l.replan(source)
		}
		for _, r := range p[dir] {
			if !matches(r.pattern, base) {
				continue
			}
			if !r.leaf {
				if e.Has(fsnotify.Create) || gone {
					l.replan(source)
				}
			} else if matters(e, r.pattern, name) {
				l.mark(source)
			}
		}
	}
}

// matters reports whether a change is worth asking again. Folders watched for whatever
// lands in them ("*") hold people's documents as well: there only what can be a program
// counts, that is folders, links and files with an execute bit, and whatever went away.
func matters(e fsnotify.Event, pattern, name string) bool {
	if pattern != "*" {
		return true
	}
	info, err := os.Lstat(name)
	if err != nil {
		return !e.Has(fsnotify.Write)
	}
	if info.IsDir() && e.Op == fsnotify.Write { // Windows: something happened in it, which is not looked at
		return false
	}
	return !info.Mode().IsRegular() || info.Mode()&0o111 != 0
}

// lost handles the notifier's errors: after an overflow nobody knows what changed.
func (l *loop) lost(err error) {
	l.w.opts.Log.Warn("changes may have been missed; every source is asked again", "error", err)
	for _, s := range l.w.sources {
		l.mark(s)
		l.replan(s)
	}
}

// look polls what could not be watched, and tries to watch it again.
func (l *loop) look() {
	for dir, was := range l.polled {
		now := l.signature(dir)
		l.polled[dir] = now
		for source, p := range l.plans {
			if _, ok := p[dir]; ok && now != was {
				l.mark(source)
				l.replan(source)
			}
		}
		l.watch(dir)
	}
}

// mark notes that a source is to be asked, Quiet after the last change of a burst and
// Most after its first.
func (l *loop) mark(source string) {
	now := time.Now()
	if len(l.dirty) == 0 {
		l.since = now
	}
	l.dirty[source] = true
	l.flush.Reset(max(0, min(l.w.opts.Quiet, l.w.opts.Most-now.Sub(l.since))))
}

func (l *loop) tell() {
	if len(l.dirty) == 0 {
		return
	}
	sources := slices.Sorted(maps.Keys(l.dirty))
	clear(l.dirty)
	l.wake(sources)
}

// signature changes when something comes to a folder or leaves it, and when a file
// changes that a plan names there.
func (l *loop) signature(dir string) string {
	var b strings.Builder
	look := func(name string) {
		if info, err := os.Stat(name); err == nil {
			fmt.Fprintf(&b, "%d %d %v\n", info.ModTime().UnixNano(), info.Size(), info.Mode())
		} else {
			b.WriteString("none\n")
		}
	}
	look(dir)
	for _, source := range l.w.sources {
		for _, r := range l.plans[source][dir] {
			if r.leaf && !wild(r.pattern) {
				look(filepath.Join(dir, r.pattern))
			}
		}
	}
	return b.String()
}
