package watch

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const (
	maxWait   = 60               // keys one thread waits for: Windows allows 64
	lookUsers = 10 * time.Second // how often is looked who signed in, in case no notice came
)

// watchedKey is one key with a notice outstanding.
type watchedKey struct {
	key     registry.Key
	event   windows.Handle
	whole   bool // the key itself and all below; else an ancestor of one that is not there yet
	sources []string
}

// keys watches registry keys with RegNotifyChangeKeyValue. All notices are asked for by
// one thread, which must live as long as they do.
type keys struct {
	patterns map[string][]keyPattern // by source
	log      *slog.Logger
	events   chan string
	stop     chan struct{}
	done     chan struct{}

	watched map[string]*watchedKey // by name with its root
	users   []string
}

func newKeys(patterns map[string][]string, log *slog.Logger) (keyNotifier, error) {
	if len(patterns) == 0 {
		return noKeys{}, nil
	}
	k := &keys{patterns: map[string][]keyPattern{}, log: log, events: make(chan string), stop: make(chan struct{}),
		done: make(chan struct{}), watched: map[string]*watchedKey{}}
	for source, list := range patterns {
		for _, text := range list {
			p, ok := parseKeyPattern(text)
			if !ok {
				return nil, fmt.Errorf("source %s watches %q, which is no key of a registry", source, text)
			}
			k.patterns[source] = append(k.patterns[source], p)
		}
	}
	ready := make(chan struct{})
	go k.run(ready)
	<-ready
	return k, nil
}

func (k *keys) Events() <-chan string { return k.events }

func (k *keys) Close() error {
	close(k.stop)
	<-k.done
	return nil
}

// run plans, waits and tells until Close.
func (k *keys) run(ready chan<- struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(k.done)
	defer func() {
		for name := range k.watched {
			k.drop(name)
		}
	}()
	k.plan()
	close(ready)
	for {
		fired, ok := k.wait()
		if !ok {
			return
		}
		again := false
		told := map[string]bool{}
		for _, name := range fired {
			w := k.watched[name]
			for _, s := range w.sources {
				told[s] = told[s] || w.whole
			}
			if !w.whole || k.arm(w) != nil { // something was made on the way, or the key is gone
				k.drop(name)
				again = true
			}
		}
		if again || !slices.Equal(k.users, listUsers()) {
			for s := range k.plan() {
				told[s] = true
			}
		}
		for s, tell := range told {
			if !tell {
				continue
			}
			select {
			case k.events <- s:
			case <-k.stop:
				return
			}
		}
	}
}

func listUsers() []string {
	names, err := registry.USERS.ReadSubKeyNames(-1)
	if err != nil {
		return nil
	}
	slices.Sort(names)
	return names
}

// plan watches what is named now and not watched yet. It returns the sources for which
// a key came or went.
func (k *keys) plan() map[string]bool {
	changed := map[string]bool{}
	k.users = listUsers()
	wanted := map[string][]string{`HKU\`: nil}
	for source, list := range k.patterns {
		for _, p := range list {
			for _, path := range p.expand(k.users) {
				name := `HKLM\` + path
				if p.users {
					name = `HKU\` + path
				}
				name = existing(name)
				wanted[name] = append(wanted[name], source)
			}
		}
	}
	for name, w := range k.watched {
		if _, ok := wanted[name]; !ok {
			for _, s := range w.sources {
				changed[s] = true
			}
			k.drop(name)
		}
	}
	for name, sources := range wanted {
		if w, ok := k.watched[name]; ok {
			w.sources = sources
			continue
		}
		if err := k.add(name, sources); err != nil {
			k.log.Debug("a registry key cannot be watched", "key", name, "error", err)
			continue
		}
		for _, s := range sources {
			changed[s] = true
		}
	}
	return changed
}

// ancestor marks a name whose key is not there: what stands before it is the nearest
// one that is.
const ancestor = "\x00"

// existing returns name, or its nearest ancestor that is there, marked.
func existing(name string) string {
	for at, mark := name, ""; ; mark = ancestor {
		if key, err := openKey(at); err == nil {
			key.Close()
			return at + mark
		}
		i := strings.LastIndexByte(strings.TrimSuffix(at, `\`), '\\')
		if i < 0 {
			return at + mark
		}
		at = at[:i]
		if !strings.Contains(at, `\`) {
			return at + `\` + ancestor
		}
	}
}

func openKey(name string) (registry.Key, error) {
	root, path, _ := strings.Cut(strings.TrimSuffix(name, ancestor), `\`)
	top := registry.LOCAL_MACHINE
	if root == "HKU" {
		top = registry.USERS
	}
	return registry.OpenKey(top, path, registry.NOTIFY|registry.QUERY_VALUE|registry.WOW64_64KEY)
}

func (k *keys) add(name string, sources []string) error {
	key, err := openKey(name)
	if err != nil {
		return err
	}
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return errors.Join(err, key.Close())
	}
	w := &watchedKey{key: key, event: event, whole: !strings.HasSuffix(name, ancestor) && name != `HKU\`, sources: sources}
	k.watched[name] = w
	if err := k.arm(w); err != nil {
		k.drop(name)
		return err
	}
	return nil
}

// arm asks for the next notice.
func (k *keys) arm(w *watchedKey) error {
	filter := uint32(windows.REG_NOTIFY_CHANGE_NAME)
	if w.whole {
		filter |= windows.REG_NOTIFY_CHANGE_LAST_SET
	}
	return windows.RegNotifyChangeKeyValue(windows.Handle(w.key), w.whole, filter, w.event, true)
}

func (k *keys) drop(name string) {
	w := k.watched[name]
	delete(k.watched, name)
	w.key.Close()
	_ = windows.CloseHandle(w.event)
}

// wait returns the names of keys that changed; none when it is time to look who signed
// in. ok is false when it is over.
func (k *keys) wait() (fired []string, ok bool) {
	names := make([]string, 0, len(k.watched))
	for name := range k.watched {
		names = append(names, name)
	}
	slices.Sort(names)
	wake, err := windows.CreateEvent(nil, 1, 0, nil) // ends the other threads' waiting
	if err != nil {
		k.log.Error("registry keys are not watched any more", "error", err)
		<-k.stop
		return nil, false
	}
	defer windows.CloseHandle(wake)
	results := make(chan string, len(names)+1)
	var threads sync.WaitGroup
	for group := range slices.Chunk(names, maxWait) {
		handles := []windows.Handle{wake}
		for _, name := range group {
			handles = append(handles, k.watched[name].event)
		}
		threads.Add(1)
		go func() {
			defer threads.Done()
			defer windows.SetEvent(wake)
			at, err := windows.WaitForMultipleObjects(handles, false, uint32(lookUsers.Milliseconds()))
			if i := int(at) - windows.WAIT_OBJECT_0; err == nil && i > 0 && i <= len(group) {
				results <- group[i-1]
			}
		}()
	}
	over := make(chan struct{})
	go func() {
		select {
		case <-k.stop:
			_ = windows.SetEvent(wake)
		case <-over:
		}
	}()
	threads.Wait()
	close(over)
	close(results)
	select {
	case <-k.stop:
		return nil, false
	default:
	}
	for name := range results {
		fired = append(fired, name)
	}
	return fired, true
}
