package ingest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest/pack"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// batch is what several reports do together, in one transaction. It is made anew each
// time the transaction runs, and touches no job before the commit.
type batch struct {
	in       *Ingester
	now      time.Time
	policy   *policyState
	grader   *authorization.Grader
	reports  []*prepared // of the jobs, with items filled in
	machines map[int64]*machineState
	gone     []int64 // items whose installs became fewer, once for each
	known    map[wire.ID]int64
	added    []*cachedItem // not in the cache until the commit
	fresh    map[inventory.Key]*cachedItem
	byID     map[int64]*cachedItem
	changes  Changes
	answers  []answer
	records  *recordKeeper
	touched  map[*Finding]struct{} // findings to be stored
}

// answer is what a job is told after the commit.
type answer struct {
	result  Result
	err     error
	digests map[inventory.Section]inventory.Digest
}

// write stores jobs in one transaction and, after its commit, sets their answers.
func (in *Ingester) write(ctx context.Context, jobs []*job) error {
	var b *batch
	err := in.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		b = &batch{in: in, now: in.cfg.Now().UTC(), machines: make(map[int64]*machineState),
			fresh: make(map[inventory.Key]*cachedItem), byID: make(map[int64]*cachedItem)}
		b.changes.Installs = make(map[int64]int)
		in.slab.reset()
		return b.run(ctx, jobs)
	})
	if err != nil {
		return err
	}
	in.items.add(b.added...)
	in.counts.batches.Add(1)
	for i, j := range jobs {
		j.result, j.err, j.digests = b.answers[i].result, b.answers[i].err, b.answers[i].digests
		if j.err == nil && !j.result.Duplicate {
			in.counts.reports.Add(1)
		}
	}
	return nil
}

func (b *batch) run(ctx context.Context, jobs []*job) error {
	for _, j := range jobs {
		b.reports = append(b.reports, j.p)
	}
	if err := b.load(ctx, jobs); err != nil {
		return err
	}
	if err := b.resolve(ctx); err != nil {
		return err
	}
	if err := b.loadFindings(ctx, jobs); err != nil {
		return err
	}
	b.answers = make([]answer, len(jobs))
	for i, j := range jobs {
		a, err := b.apply(ctx, j, b.reports[i])
		if err != nil {
			return err
		}
		b.answers[i] = a
	}
	if err := b.gather(ctx); err != nil {
		return err
	}
	return b.in.cfg.Store.Save(ctx, &b.changes)
}

// load takes the lock and reads what the reports touch.
func (b *batch) load(ctx context.Context, jobs []*job) error {
	store := b.in.cfg.Store
	if err := store.Lock(ctx); err != nil {
		return err
	}
	eval, err := store.Evaluation(ctx)
	if err != nil {
		return err
	}
	if b.policy, err = b.in.policyFor(ctx, eval.Current, b.now); err != nil {
		return err
	}
	if b.grader, err = b.in.graderFor(ctx, eval.Catalogue); err != nil {
		return err
	}
	b.records = newRecordKeeper(b.in, b.now)
	ids, rows := make([]wire.ID, 0, len(jobs)), []int64{}
	for _, j := range jobs {
		ids, rows = append(ids, j.p.id), append(rows, j.session.row)
	}
	if b.known, err = store.KnownReports(ctx, ids); err != nil {
		return err
	}
	slices.Sort(rows)
	machines, err := store.LoadMachines(ctx, slices.Compact(rows))
	if err != nil {
		return err
	}
	for _, m := range machines {
		if b.machines[m.Row], err = newMachineState(m, &b.in.slab); err != nil {
			return err
		}
	}
	return nil
}

// apply does what one report says to the machine's state.
func (b *batch) apply(ctx context.Context, j *job, p *prepared) (answer, error) {
	m := b.machines[j.session.row]
	if m == nil {
		return answer{err: apperr.New(apperr.Forbidden, "machine.unknown", apperr.Args{"machine": j.session.id})}, nil
	}
	if err := allowed(m.State, m.ID); err != nil {
		return answer{err: err}, nil
	}
	if whose, ok := b.known[p.id]; ok {
		if whose != m.Row {
			return answer{err: apperr.New(apperr.Conflict, "report.taken", apperr.Args{"report": p.id.String()})}, nil
		}
		return answer{result: Result{Duplicate: true}}, nil
	}
	b.known[p.id] = m.Row
	a := answer{result: Result{Remarks: p.remarks}, digests: make(map[inventory.Section]inventory.Digest, len(p.sections)+1)}
	kind, moved := "sections", b.applySections(m, p, a.digests)
	if p.whole != nil || p.delta != nil {
		var err error
		if kind, err = b.applySoftware(ctx, m, p, &a, moved); err != nil {
			return a, err
		}
	} else if moved && !m.TakenAt.IsZero() {
		if err := b.judgeAll(ctx, m, cause{report: p.id, at: p.takenAt}); err != nil {
			return a, err
		}
	}
	b.changes.Reports = append(b.changes.Reports, ReportRow{ID: p.id, Machine: m.Row, TakenAt: p.takenAt, ReceivedAt: b.now,
		Cause: p.cause, Kind: kind, Bytes: p.bytes, Remarks: p.remarks})
	m.LastReport = p.takenAt
	return a, nil
}

// applySections takes the sections that are documents. It reports whether what rules
// may ask about the machine changed.
func (b *batch) applySections(m *machineState, p *prepared, digests map[inventory.Section]inventory.Digest) bool {
	for _, s := range p.sections {
		s.Machine = m.Row
		if m.sections == nil {
			m.sections = make(map[inventory.Section]SectionRow, len(p.sections))
		}
		m.sections[s.Section], digests[s.Section] = s, s.Digest
	}
	if p.failing >= 0 && p.failing != m.Failing {
		m.Failing, m.counts = p.failing, true
	}
	was := m.Context()
	if f := p.facts; f != nil {
		next := m.Machine
		next.Hostname, next.Serial, next.UUID, next.MachineID = cmp.Or(f.Hostname, m.Hostname), f.Serial, f.UUID, f.MachineID
		m.facts = m.facts || next.Hostname != m.Hostname || next.Serial != m.Serial || next.UUID != m.UUID || next.MachineID != m.MachineID
		m.Machine = next
	}
	if p.system != nil {
		name, vendor := cmp.Or(p.system.Name, m.OS), vendorOf(p.system)
		m.facts = m.facts || name != m.OS
		m.software = m.software || vendor != m.Vendor
		m.OS, m.Vendor = name, vendor
	}
	if p.model != nil && *p.model != m.Model {
		m.Model, m.facts = *p.model, true
	}
	if now := m.Context(); now.Hostname == was.Hostname && now.OSVendor == was.OSVendor && slices.Equal(now.Groups, was.Groups) {
		return false
	}
	m.eval = nil
	return true
}

// applySoftware takes the software section, whole or as a delta.
func (b *batch) applySoftware(ctx context.Context, m *machineState, p *prepared, a *answer, moved bool) (string, error) {
	var c change
	kind, fits := "whole", true
	if p.whole != nil {
		c = m.replace(p.whole, p.takenAt)
	} else if c, fits = m.amend(p.delta, p.takenAt); fits {
		kind = "delta"
	}
	if !fits {
		a.result.Need = []inventory.Section{inventory.SectionSoftware}
		if moved && !m.TakenAt.IsZero() {
			return "delta", b.judgeAll(ctx, m, cause{report: p.id, at: p.takenAt})
		}
		return "delta", nil
	}
	if c.first {
		kind = "baseline"
		b.changes.Events = append(b.changes.Events, EventRow{Machine: m.Row, At: p.takenAt, Kind: EventBaseline, Report: p.id})
	} else {
		b.events(m, p, c)
	}
	for _, i := range c.came {
		b.changes.Installs[c.list.items[i].version]++
	}
	b.gone = append(b.gone, c.went...)
	m.TakenAt, m.Report, m.counts, m.looked = p.takenAt, p.id, true, p.takenAt
	if p.live { // the collector's clock is the one that periods are counted by
		m.looked = b.now
	}
	a.digests[inventory.SectionSoftware] = m.Digest
	because := cause{report: p.id, at: p.takenAt}
	b.judge(m, c, because)
	if moved && !c.first {
		return kind, b.judgeAll(ctx, m, because)
	}
	return kind, nil
}

func (b *batch) events(m *machineState, p *prepared, c change) {
	for _, id := range c.went {
		b.changes.Events = append(b.changes.Events, EventRow{Machine: m.Row, At: p.takenAt, Kind: EventWent, Item: id, Report: p.id})
	}
	for _, i := range c.came {
		b.changes.Events = append(b.changes.Events, EventRow{Machine: m.Row, At: p.takenAt, Kind: EventCame, Item: c.list.items[i].id, Report: p.id})
	}
}

// gather turns the machines' states into changes, after findings and records are stored.
func (b *batch) gather(ctx context.Context) error {
	if err := b.storeFindings(ctx); err != nil {
		return err
	}
	for _, row := range slices.Sorted(maps.Keys(b.machines)) {
		m := b.machines[row]
		b.difference(m)
		if m.software {
			m.Body = pack.AppendInstalls(make([]byte, 0, 6*len(m.now)+16), m.now)
			b.changes.Software = append(b.changes.Software, m.Machine)
		}
		if m.facts {
			b.changes.Facts = append(b.changes.Facts, m.Machine)
		}
		if m.counts {
			m.Programs = len(m.now)
			b.changes.Counts = append(b.changes.Counts, m.Machine)
		}
		if !m.LastReport.IsZero() {
			b.changes.Seen = append(b.changes.Seen, Seen{Machine: row, LastSeen: b.now, LastReport: m.LastReport, Looked: m.looked})
		}
		for _, s := range inventory.Sections() {
			if r, ok := m.sections[s]; ok {
				b.changes.Sections = append(b.changes.Sections, r)
			}
		}
	}
	if err := b.countTitles(ctx); err != nil {
		return err
	}
	return b.uncount(ctx)
}

// difference notes what m has now and had not, and the other way round.
func (b *batch) difference(m *machineState) {
	if !m.software {
		return
	}
	note := func(item int64, here bool) {
		b.changes.Presence = append(b.changes.Presence, PresenceChange{Item: item, Machine: m.Row, Here: here})
	}
	old, now := m.before, m.now
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(old) > 0 && old[0].Item < now[0].Item:
			note(old[0].Item, false)
			old = old[1:]
		case len(old) == 0 || now[0].Item < old[0].Item:
			note(now[0].Item, true)
			now = now[1:]
		default:
			old, now = old[1:], now[1:]
		}
	}
}

// item returns an item that this batch or the cache knows, or nil.
func (b *batch) item(id int64) *cachedItem {
	if it := b.byID[id]; it != nil {
		return it
	}
	return b.in.items.byID(id)
}

// uncount takes installs off the versions of items that went.
func (b *batch) uncount(ctx context.Context) error {
	var missing []int64
	for _, id := range b.gone {
		if b.item(id) == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		found, err := b.in.cfg.Store.ItemPrograms(ctx, missing)
		if err != nil {
			return err
		}
		b.remember(found)
	}
	for _, id := range b.gone {
		if it := b.item(id); it != nil {
			b.changes.Installs[it.version]--
		}
	}
	return nil
}
