package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/nonconformity"
)

// HistoryWithdrawn is the kind of nonconformity.Event for findings that were taken off a
// record again: somebody had put them there by mistake.
const HistoryWithdrawn = "withdrawn"

// OpenRecords opens nonconformities by hand, on behalf of the actor in ctx: for each
// finding that is open and in no record, as enforce would have done when it was found.
// Findings of one machine join one record. It returns the record's number by finding;
// findings that are not open or have a record are left out.
func (in *Ingester) OpenRecords(ctx context.Context, findings []authorization.Finding) (map[int64]string, error) {
	out := make(map[int64]string)
	err := in.byHand(ctx, findings, func(b *batch, m *machineState, f *Finding, it *Item) error {
		if f.State != authorization.Open || f.Nonconformity != "" || it == nil {
			return nil
		}
		b.touch(f)
		b.records.add(note{machine: m, finding: f, program: &it.Program, kind: noteFound, join: true,
			why: cause{report: f.Report, at: f.FirstSeen, by: actor.From(ctx).String()}})
		return nil
	}, func(f *Finding) {
		if f.Nonconformity != "" {
			out[f.Row] = f.Nonconformity
		}
	})
	return out, err
}

// WithdrawRecords takes findings off the records that OpenRecords put them in, on behalf
// of the actor in ctx. The records keep their numbers and say so; one that holds no
// other program becomes withdrawn. Conflict "nonconformity.not-by-hand" for a finding
// that was not put into its record by hand.
func (in *Ingester) WithdrawRecords(ctx context.Context, findings []authorization.Finding) (int, error) {
	n := 0
	err := in.byHand(ctx, findings, func(b *batch, m *machineState, f *Finding, _ *Item) error {
		if f.Nonconformity == "" {
			return nil
		}
		nc, err := in.cfg.Records.ByNumber(ctx, f.Nonconformity)
		if err != nil {
			return err
		}
		if !joinedByHand(nc, f.Row) {
			return apperr.New(apperr.Conflict, "nonconformity.not-by-hand", apperr.Args{"number": nc.Number, "finding": fmt.Sprint(f.Row)})
		}
		n++
		b.touch(f)
		b.records.add(note{machine: m, finding: f, kind: noteWithdrawn, why: cause{at: b.now, by: actor.From(ctx).String()}})
		return nil
	}, func(*Finding) {})
	return n, err
}

// ReleaseRecord takes every finding off a record that was opened by mistake, on behalf of
// the actor in ctx and in their transaction: whatever is found later is not its business.
func (in *Ingester) ReleaseRecord(ctx context.Context, number string) error {
	nc, err := in.cfg.Records.ByNumber(ctx, number)
	if err != nil {
		return err
	}
	var findings []authorization.Finding
	for _, p := range nc.Programs {
		if p.State != "withdrawn" {
			findings = append(findings, authorization.Finding{Row: p.Finding, Machine: nc.Machine})
		}
	}
	return in.byHand(ctx, findings, func(b *batch, m *machineState, f *Finding, _ *Item) error {
		if f.Nonconformity == nc.Number {
			b.touch(f)
			b.records.add(note{machine: m, finding: f, kind: noteWithdrawn, why: cause{at: b.now, by: actor.From(ctx).String()}})
		}
		return nil
	}, func(*Finding) {})
}

// joinedByHand reports whether a person put a finding into a record: the first line of
// its history that names the finding's program is a person's; where a long line could
// not name it, all such lines are.
func joinedByHand(nc nonconformity.Nonconformity, finding int64) bool {
	i := slices.IndexFunc(nc.Programs, func(p nonconformity.Program) bool { return p.Finding == finding })
	if i < 0 {
		return false
	}
	name, all := nc.Programs[i].Name, true
	for _, e := range nc.History {
		if e.Kind != "opened" && e.Kind != "joined" && e.Kind != "recurred" {
			continue
		}
		hand := strings.HasPrefix(e.Actor, string(actor.Person)+":") || strings.HasPrefix(e.Actor, string(actor.CLI)+":")
		for part := range strings.SplitSeq(e.Detail, ", ") {
			if part == name || strings.HasPrefix(part, name+" ") {
				return hand
			}
		}
		all = all && hand
	}
	return all
}

// byHand runs one on every finding in one transaction, keeps the records, and calls
// after for each. Findings that are there no more are left out.
func (in *Ingester) byHand(ctx context.Context, findings []authorization.Finding, one func(b *batch, m *machineState, f *Finding, it *Item) error, after func(*Finding)) error {
	if len(findings) == 0 {
		return nil
	}
	return in.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		store := in.cfg.Store
		if err := store.Lock(ctx); err != nil {
			return err
		}
		now := in.cfg.Now().UTC()
		b := &batch{in: in, now: now, machines: make(map[int64]*machineState), records: newRecordKeeper(in, now)}
		if err := b.loadOf(ctx, findings); err != nil {
			return err
		}
		chosen, err := b.chosen(ctx, findings)
		if err != nil {
			return err
		}
		for _, c := range chosen {
			if err := one(b, b.machines[c.finding.Machine], c.finding, c.item); err != nil {
				return err
			}
		}
		if err := b.gather(ctx); err != nil {
			return err
		}
		for _, c := range chosen {
			after(c.finding)
		}
		return store.Save(ctx, &b.changes)
	})
}

// loadOf reads the machines of findings, with all their findings.
func (b *batch) loadOf(ctx context.Context, findings []authorization.Finding) error {
	store := b.in.cfg.Store
	var rows []int64
	seen := map[string]bool{}
	for _, f := range findings {
		if seen[f.Machine] {
			continue
		}
		seen[f.Machine] = true
		m, _, err := store.OpenMachine(ctx, f.Machine)
		if err != nil {
			return err
		}
		rows = append(rows, m.Row)
	}
	slices.Sort(rows)
	machines, err := store.LoadMachines(ctx, rows)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if b.machines[m.Row], err = newMachineState(m, &slab{}); err != nil {
			return err
		}
	}
	found, err := store.FindingsOf(ctx, rows)
	if err == nil {
		b.takeFindings(found)
	}
	return err
}

// chosenFinding is a finding with its program; item is nil where it is gone for good.
type chosenFinding struct {
	finding *Finding
	item    *Item
}

// chosen picks the findings asked for, in their order.
func (b *batch) chosen(ctx context.Context, findings []authorization.Finding) ([]chosenFinding, error) {
	byRow := make(map[int64]*Finding)
	for _, m := range b.machines {
		for _, f := range m.findings {
			byRow[f.Row] = f
		}
	}
	var list []chosenFinding
	var ids []int64
	for _, x := range findings {
		if f := byRow[x.Row]; f != nil {
			delete(byRow, x.Row)
			list, ids = append(list, chosenFinding{finding: f}), append(ids, f.Item)
		}
	}
	slices.Sort(ids)
	items, err := b.in.cfg.Store.ItemPrograms(ctx, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	for i := range list {
		if n := slices.IndexFunc(items, func(it Item) bool { return it.ID == list[i].finding.Item }); n >= 0 {
			list[i].item = &items[n]
		}
	}
	return list, nil
}

// withdrawn takes a note's finding off its record.
func (k *recordKeeper) withdrawn(r *record, p *nonconformity.Program, n *note) {
	p.State, p.GoneAt = "withdrawn", n.why.at
	k.tell(r, HistoryWithdrawn, p, n)
	n.finding.Nonconformity = ""
	if !slices.ContainsFunc(r.nc.Programs, func(p nonconformity.Program) bool { return p.State != "withdrawn" }) {
		_ = r.nc.Apply(nonconformity.Withdraw, nonconformity.PartIT, k.now) // where it ended already, it stays as it ended
	}
}
