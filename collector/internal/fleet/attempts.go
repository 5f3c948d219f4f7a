package fleet

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of failed enrollments, so that guessing costs the database nothing.
const (
	maxFailures   = 10                     // failures of one address in a row before it has to wait
	failureRefill = 6 * time.Second        // one more attempt per
	maxAddresses  = 8192                   // addresses remembered; the oldest go first
	tokenRefresh  = 250 * time.Millisecond // the list of tokens is read again at most this often
)

// attempts counts failures per address: a bucket that empties with each failure and
// fills with time. It is bounded.
type attempts struct {
	mu sync.Mutex
	by map[string]bucket
}

type bucket struct {
	spent float64
	at    time.Time
}

func newAttempts() *attempts { return &attempts{by: make(map[string]bucket)} }

// wait returns how long the address must wait before it may fail again; 0 when it may.
func (a *attempts) wait(address string, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	over := a.by[source(address)].left(now) - (maxFailures - 1)
	if over <= 0 {
		return 0
	}
	return time.Duration(over * float64(failureRefill))
}

// fail counts one failure.
func (a *attempts) fail(address string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := source(address)
	if _, ok := a.by[key]; !ok && len(a.by) >= maxAddresses {
		a.shrink(now)
	}
	a.by[key] = bucket{spent: a.by[key].left(now) + 1, at: now}
}

// shrink forgets who has recovered, and when nobody has, half of all.
func (a *attempts) shrink(now time.Time) {
	for k, b := range a.by {
		if b.left(now) == 0 {
			delete(a.by, k)
		}
	}
	for k := range a.by {
		if len(a.by) <= maxAddresses/2 {
			return
		}
		delete(a.by, k)
	}
}

func (b bucket) left(now time.Time) float64 {
	return max(0, b.spent-float64(now.Sub(b.at))/float64(failureRefill))
}

// source is the address without its port; of IPv6 the /64, which one host may own whole.
func source(address string) string {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}
	return p.String()
}

// knownTokens remembers which secrets exist, so that a wrong one is refused without a
// look into the database of its own: all wrong ones together cost one reading of the
// list per tokenRefresh.
type knownTokens struct {
	store TokenStore
	now   func() time.Time

	mu     sync.Mutex // guards hashes
	hashes map[[32]byte]struct{}

	reading sync.Mutex   // held by the one who reads
	readAt  time.Time    // start of the last reading; guarded by reading
	started atomic.Int64 // readings begun
}

func newKnownTokens(store TokenStore, now func() time.Time) *knownTokens {
	return &knownTokens{store: store, now: now, hashes: make(map[[32]byte]struct{})}
}

func (k *knownTokens) has(hash [32]byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.hashes[hash]
	return ok
}

func (k *knownTokens) add(hash [32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hashes[hash] = struct{}{}
}

// find reports whether the secret exists, reading the list again when it is not known
// yet and waiting for its turn to do so.
func (k *knownTokens) find(ctx context.Context, hash [32]byte) (bool, error) {
	if k.has(hash) {
		return true, nil
	}
	asked := k.started.Load()
	k.reading.Lock()
	defer k.reading.Unlock()
	if k.started.Load() > asked { // somebody read while this one waited
		return k.has(hash), nil
	}
	if pause := tokenRefresh - k.now().Sub(k.readAt); pause > 0 {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	k.readAt = k.now()
	k.started.Add(1)
	list, err := k.store.Tokens(ctx)
	if err != nil {
		return false, err
	}
	hashes := make(map[[32]byte]struct{}, len(list))
	for _, t := range list {
		hashes[t.SecretHash] = struct{}{}
	}
	k.mu.Lock()
	k.hashes = hashes
	k.mu.Unlock()
	return k.has(hash), nil
}
