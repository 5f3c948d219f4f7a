package ingest

import (
	"context"
	"maps"
	"slices"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/policy"
)

// want is one difference between the stored findings and a policy: an installed item
// and the verdict that its finding should follow.
type want struct {
	item    *Item
	machine int64
	verdict policy.Verdict
	finding *Finding // open now, or nil
}

// opens reports whether the difference opens a finding.
func (w *want) opens() bool { return w.verdict.Flagged() && w.finding == nil }

// comparison finds differences, page of items by page.
type comparison struct {
	store    Store
	policy   *policyState
	machines map[int64]*Machine
	vendors  []string
	evals    map[int64]policy.Evaluator
}

// compareWith reads who is there and begins a comparison.
func compareWith(ctx context.Context, store Store, p *policyState) (*comparison, error) {
	list, err := store.Contexts(ctx)
	if err != nil {
		return nil, err
	}
	c := &comparison{store: store, policy: p, machines: make(map[int64]*Machine, len(list)), evals: make(map[int64]policy.Evaluator)}
	for i := range list {
		c.machines[list[i].Row] = &list[i]
		c.vendors = append(c.vendors, list[i].Vendor)
	}
	slices.Sort(c.vendors)
	c.vendors = slices.Compact(c.vendors)
	return c, nil
}

// itemVerdicts is what a policy says of one item.
type itemVerdicts struct {
	byVendor map[string]policy.Verdict
	depends  bool // on the machine: byVendor says nothing
	flagged  bool // on some machine, perhaps
}

func (c *comparison) judge(it *Item) itemVerdicts {
	v := itemVerdicts{byVendor: make(map[string]policy.Verdict, len(c.vendors))}
	for _, vendor := range c.vendors {
		one, depends := c.policy.compiled.EvaluateItem(&it.Program, vendor, c.policy.at)
		if depends {
			return itemVerdicts{depends: true, flagged: true}
		}
		v.byVendor[vendor] = one
		v.flagged = v.flagged || one.Flagged()
	}
	return v
}

// page calls fn for the differences of items, in the order of items, until fn returns
// false.
func (c *comparison) page(ctx context.Context, items []Item, fn func(w want) bool) error {
	verdicts := make([]itemVerdicts, len(items))
	ids, suspects := make([]int64, len(items)), []int64{}
	for i := range items {
		ids[i] = items[i].ID
		if c.policy.opens() {
			if verdicts[i] = c.judge(&items[i]); verdicts[i].flagged {
				suspects = append(suspects, ids[i])
			}
		}
	}
	presence, err := c.store.Presence(ctx, suspects)
	if err != nil {
		return err
	}
	findings, err := c.store.FindingsOn(ctx, ids)
	if err != nil {
		return err
	}
	open := make(map[int64]map[int64]*Finding)
	for _, f := range findings {
		if f.State != authorization.Open {
			continue
		}
		if open[f.Item] == nil {
			open[f.Item] = make(map[int64]*Finding)
		}
		open[f.Item][f.Machine] = f
	}
	for i := range items {
		if !c.item(&items[i], &verdicts[i], presence[items[i].ID], open[items[i].ID], fn) {
			return nil
		}
	}
	return nil
}

// item gives the differences of one item, and reports whether more are wanted.
func (c *comparison) item(it *Item, v *itemVerdicts, machines []int64, open map[int64]*Finding, fn func(w want) bool) bool {
	for _, row := range machines {
		m := c.machines[row]
		if m == nil {
			continue // came after the comparison began; its own report judged it
		}
		w := want{item: it, machine: row, verdict: c.verdict(it, v, m), finding: open[row]}
		delete(open, row)
		if w.finding == nil && (!w.verdict.Flagged() || !reports(m)) {
			continue
		}
		if (w.finding == nil || !sameVerdict(w.finding, w.verdict)) && !fn(w) {
			return false
		}
	}
	for _, row := range slices.Sorted(maps.Keys(open)) { // nothing flags the item there any more
		w := want{item: it, machine: row, finding: open[row], verdict: policy.Verdict{Kind: policy.Authorized}}
		if m := c.machines[row]; m != nil && c.policy.opens() {
			w.verdict = c.verdict(it, v, m)
		}
		if !fn(w) {
			return false
		}
	}
	return true
}

func (c *comparison) verdict(it *Item, v *itemVerdicts, m *Machine) policy.Verdict {
	if !v.depends {
		return v.byVendor[m.Vendor]
	}
	e, ok := c.evals[m.Row]
	if !ok {
		e = c.policy.compiled.On(m.Context())
		c.evals[m.Row] = e
	}
	return e.Evaluate(&it.Program, c.policy.at)
}

func sameVerdict(f *Finding, v policy.Verdict) bool {
	return f.Verdict == string(v.Kind) && f.Rule == v.RuleName && f.Reason == v.Key
}

// reports reports whether a machine is in service.
func reports(m *Machine) bool { return m.State == fleet.Active || m.State == fleet.Quarantined }
