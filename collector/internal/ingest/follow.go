package ingest

import (
	"context"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/wire"
)

var _ fleet.Findings = (*Ingester)(nil)

// Reasons of a finding that is gone because its machine is.
const (
	ReasonArchived = "finding.gone.archived"
	ReasonRevoked  = "finding.gone.revoked"
)

// retired reports whether f is gone because its machine was retired.
func (f *Finding) retired() bool {
	return f.State == authorization.Gone && (f.Reason == ReasonArchived || f.Reason == ReasonRevoked)
}

// FollowMachine implements fleet.Findings: it brings the findings of a machine in line
// with its state, its groups and the allowlist, in ctx's transaction and on behalf of
// the actor in ctx. Errors: NotFound "machine.unknown".
func (in *Ingester) FollowMachine(ctx context.Context, machine string) error {
	store := in.cfg.Store
	if err := store.Lock(ctx); err != nil {
		return err
	}
	e, err := store.Evaluation(ctx)
	if err != nil {
		return err
	}
	now := in.cfg.Now().UTC()
	p, err := in.policyFor(ctx, e.Current, now)
	if err != nil {
		return err
	}
	known, _, err := store.OpenMachine(ctx, machine)
	if err != nil {
		return err
	}
	stored, err := store.LoadMachines(ctx, []int64{known.Row})
	if err != nil || len(stored) != 1 {
		return err
	}
	m, err := newMachineState(stored[0], &slab{})
	if err != nil {
		return err
	}
	g, err := in.graderFor(ctx, e.Catalogue)
	if err != nil {
		return err
	}
	b := &batch{in: in, now: now, policy: p, grader: g, machines: map[int64]*machineState{m.Row: m}, records: newRecordKeeper(in, now)}
	found, err := store.FindingsOf(ctx, []int64{m.Row})
	if err != nil {
		return err
	}
	b.takeFindings(found)
	why := cause{report: m.Report, at: m.TakenAt, by: actor.From(ctx).String()}
	switch {
	case m.State == fleet.Archived:
		b.retire(m, ReasonArchived, noteArchived, why)
	case m.State == fleet.Revoked:
		b.retire(m, ReasonRevoked, noteRevoked, why)
	case !m.TakenAt.IsZero():
		if err := b.judgeAll(ctx, m, why); err != nil {
			return err
		}
	}
	if err := b.gather(ctx); err != nil {
		return err
	}
	return store.Save(ctx, &b.changes)
}

// retire makes the open findings of a machine gone, and those that were retired for
// another reason so for this one.
func (b *batch) retire(m *machineState, reason string, kind noteKind, why cause) {
	why.report, why.at = wire.ID{}, b.now.Truncate(time.Second)
	for _, f := range m.findings {
		switch {
		case f.State == authorization.Open:
			m.Findings--
			f.State, f.GoneAt, f.GoneReport = authorization.Gone, why.at, wire.ID{}
		case !f.retired() || f.Reason == reason:
			continue
		}
		f.Reason, m.counts = reason, true
		b.touch(f)
		b.records.add(note{machine: m, finding: f, kind: kind, why: why})
	}
}
