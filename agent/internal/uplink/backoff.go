package uplink

import (
	"context"
	"time"
)

// Bounds of the waits between connections.
const (
	backoffBase = time.Second
	backoffCap  = 5 * time.Minute
	stableAfter = time.Minute // a connection that lived so long begins the count anew
	laterCap    = time.Hour
	laterSpread = 3 * time.Second // over which agents that were sent away together come back, at least
)

// backoff counts failures. Its waits are exponential with full jitter: uniform between
// nothing and the bound, so that many agents never come back together.
type backoff struct {
	failures int
	random   func() float64 // uniform in [0, 1)
}

func (b *backoff) next() time.Duration {
	limit := backoffCap
	if b.failures < 20 {
		limit = min(backoffCap, backoffBase<<b.failures)
	}
	b.failures++
	return time.Duration(b.random() * float64(limit))
}

func (b *backoff) reset() { b.failures = 0 }

// later turns a collector's wish into a wait: at least what it asked for, and up to
// half as much again or laterSpread, whichever is more.
func later(ms uint32, random float64) time.Duration {
	d := min(max(time.Duration(ms)*time.Millisecond, backoffBase), laterCap)
	return d + time.Duration(random*float64(max(d/2, laterSpread)))
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
