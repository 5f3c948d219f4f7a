package app

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// wish is what the next inventory is to be: a whole one where a cause is given, else
// one of the sources.
type wish struct {
	cause   string
	sources []string
	waiting []chan error
}

// answer tells those who wait for this inventory how it went.
func (w wish) answer(err error) {
	for _, c := range w.waiting {
		c <- err
	}
}

// wishes gathers what is asked of the inventory loop while it is busy. It is safe for
// concurrent use.
type wishes struct {
	some  chan struct{} // receives when there is a wish
	ready chan struct{} // closed when the watches are set

	mu      sync.Mutex
	cause   string
	names   map[string]bool
	waiting []chan error
	watched bool
}

func newWishes() *wishes {
	return &wishes{some: make(chan struct{}, 1), ready: make(chan struct{}), names: make(map[string]bool)}
}

func (w *wishes) add(f func()) {
	w.mu.Lock()
	f()
	w.mu.Unlock()
	select {
	case w.some <- struct{}{}:
	default:
	}
}

// whole wishes for a whole inventory. The first cause of several stays.
func (w *wishes) whole(cause string) {
	w.add(func() {
		if w.cause == "" {
			w.cause = cause
		}
	})
}

// wholeAndWait wishes for a whole inventory and returns when it was taken.
func (w *wishes) wholeAndWait(ctx context.Context, cause string) error {
	done := make(chan error, 1)
	w.add(func() {
		if w.cause == "" {
			w.cause = cause
		}
		w.waiting = append(w.waiting, done)
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sources wishes for some sources to be asked again.
func (w *wishes) sources(names []string) {
	w.add(func() {
		for _, n := range names {
			w.names[n] = true
		}
	})
}

// take returns what was wished for since, and forgets it.
func (w *wishes) take() wish {
	w.mu.Lock()
	defer w.mu.Unlock()
	next := wish{cause: w.cause, sources: slices.Sorted(maps.Keys(w.names)), waiting: w.waiting}
	w.cause, w.waiting = "", nil
	clear(w.names)
	return next
}

// watching tells that the watches are set.
func (w *wishes) watching() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.watched {
		w.watched = true
		close(w.ready)
	}
}

// awaitWatching returns when the watches are set, or after a time.
func (w *wishes) awaitWatching(ctx context.Context, most time.Duration) {
	limit := time.NewTimer(most)
	defer limit.Stop()
	select {
	case <-w.ready:
	case <-limit.C:
	case <-ctx.Done():
	}
}
