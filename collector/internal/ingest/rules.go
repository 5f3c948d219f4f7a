package ingest

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// policyState is one version of the allowlist at one stretch of time in which no rule
// begins or ceases to be valid. It is immutable.
type policyState struct {
	allowlist authorization.Allowlist
	compiled  *policy.Compiled
	at        time.Time // verdicts hold from here
	until     time.Time // to here, exclusive; zero = for ever
}

// opens reports whether verdicts open findings at all.
func (p *policyState) opens() bool { return p.allowlist.Mode != authorization.Learn }

// enforces reports whether findings that open join a nonconformity.
func (p *policyState) enforces() bool { return p.allowlist.Mode == authorization.Enforce }

// undoWindow is how long after a change was taken back the findings that open again count
// as its doing.
const undoWindow = time.Hour

// undoes reports whether a change was just taken back: the findings that open again wait
// for a person, since somebody's slip is no accusation of others.
func (p *policyState) undoes(now time.Time) bool {
	return p.allowlist.Undoes != 0 && now.Sub(p.allowlist.CreatedAt) < undoWindow
}

// holds reports whether p may be used for a version at a time.
func (p *policyState) holds(version int64, at time.Time) bool {
	return p != nil && p.allowlist.Version == version && !at.Before(p.at) && (p.until.IsZero() || at.Before(p.until))
}

// compile makes a policyState of an allowlist.
func compile(a authorization.Allowlist, at time.Time) (*policyState, error) {
	c, err := policy.Compile(&policy.Document{Mode: policy.Mode(a.Mode), Baseline: a.Baseline, Rules: a.Rules})
	if err != nil {
		return nil, fmt.Errorf("compiling version %d of the allowlist: %w", a.Version, err)
	}
	return &policyState{allowlist: a, compiled: c, at: at, until: c.NextBoundary(at)}, nil
}

// policyFor returns the policy of a version, in ctx's transaction where it must be read.
func (in *Ingester) policyFor(ctx context.Context, version int64, at time.Time) (*policyState, error) {
	p := in.policy.Load()
	if p.holds(version, at) {
		return p, nil
	}
	var a authorization.Allowlist
	var err error
	if p != nil && p.allowlist.Version == version {
		a = p.allowlist
	} else if a, err = in.cfg.Allowlists.CurrentAllowlist(ctx); err != nil {
		return nil, err
	}
	if p, err = compile(a, at); err != nil {
		return nil, err
	}
	in.policy.Store(p)
	return p, nil
}

// Context returns what rules may ask about m.
func (m *Machine) Context() policy.MachineContext {
	return policy.MachineContext{ID: m.ID, Hostname: m.Hostname, Site: m.Site, Area: m.Area, Groups: m.Grouping.Of(m.Traits()), Person: m.Person, OSVendor: m.Vendor}
}

// verdict judges an item on a machine, by the memo where the verdict does not depend on
// the machine. p may be nil when the memo is known to hold.
func (s *policyState) verdict(it *cachedItem, p *inventory.Program, m *machineState) policy.Verdict {
	if it.memo.state != s {
		it.memo = memo{state: s, verdicts: it.memo.verdicts[:0]}
	}
	for i := range it.memo.verdicts {
		if v := &it.memo.verdicts[i]; v.vendor == m.Vendor {
			if v.depends {
				return m.evaluator(s).Evaluate(p, s.at)
			}
			return v.verdict
		}
	}
	v := vendorVerdict{vendor: m.Vendor}
	v.verdict, v.depends = s.compiled.EvaluateItem(p, m.Vendor, s.at)
	if len(it.memo.verdicts) < 16 {
		it.memo.verdicts = append(it.memo.verdicts, v)
	}
	if v.depends {
		return m.evaluator(s).Evaluate(p, s.at)
	}
	return v.verdict
}
