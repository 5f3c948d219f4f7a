package demo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// task is a quiet event on its way to the collector.
type task struct {
	m      *machine
	kind   eventKind
	report *wire.Report
	size   int
}

// Quiet events wait for one another up to these bounds.
const (
	maxWait   = 12 * time.Minute
	maxWeight = 100_000 // programs
)

// happen lets one event happen.
func (y *history) happen(ctx context.Context, e *event) error {
	if len(y.waiting) > 0 && (!e.kind.quiet() || y.weight > maxWeight || e.at.Sub(y.clock.now()) > maxWait || y.busy(e.m)) {
		if err := y.flush(ctx); err != nil {
			return err
		}
	}
	if len(y.waiting) == 0 {
		y.clock.move(e.at)
	}
	y.latest = e.at
	switch e.kind {
	case evEnroll:
		y.waiting = append(y.waiting, task{m: e.m, kind: evEnroll})
		return nil
	case evFirst:
		return y.first(ctx, e.m, e.at)
	case evOffice:
		return e.do()
	}
	if e.m.session == nil { // archived, revoked or quarantined by now
		return nil
	}
	if e.m.lags < 30*24*time.Hour { // where nothing is updated, the agent is not either
		e.m.agent = agentVersion(e.at, y.from)
	}
	switch e.kind {
	case evRenew:
		y.waiting = append(y.waiting, task{m: e.m, kind: evRenew})
	case evSeen:
		y.waiting = append(y.waiting, task{m: e.m, kind: evSeen})
	case evReport:
		y.waiting = append(y.waiting, y.scheduled(e.m, e.at))
	case evInstall, evRemove:
		return y.noticed(ctx, e)
	case evRebuild:
		return y.rebuild(ctx, e)
	case evReinstall:
		return y.reinstall(ctx, e)
	}
	return nil
}

// busy reports whether a machine waits already: its events must not overtake each other.
func (y *history) busy(m *machine) bool {
	for i := range y.waiting {
		if y.waiting[i].m == m {
			return true
		}
	}
	return false
}

// flush lets everything that waits happen, a moment after the last of it.
func (y *history) flush(ctx context.Context) error {
	if len(y.waiting) == 0 {
		return nil
	}
	tasks := y.waiting
	y.waiting, y.weight = nil, 0
	y.clock.move(y.latest.Add(2 * time.Second))
	if err := y.certify(ctx, tasks); err != nil {
		return err
	}
	return y.send(ctx, tasks)
}

// send hands the tasks to the collector, many at a time.
func (y *history) send(ctx context.Context, tasks []task) error {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 128)
	errs := make([]error, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		if t.kind == evRenew || t.kind == evEnroll {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if errs[i] = y.tell(ctx, t); errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", t.m.host, errs[i])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// tell is what one agent says.
func (y *history) tell(ctx context.Context, t *task) error {
	if t.kind == evSeen {
		return t.m.session.Hello(ctx, t.m.agent, t.m.spooled)
	}
	if t.kind == evFirst {
		if err := t.m.session.Hello(ctx, t.m.agent, 0); err != nil {
			return err
		}
	}
	res, err := t.m.session.Submit(ctx, t.report, t.size)
	if err == nil && len(res.Need) > 0 {
		err = fmt.Errorf("the collector wants %v in full: the sample is wrong", res.Need)
	}
	return err
}

// certify enrolls and renews, all in one transaction.
func (y *history) certify(ctx context.Context, tasks []task) error {
	came := false
	err := y.store.InTx(ctx, func(ctx context.Context) error {
		for i := range tasks {
			t := &tasks[i]
			var err error
			switch t.kind {
			case evEnroll:
				came, err = true, y.enroll(ctx, t.m)
			case evRenew:
				err = y.renew(ctx, t.m)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", t.m.host, err)
			}
		}
		return nil
	})
	if err != nil || !came || y.clock.now().Before(y.from.Add(dayRules*24*time.Hour)) {
		return err
	}
	return y.importPeople(as(ctx, "admin@example.com", actor.Administrator))
}

func (y *history) enroll(ctx context.Context, m *machine) error {
	if m.person != nil {
		m.person.machine = m.host
	}
	if m.cloneOf != nil { // both are alive: they stay two
		y.cloned = m.cloneOf.id
		defer func() { y.cloned = "" }()
	}
	s := m.snapshot(y.clock.now())
	m.agent = agentVersion(y.clock.now(), y.from)
	e, err := y.fleet.Enroll(ctx, fleet.Enrollment{Secret: y.token(m), CSR: y.key.csr, AgentVersion: m.agent,
		Facts:   fleet.Facts{Hostname: m.host, Serial: m.serial, UUID: m.uuid, MachineID: m.machineID, OS: s.System.Name},
		Address: fmt.Sprintf("10.%d.%d.%d:49152", netOf(m.site), m.n/200%250, 10+m.n%200)})
	m.id, m.cert = e.Machine, e.Certificate
	return err
}

func (y *history) renew(ctx context.Context, m *machine) error {
	signature, err := y.key.sign(y.key.csr)
	if err != nil {
		return err
	}
	cert, _, err := y.fleet.Renew(ctx, m.cert, y.key.csr, signature)
	if err == nil {
		m.cert = cert
	}
	return err
}

// reinstall gives m a new operating system; its history comes back when it enrolls again.
func (y *history) reinstall(ctx context.Context, e *event) error {
	m := e.m
	m.session.Close()
	m.session, m.built = nil, e.at.Add(-3*time.Hour).Truncate(time.Second)
	was := m.id
	y.waiting = append(y.waiting, task{m: m, kind: evEnroll})
	if err := y.flush(ctx); err != nil {
		return err
	}
	if m.id != was {
		return fmt.Errorf("%s came back as another machine: the sample is wrong", m.host)
	}
	return y.first(ctx, m, e.at.Add(4*time.Second))
}

// agentVersion is the release that was out at a time.
func agentVersion(at, from time.Time) string {
	return []string{"1.0.0", "1.0.2", "1.1.0", "1.2.1"}[min(3, int(at.Sub(from)/(100*24*time.Hour)))]
}

// first opens the connection of a machine that enrolled, and makes its first report.
func (y *history) first(ctx context.Context, m *machine, at time.Time) error {
	var err error
	if m.session, err = y.ingester.Open(ctx, m.id); err != nil {
		return fmt.Errorf("%s: %w", m.host, err)
	}
	y.outfit.dress(m, at)
	m.count(y.outfit.pool)
	t := task{m: m, kind: evFirst}
	t.report, t.size = y.whole(m, at)
	y.waiting, y.weight = append(y.waiting, t), y.weight+len(m.list)
	return nil
}

// scheduled is the report of every week: updates, and how the antivirus is.
func (y *history) scheduled(m *machine, at time.Time) task {
	d := m.begin()
	m.update(y.outfit.pool, d, at, math.MaxInt)
	m.count(y.outfit.pool)
	r, size := y.report(m, at, wire.CauseSchedule, d, inventory.SectionSystem, inventory.SectionAntivirus, inventory.SectionSources)
	y.weight += 8 + len(d.set)
	return task{m: m, kind: evReport, report: r, size: size}
}

// noticed is the report of a program that came or went just now.
func (y *history) noticed(ctx context.Context, e *event) error {
	m, d := e.m, e.m.begin()
	if e.kind == evInstall {
		y.choose(e)
	}
	if e.pick.track == nil {
		return nil
	}
	for _, prog := range e.pick.progs {
		m.remove(y.outfit.pool, d, prog)
	}
	if e.kind == evInstall {
		if len(d.removed) > 0 {
			return errors.New("installed twice: the sample is wrong")
		}
		n := e.pick.at(e.at)
		m.add(y.outfit.pool, d, e.pick.progs[n], e.at)
		m.tracks = append(m.tracks, tracked{e.pick.track, n})
	}
	if d.empty() {
		return nil
	}
	r, size := y.report(m, e.at, wire.CauseNoticed, d)
	y.clock.move(e.at.Add(2 * time.Second))
	return y.tell(ctx, &task{m: m, kind: e.kind, report: r, size: size})
}

// choose settles which program an evInstall is about: none where m has it.
func (y *history) choose(e *event) {
	t := e.pick.track
	switch {
	case t != nil: // it comes back
	case e.what != nil:
		t = y.outfit.named(e.m, *e.what)
	default:
		t = y.outfit.alone(e.m)
	}
	for _, prog := range t.progs {
		if e.m.has(prog) || y.outfit.pool.list[prog].Source == e.m.failing { // a source that fails tells nothing new
			t = nil
			break
		}
	}
	e.pick.track = t
}

// rebuild gives m more memory, or Windows 11.
func (y *history) rebuild(ctx context.Context, e *event) error {
	m, d := e.m, e.m.begin()
	if m.os == windows10 && m.model.year >= 2018 {
		m.os, m.built = windows11, e.at.Add(-2*time.Hour)
		for i := range y.cat.apps {
			if a := &y.cat.apps[i]; a.new {
				p := product{name: a.name, publisher: "Microsoft Corporation", origin: "Microsoft Store", source: "appx",
					path: `C:\Program Files\WindowsApps\` + a.name, versions: []string{a.version}}
				if prog := y.outfit.product(&p, m.user).progs[0]; !m.has(prog) {
					m.add(y.outfit.pool, d, prog, e.at.Add(-time.Hour))
				}
			}
		}
	} else {
		m.memory *= 2
	}
	m.count(y.outfit.pool)
	r, size := y.report(m, e.at, wire.CauseStart, d, inventory.SectionHardware, inventory.SectionSystem, inventory.SectionSources)
	y.clock.move(e.at.Add(2 * time.Second))
	return y.tell(ctx, &task{m: m, kind: evReport, report: r, size: size})
}
