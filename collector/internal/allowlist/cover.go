package allowlist

import (
	"context"
	"sync"
	"time"

	"vigia/internal/policy"
)

// MaxNames is how many programs a Cover names.
const MaxNames = 200

// Cover is what rules decide of what is installed: those programs that they match and
// no stronger rule takes.
type Cover struct {
	Programs int           `json:"programs"` // distinct names and sources
	Installs int           `json:"installs"`
	Machines int           `json:"machines"`
	Names    []ProgramUses `json:"names"` // most installed first, at most MaxNames
}

// ProgramUses is one program of a Cover, in all its versions.
type ProgramUses struct {
	Name     string `json:"name"`
	Source   string `json:"source"`
	Installs int    `json:"installs"`
}

// Uses is what every rule in force covers, as it was counted at a time.
type Uses struct {
	At      time.Time
	Version int64            // of the allowlist
	ByRule  map[string]Cover // by the rule's id; a rule that covers nothing is not in it
}

// usesLife is how old a count of uses may be before it is made again.
const usesLife = 2 * time.Minute

// usesWait is how long a caller waits for a count that is being made.
const usesWait = 150 * time.Millisecond

// usesDeadline bounds one count.
const usesDeadline = 2 * time.Minute

// usesCount is the newest count and whether one is being made.
type usesCount struct {
	mu    sync.Mutex
	have  *Uses
	doing chan struct{} // closed when the running count ends; nil when none runs
}

// Uses tells what every rule covers. It counts beside, at most every two minutes, and
// waits no longer than a moment: nil means that the count is still being made. A count
// of an older version is given while that of the newest is made.
func (s *Service) Uses(ctx context.Context) (*Uses, error) {
	a, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return nil, err
	}
	u := &s.uses
	u.mu.Lock()
	if u.have != nil && u.have.Version == a.Version && s.cfg.Now().Sub(u.have.At) < usesLife {
		defer u.mu.Unlock()
		return u.have, nil
	}
	if u.doing == nil {
		u.doing = make(chan struct{})
		go s.countUses(context.WithoutCancel(ctx), u.doing)
	}
	doing := u.doing
	u.mu.Unlock()
	wait := time.NewTimer(usesWait)
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

// countUses makes one count; a failed one leaves the older standing.
func (s *Service) countUses(ctx context.Context, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, usesDeadline)
	defer cancel()
	var made *Uses
	if a, err := s.cfg.Allowlists.CurrentAllowlist(ctx); err == nil {
		at := s.cfg.Now().UTC()
		if by, err := s.cfg.Findings.Covers(ctx, a, func(rule string) string { return rule }); err == nil {
			delete(by, policy.BaselineRule)
			made = &Uses{At: at, Version: a.Version, ByRule: by}
		}
	}
	u := &s.uses
	u.mu.Lock()
	defer u.mu.Unlock()
	if made != nil {
		u.have = made
	}
	u.doing = nil
	close(done)
}

// CoverOf tells what one rule in force covers now, by its id or name.
func (s *Service) CoverOf(ctx context.Context, idOrName string) (Cover, error) {
	r, a, err := s.FindRule(ctx, idOrName)
	if err != nil {
		return Cover{}, err
	}
	by, err := s.cfg.Findings.Covers(ctx, a, only([]string{r.ID}))
	return by[together], err
}

// together is the group of only.
const together = "together"

// only groups the rules with those ids, and leaves the others out.
func only(ids []string) func(rule string) string {
	in := make(map[string]bool, len(ids))
	for _, id := range ids {
		in[id] = true
	}
	return func(rule string) string {
		if in[rule] {
			return together
		}
		return ""
	}
}
