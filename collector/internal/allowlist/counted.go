package allowlist

import (
	"context"
	"sync"
	"time"

	"vigia/collector/internal/authorization"
)

// countLife is how old a count may be before it is made again.
const countLife = 2 * time.Minute

// countWait is how long a caller waits for a count that is being made.
const countWait = 150 * time.Millisecond

// countDeadline bounds one count.
const countDeadline = 2 * time.Minute

// counted is the newest count of something that is costly, and whether one is being made.
type counted[T any] struct {
	mu      sync.Mutex
	have    *T
	version int64 // of the allowlist that it was counted of
	at      time.Time
	doing   chan struct{} // closed when the running count ends; nil when none runs
}

// counting returns the newest count and has one made where that is too old.
func counting[T any](ctx context.Context, s *Service, u *counted[T], count func(ctx context.Context, a authorization.Allowlist, at time.Time) (*T, error)) (*T, error) {
	a, err := s.Current(ctx)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	if u.have != nil && u.version == a.Version && s.cfg.Now().Sub(u.at) < countLife {
		defer u.mu.Unlock()
		return u.have, nil
	}
	if u.doing == nil {
		u.doing = make(chan struct{})
		go u.count(context.WithoutCancel(ctx), s, count, u.doing)
	}
	doing := u.doing
	u.mu.Unlock()
	wait := time.NewTimer(countWait)
	defer wait.Stop()
	select {
	case <-doing:
	case <-wait.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.have, nil
}

// count makes one count; a failed one leaves the older standing.
func (u *counted[T]) count(ctx context.Context, s *Service, count func(ctx context.Context, a authorization.Allowlist, at time.Time) (*T, error), done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, countDeadline)
	defer cancel()
	var made *T
	at := s.cfg.Now().UTC()
	a, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err == nil {
		made, err = count(ctx, a, at)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err == nil {
		u.have, u.version, u.at = made, a.Version, at
	}
	u.doing = nil
	close(done)
}
