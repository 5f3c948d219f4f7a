package allowlist

import (
	"context"
	"time"

	"vigia/collector/internal/authorization"
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

// Uses tells what every rule covers. It counts beside, at most every two minutes, and
// waits no longer than a moment: nil means that the count is still being made. A count
// of an older version is given while that of the newest is made.
func (s *Service) Uses(ctx context.Context) (*Uses, error) {
	return counting(ctx, s, &s.uses, func(ctx context.Context, a authorization.Allowlist, at time.Time) (*Uses, error) {
		by, err := s.cfg.Findings.Covers(ctx, a, func(rule string) string { return rule })
		delete(by, policy.BaselineRule)
		return &Uses{At: at, Version: a.Version, ByRule: by}, err
	})
}

// Proposals is what learn mode would propose, as it was counted at a time.
type Proposals struct {
	At   time.Time
	List []policy.Proposal
}

// ProposalsSoon is Proposals as Uses does it: counted beside, nil while the first count
// is being made.
func (s *Service) ProposalsSoon(ctx context.Context) (*Proposals, error) {
	return counting(ctx, s, &s.proposals, func(ctx context.Context, a authorization.Allowlist, at time.Time) (*Proposals, error) {
		seen, err := s.cfg.Findings.Unauthorized(ctx, a)
		return &Proposals{At: at, List: policy.Propose(seen)}, err
	})
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
