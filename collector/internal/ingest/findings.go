package ingest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

// cause is why a finding changes: a report, or the policy with the machine's last
// report as evidence.
type cause struct {
	report wire.ID
	at     time.Time // when the machine saw it
	policy bool      // a re-evaluation
	by     string    // actor.Actor of who changed the machine's state or groups; else empty
}

// flagged is a program with what the policy says of it.
type flagged struct {
	item    int64
	program *inventory.Program
	verdict policy.Verdict
}

// judge opens, moves, closes and reopens the findings of what one report changed.
func (b *batch) judge(m *machineState, c change, why cause) {
	var list, fine []flagged
	if b.policy.opens() {
		for _, i := range c.came {
			p := &c.list.programs[i]
			x := flagged{item: c.list.items[i].id, program: p, verdict: b.policy.verdict(c.list.items[i], p, m)}
			if x.verdict.Flagged() {
				list = append(list, x)
			} else if len(m.findings) > 0 {
				fine = append(fine, x)
			}
		}
	}
	if len(list) == 0 && len(m.findings) == 0 {
		return
	}
	gone := make(map[int64]bool, len(c.went))
	for _, id := range c.went {
		gone[id] = true
	}
	known := len(m.findings)
	for i := range list {
		b.flag(m, &list[i], gone, why)
	}
	gather(m.findings[known:], list, c.first)
	if len(gone) > 0 {
		for i := range fine {
			b.succeed(m, &fine[i], gone, why)
		}
	}
	for _, f := range m.findings {
		if gone[f.Item] && f.State != authorization.Gone {
			b.leave(m, f, why)
		}
	}
}

// flag finds or makes the finding of a flagged program. gone holds the items that went
// with the same report. The rules, in this order: the finding of the same item; that of
// the same program in a version that went now (an upgrade); that of the same program
// that had gone before (it returns); a new one. Of several the first Row wins.
func (b *batch) flag(m *machineState, x *flagged, gone map[int64]bool, why cause) {
	ident := identOf(x.program)
	f := m.index().byItem[x.item]
	if f == nil {
		f = m.kin(ident, gone)
	}
	if f == nil {
		f = &Finding{Machine: m.Row, Ident: ident, FirstSeen: why.at, FoundAt: b.now, Report: why.report}
		m.findings = append(m.findings, f)
		m.idx.byIdent[ident] = append(m.idx.byIdent[ident], f)
	}
	was, restored, moved := f.State, f.retired(), f.Item != x.item && f.Item != 0
	m.idx.move(f, x.item)
	f.State, f.LastSeen, f.GoneAt, f.GoneReport = authorization.Open, why.at, time.Time{}, wire.ID{}
	f.Verdict, f.Rule, f.Reason = string(x.verdict.Kind), x.verdict.RuleName, x.verdict.Key
	f.grade(b.grader, x.program, moved)
	m.counts = true
	if was != authorization.Open {
		m.Findings++
	}
	kind := noteFound
	switch {
	case restored:
		kind = noteRestored
	case was == authorization.Gone:
		f.Recurrences++
		kind = noteReturned
	case was == authorization.Open && moved:
		kind = noteUpgraded
	case was == authorization.Open:
		return
	}
	b.touch(f)
	b.records.add(note{machine: m, finding: f, program: x.program, kind: kind, why: why,
		join: b.policy.enforces() && was != authorization.Open && !restored && !(why.policy && b.policy.undoes(b.now))})
}

// succeed lets the finding of a program go on as authorized when the version that it was
// about went with this report and an authorized one came: the program is still there.
func (b *batch) succeed(m *machineState, x *flagged, gone map[int64]bool, why cause) {
	f := m.kin(identOf(x.program), gone)
	if f == nil || f.State == authorization.Gone || m.index().byItem[x.item] != nil {
		return
	}
	m.idx.move(f, x.item)
	f.LastSeen = why.at
	if f.State == authorization.Open {
		b.permit(m, f, x.verdict, why)
		return
	}
	f.Rule, f.Reason = x.verdict.RuleName, x.verdict.Key
	b.touch(f)
}

// leave marks a finding gone.
func (b *batch) leave(m *machineState, f *Finding, why cause) {
	if f.State == authorization.Open {
		m.Findings--
	}
	f.State, f.GoneAt, f.GoneReport, f.LastSeen = authorization.Gone, why.at, why.report, cmp.Or(f.LastSeen, f.FirstSeen)
	m.counts = true
	b.records.add(note{machine: m, finding: f, kind: noteGone, why: why})
	b.touch(f)
}

// permit marks a finding authorized by a verdict, or by learn mode.
func (b *batch) permit(m *machineState, f *Finding, v policy.Verdict, why cause) {
	if f.State == authorization.Open {
		m.Findings--
	}
	f.GoneAt, f.GoneReport = time.Time{}, wire.ID{}
	f.State, f.Verdict, f.Rule, f.Reason = authorization.Authorized, string(policy.Authorized), v.RuleName, v.Key
	m.counts = true
	b.records.add(note{machine: m, finding: f, kind: noteAuthorized, why: why})
	b.touch(f)
}

// judgeAll judges everything that m has now: its belongings or its system changed.
func (b *batch) judgeAll(ctx context.Context, m *machineState, why cause) error {
	ids := make([]int64, len(m.now))
	for i, in := range m.now {
		ids[i] = in.Item
	}
	items, err := b.in.cfg.Store.ItemPrograms(ctx, ids)
	if err != nil {
		return err
	}
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.ID, b.ID) })
	e := m.evaluator(b.policy)
	for i := range items {
		v := policy.Verdict{Kind: policy.Authorized}
		if b.policy.opens() {
			v = e.Evaluate(&items[i].Program, b.policy.at)
		}
		b.settle(m, &items[i], v, why)
	}
	return nil
}

// settle makes the finding of an installed item what its verdict says.
func (b *batch) settle(m *machineState, it *Item, v policy.Verdict, why cause) {
	f := m.index().byItem[it.ID]
	switch {
	case v.Flagged() && (f == nil || f.State != authorization.Open):
		b.flag(m, &flagged{item: it.ID, program: &it.Program, verdict: v}, nil, why)
	case v.Flagged():
		if f.Verdict != string(v.Kind) || f.Rule != v.RuleName || f.Reason != v.Key {
			f.Verdict, f.Rule, f.Reason = string(v.Kind), v.RuleName, v.Key
			b.touch(f)
		}
	case f != nil && (f.State == authorization.Open || f.retired()):
		b.permit(m, f, v, why)
	}
}

// touch notes that a finding must be stored.
func (b *batch) touch(f *Finding) {
	if b.touched == nil {
		b.touched = make(map[*Finding]struct{})
	}
	b.touched[f] = struct{}{}
}

// storeFindings gives new findings their rows, keeps the records, and stores all.
func (b *batch) storeFindings(ctx context.Context) error {
	if len(b.touched) == 0 {
		return nil
	}
	list := slices.SortedFunc(maps.Keys(b.touched), func(x, y *Finding) int {
		return cmp.Or(cmp.Compare(x.Machine, y.Machine), cmp.Compare(x.Item, y.Item))
	})
	fresh := slices.DeleteFunc(slices.Clone(list), func(f *Finding) bool { return f.Row != 0 })
	stored := slices.DeleteFunc(list, func(f *Finding) bool { return f.Row == 0 })
	store := b.in.cfg.Store
	if err := store.AddFindings(ctx, fresh); err != nil {
		return err
	}
	if err := b.records.keep(ctx); err != nil {
		return err
	}
	for _, f := range fresh { // those that joined a record meanwhile, or stand under one that had no row
		if f.along != nil {
			f.Parent = f.along.Row
		}
		if f.Nonconformity != "" || f.along != nil {
			stored = append(stored, f)
		}
	}
	return store.SaveFindings(ctx, stored)
}
