package allowlist

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
)

// Difference is what one version of the allowlist has that another had not.
type Difference struct {
	Mode     [2]authorization.Mode // before and after
	Baseline [2]bool
	Added    []policy.Rule
	Removed  []policy.Rule
	Changed  [][2]policy.Rule // before and after, of one id
}

// Same reports whether there is no difference.
func (d Difference) Same() bool {
	return d.Mode[0] == d.Mode[1] && d.Baseline[0] == d.Baseline[1] && len(d.Added)+len(d.Removed)+len(d.Changed) == 0
}

// Compare tells rules apart by their ids.
func Compare(before, after authorization.Allowlist) Difference {
	d := Difference{Mode: [2]authorization.Mode{before.Mode, after.Mode}, Baseline: [2]bool{before.Baseline, after.Baseline}}
	old := byID(before.Rules)
	for _, r := range after.Rules {
		was, ok := old[r.ID]
		switch {
		case !ok:
			d.Added = append(d.Added, r)
		case !same(was, r):
			d.Changed = append(d.Changed, [2]policy.Rule{was, r})
		}
		delete(old, r.ID)
	}
	for _, r := range before.Rules {
		if _, left := old[r.ID]; left {
			d.Removed = append(d.Removed, r)
		}
	}
	return d
}

func byID(rules []policy.Rule) map[string]policy.Rule {
	m := make(map[string]policy.Rule, len(rules))
	for _, r := range rules {
		m[r.ID] = r
	}
	return m
}

func same(a, b policy.Rule) bool { return reflect.DeepEqual(a, b) }

// Version returns a version and what it changed. NotFound "allowlist.unknown".
func (s *Service) Version(ctx context.Context, version int64) (authorization.Allowlist, Difference, error) {
	if err := see(ctx); err != nil {
		return authorization.Allowlist{}, Difference{}, err
	}
	a, err := s.cfg.Allowlists.AllowlistVersion(ctx, version)
	if err != nil {
		return a, Difference{}, err
	}
	before, err := s.before(ctx, version)
	return a, Compare(before, a), err
}

// before returns the version before one; before the first nothing was allowed or
// denied.
func (s *Service) before(ctx context.Context, version int64) (authorization.Allowlist, error) {
	if version <= 1 {
		return authorization.Allowlist{Mode: authorization.Learn, Baseline: true}, nil
	}
	return s.cfg.Allowlists.AllowlistVersion(ctx, version-1)
}

// TakeBack undoes what one version changed and leaves what came later. Errors as
// Import; NotFound "allowlist.unknown"; Conflict "allowlist.overtaken" when a later
// version changed the same rule or setting again, "allowlist.nothing-to-undo" when the
// version changed nothing.
func (s *Service) TakeBack(ctx context.Context, version int64, opts Options) (Plan, error) {
	current, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return Plan{}, err
	}
	_, d, err := s.Version(ctx, version)
	switch {
	case err != nil:
		return Plan{}, err
	case d.Same():
		return Plan{}, apperr.New(apperr.Conflict, "allowlist.nothing-to-undo", nil)
	}
	next, err := inverse(current, d)
	if err != nil {
		return Plan{}, err
	}
	next.Cause, next.Undoes = fmt.Sprintf("undo of %d", version), version
	for _, c := range d.Changed {
		opts.touched = append(opts.touched, c[0].ID)
	}
	opts.touched = append(opts.touched, ids(d.Removed)...)
	return s.change(ctx, current, next, "allowlist.undo", opts)
}

// inverse is current without what d did.
func inverse(current authorization.Allowlist, d Difference) (authorization.Allowlist, error) {
	next := current
	next.Rules = slices.Clone(current.Rules)
	overtaken := func(what string) (authorization.Allowlist, error) {
		return current, apperr.New(apperr.Conflict, "allowlist.overtaken", apperr.Args{"what": what})
	}
	place := func(r policy.Rule) int {
		return slices.IndexFunc(next.Rules, func(x policy.Rule) bool { return x.ID == r.ID && same(x, r) })
	}
	for _, r := range d.Added {
		i := place(r)
		if i < 0 {
			return overtaken(r.Name)
		}
		next.Rules = slices.Delete(next.Rules, i, i+1)
	}
	for _, c := range d.Changed {
		i := place(c[1])
		if i < 0 {
			return overtaken(c[1].Name)
		}
		next.Rules[i] = c[0]
	}
	for _, r := range d.Removed {
		if indexOf(next.Rules, r.ID) >= 0 || indexOf(next.Rules, r.Name) >= 0 {
			return overtaken(r.Name)
		}
		next.Rules = append(next.Rules, r)
	}
	if d.Mode[0] != d.Mode[1] {
		if current.Mode != d.Mode[1] {
			return overtaken(string(d.Mode[1]))
		}
		next.Mode = d.Mode[0]
	}
	if d.Baseline[0] != d.Baseline[1] {
		if current.Baseline != d.Baseline[1] {
			return overtaken("baseline")
		}
		next.Baseline = d.Baseline[0]
	}
	return next, nil
}

// RuleChange is one version that made a rule what it is.
type RuleChange struct {
	Version authorization.Allowlist // without rules
	Kind    string                  // "added", "changed", "removed"
	Before  policy.Rule             // zero with "added"
	After   policy.Rule             // zero with "removed"
}

// Bounds of RuleHistory.
const (
	maxLookedAt = 200     // versions
	maxRulesIn  = 100_000 // rules in them
)

// RuleHistory tells what the versions did to a rule, newest first, and whether older
// versions were not looked at.
func (s *Service) RuleHistory(ctx context.Context, id string) (changes []RuleChange, more bool, err error) {
	after, err := s.Current(ctx)
	rules := 0
	for n := 0; err == nil && after.Version > 0; n++ {
		if rules += len(after.Rules); n == maxLookedAt || rules > maxRulesIn {
			return changes, true, nil
		}
		var before authorization.Allowlist
		if before, err = s.before(ctx, after.Version); err != nil {
			break
		}
		was, is := byIDOf(before.Rules, id), byIDOf(after.Rules, id)
		version := after
		version.Rules = nil
		switch {
		case was == nil && is != nil:
			changes = append(changes, RuleChange{Version: version, Kind: "added", After: *is})
		case was != nil && is == nil:
			changes = append(changes, RuleChange{Version: version, Kind: "removed", Before: *was})
		case was != nil && !same(*was, *is):
			changes = append(changes, RuleChange{Version: version, Kind: "changed", Before: *was, After: *is})
		}
		after = before
	}
	return changes, false, err
}

func byIDOf(rules []policy.Rule, id string) *policy.Rule {
	if i := slices.IndexFunc(rules, func(r policy.Rule) bool { return r.ID == id }); i >= 0 {
		return &rules[i]
	}
	return nil
}
