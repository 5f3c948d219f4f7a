package ingest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization"
)

var _ allowlist.Findings = (*Ingester)(nil)

// pageItems is how many items are compared at a time.
const pageItems = 256

// Impact tells what the findings would become under a candidate, without writing
// anything. It reads items and bitmaps, not machines, so it takes moments whatever the
// number of machines.
func (in *Ingester) Impact(ctx context.Context, candidate authorization.Allowlist) (allowlist.Impact, error) {
	var out allowlist.Impact
	p, err := compile(candidate, in.cfg.Now().UTC())
	if err != nil {
		return out, err
	}
	c, err := compareWith(ctx, in.cfg.Store, p)
	if err != nil {
		return out, err
	}
	now, err := in.inForce(ctx, p)
	if err != nil {
		return out, err
	}
	opens, closes := newImpactSide(), newImpactSide()
	for after := int64(0); ; {
		items, err := in.cfg.Store.NextItems(ctx, after, pageItems)
		if err != nil {
			return out, err
		}
		if len(items) == 0 {
			break
		}
		after = items[len(items)-1].ID
		if items = c.changed(items, now); len(items) == 0 {
			continue
		}
		err = c.page(ctx, items, func(w want) bool {
			switch {
			case w.opens():
				opens.add(&w).Opens++
			case !w.verdict.Flagged():
				closes.add(&w).Closes++
			}
			return true
		})
		if err != nil {
			return out, err
		}
	}
	out.Machines, out.ByProgram = len(opens.machines), opens.list()
	out.ClosesMachines, out.ClosesByProgram = len(closes.machines), closes.list()
	out.Hostnames = c.hostnames(opens.machines)
	for i := range out.ByProgram {
		out.Opens += out.ByProgram[i].Opens
	}
	for i := range out.ClosesByProgram {
		out.Closes += out.ClosesByProgram[i].Closes
	}
	return out, nil
}

// inForce is the policy that the findings follow, where it judges at all as a candidate
// does; nil where they lag behind and every item is to be looked at. What a change of
// belongings alone has left to do is about items that depend on the machine: those are
// looked at in any case.
func (in *Ingester) inForce(ctx context.Context, candidate *policyState) (*policyState, error) {
	a, err := in.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil || !candidate.opens() || a.Mode == authorization.Learn {
		return nil, err
	}
	e, err := in.cfg.Store.Evaluation(ctx)
	if err != nil || e.Pending || e.Version != a.Version || e.due(candidate, 0, candidate.at) {
		return nil, err
	}
	return compile(a, candidate.at)
}

// changed keeps the items that the comparison's policy judges otherwise than the one that
// the findings follow: of the others, the most by far, nobody need know who has them.
func (c *comparison) changed(items []Item, now *policyState) []Item {
	if now == nil {
		return items
	}
	old := comparison{policy: now, vendors: c.vendors}
	var out []Item
	for i := range items {
		before, after := old.judge(&items[i]), c.judge(&items[i])
		if before.depends || after.depends || !maps.Equal(before.byVendor, after.byVendor) {
			out = append(out, items[i])
		}
	}
	return out
}

// hostnames names the first machines of a set, by name.
func (c *comparison) hostnames(machines map[int64]struct{}) []string {
	var list []string
	for row := range machines {
		if m := c.machines[row]; m != nil {
			list = append(list, m.Hostname)
		}
	}
	slices.Sort(list)
	return slices.Clip(list[:min(len(list), allowlist.MaxHostnames)])
}

// programTitle is a program in all its versions.
type programTitle struct{ name, source string }

// impactSide gathers what would open, or what would be authorized.
type impactSide struct {
	programs map[programTitle]*allowlist.ProgramImpact
	machines map[int64]struct{}
}

func newImpactSide() *impactSide {
	return &impactSide{make(map[programTitle]*allowlist.ProgramImpact), make(map[int64]struct{})}
}

func (s *impactSide) add(w *want) *allowlist.ProgramImpact {
	at := programTitle{w.item.Program.Name, w.item.Program.Source}
	p := s.programs[at]
	if p == nil {
		p = &allowlist.ProgramImpact{Name: at.name, Source: at.source, Verdict: string(w.verdict.Kind), Rule: w.verdict.RuleName}
		s.programs[at] = p
	}
	s.machines[w.machine] = struct{}{}
	return p
}

func (s *impactSide) list() []allowlist.ProgramImpact {
	var list []allowlist.ProgramImpact
	for _, p := range s.programs {
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b allowlist.ProgramImpact) int {
		return cmp.Or(cmp.Compare(b.Opens+b.Closes, a.Opens+a.Closes), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Source, b.Source))
	})
	return list
}

// LockFindings implements allowlist.Findings: until ctx's transaction ends, no report is
// judged and nothing is re-evaluated.
func (in *Ingester) LockFindings(ctx context.Context) error { return in.cfg.Store.Lock(ctx) }

// Follow implements allowlist.Findings: it brings the findings in line with the current
// allowlist now, unless another collector is at it.
func (in *Ingester) Follow(ctx context.Context) (allowlist.Followed, error) {
	r, err := in.Reevaluate(ctx, 0)
	return allowlist.Followed{Opened: r.Opened, Closed: r.Closed, Done: r.Done}, err
}

// claim is how long a collector may be silent before another takes a re-evaluation over.
const claim = 30 * time.Second
