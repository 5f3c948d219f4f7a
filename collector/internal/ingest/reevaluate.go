package ingest

import (
	"context"
	"maps"
	"slices"
	"time"
)

// maxWants is how many differences one transaction of a re-evaluation settles.
const maxWants = 500

// Reevaluation is what one run of Reevaluate did.
type Reevaluation struct {
	Version int64 // of the allowlist
	Opened  int
	Closed  int  // authorized now
	Changed int  // open before and after, by another rule or reason
	Done    bool // the findings follow the current allowlist
}

// Reevaluate brings the findings in line with the current allowlist, its mode, where
// machines belong, and the time: item by item, 500 differences a transaction. What was
// interrupted goes on where it stopped; of several collectors one works and the others
// return with Done false. change is the number of the fleet.ChangePolicy that asks for
// it: where that is newer than the last one followed, everything is looked at again; 0
// asks only for what is due.
func (in *Ingester) Reevaluate(ctx context.Context, change int64) (Reevaluation, error) {
	var r Reevaluation
	for {
		more, err := in.reevaluateStep(ctx, change, &r)
		if err != nil || !more {
			return r, err
		}
		if err := ctx.Err(); err != nil {
			return r, err
		}
	}
}

// reevaluateStep does one transaction's share and reports whether there is more.
func (in *Ingester) reevaluateStep(ctx context.Context, change int64, r *Reevaluation) (more bool, err error) {
	var step Reevaluation
	err = in.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		step, more = Reevaluation{}, false
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
		switch due := e.due(p, change, now); {
		case e.Pending && e.ClaimedBy != in.cfg.Name && now.Before(e.ClaimedUntil):
			return nil // somebody else is at it, and will see a newer version as well
		case due:
			e.Pending, e.Version, e.Cursor, e.Change = true, e.Current, 0, max(e.Change, change)
			e.Boundary = p.until
		case !e.Pending:
			step.Version, step.Done = e.Version, true
			return nil
		}
		more = true
		e.ClaimedBy, e.ClaimedUntil = in.cfg.Name, now.Add(claim)
		g, err := in.graderFor(ctx, e.Catalogue)
		if err != nil {
			return err
		}
		return in.settlePage(ctx, judges{p, g}, &e, &step, now)
	})
	if err != nil {
		return false, err
	}
	r.Version, r.Done = step.Version, step.Done
	r.Opened, r.Closed, r.Changed = r.Opened+step.Opened, r.Closed+step.Closed, r.Changed+step.Changed
	return more, nil
}

// due reports whether a re-evaluation must begin, or begin again.
func (e *Evaluation) due(p *policyState, change int64, now time.Time) bool {
	return e.Version != e.Current || change > e.Change || !e.Boundary.IsZero() && !now.Before(e.Boundary)
}

// settlePage settles what one page of items calls for, at most maxWants differences,
// and saves how far it came.
func (in *Ingester) settlePage(ctx context.Context, by judges, e *Evaluation, step *Reevaluation, now time.Time) error {
	store := in.cfg.Store
	items, err := store.NextItems(ctx, e.Cursor, pageItems)
	if err != nil {
		return err
	}
	step.Version = e.Version
	if len(items) == 0 {
		e.Pending, e.ClaimedBy, e.ClaimedUntil = false, "", time.Time{}
		return store.SaveEvaluation(ctx, *e)
	}
	c, err := compareWith(ctx, store, by.policy)
	if err != nil {
		return err
	}
	var wants []want
	e.Cursor = items[len(items)-1].ID
	err = c.page(ctx, items, func(w want) bool {
		if len(wants) == maxWants { // the item that is cut through comes again, with the rest
			e.Cursor = w.item.ID - 1
			return false
		}
		wants = append(wants, w)
		return true
	})
	if err != nil {
		return err
	}
	if err := in.settleAll(ctx, by, wants, step, now); err != nil {
		return err
	}
	return store.SaveEvaluation(ctx, *e)
}

// settleAll makes the findings of wants what the policy says.
func (in *Ingester) settleAll(ctx context.Context, by judges, wants []want, step *Reevaluation, now time.Time) error {
	if len(wants) == 0 {
		return nil
	}
	b := &batch{in: in, now: now, policy: by.policy, grader: by.grader, machines: make(map[int64]*machineState), records: newRecordKeeper(in, now)}
	rows := make(map[int64]struct{})
	about := make([]FindingKey, len(wants))
	for i := range wants {
		w := &wants[i]
		rows[w.machine] = struct{}{}
		about[i] = FindingKey{Machine: w.machine, Item: w.item.ID, Ident: identOf(&w.item.Program)}
	}
	machines, err := in.cfg.Store.LoadMachines(ctx, slices.Sorted(maps.Keys(rows)))
	if err != nil {
		return err
	}
	for _, m := range machines {
		if b.machines[m.Row], err = newMachineState(m, &slab{}); err != nil {
			return err
		}
	}
	found, err := in.cfg.Store.FindingsAbout(ctx, about)
	if err != nil {
		return err
	}
	b.takeFindings(found)
	for i := range wants {
		w := &wants[i]
		m := b.machines[w.machine]
		if m == nil {
			continue
		}
		switch {
		case w.opens():
			step.Opened++
		case w.verdict.Flagged():
			step.Changed++
		default:
			step.Closed++
		}
		b.settle(m, w.item, w.verdict, cause{report: m.Report, at: m.TakenAt, policy: true})
	}
	if err := b.gather(ctx); err != nil {
		return err
	}
	return in.cfg.Store.Save(ctx, &b.changes)
}

// PolicyChanged tells that a fleet.ChangePolicy with this number came: Run re-evaluates
// soon. It does not wait.
func (in *Ingester) PolicyChanged(change int64) {
	for {
		was := in.change.Load()
		if was >= change || in.change.CompareAndSwap(was, change) {
			break
		}
	}
	select {
	case in.kick <- struct{}{}:
	default:
	}
}

// checkEvery is how often a collector looks for a boundary that passed, or for a
// re-evaluation that another left unfinished.
const checkEvery = 15 * time.Second

// followLoop re-evaluates when told, and when it is due, until ctx ends.
func (in *Ingester) followLoop(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		r, err := in.Reevaluate(ctx, in.change.Load())
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			in.cfg.Log.ErrorContext(ctx, "re-evaluating findings", "cause", err)
		case r.Opened+r.Closed+r.Changed > 0:
			in.cfg.Log.InfoContext(ctx, "findings follow the allowlist", "version", r.Version, "opened", r.Opened, "closed", r.Closed, "changed", r.Changed)
		}
		select {
		case <-in.kick:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
