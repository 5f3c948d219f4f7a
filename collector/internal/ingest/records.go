package ingest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// note is one thing that happened to a finding, for its record.
type note struct {
	machine *machineState
	finding *Finding
	program *inventory.Program // nil with noteGone and noteAuthorized
	kind    noteKind
	why     cause
	join    bool // a finding without a record joins or opens one
}

type noteKind int

const (
	noteFound noteKind = iota
	noteUpgraded
	noteReturned
	noteGone
	noteAuthorized
	noteArchived // the machine, and so of its revocation and return
	noteRevoked
	noteRestored
	noteWithdrawn // by hand
)

// Kinds of nonconformity.Event besides those that package names.
const (
	HistoryUpgraded = "upgraded" // the program changed its version and is still not authorized
	HistoryArchived = "archived" // the machine was taken out of use; also a kind of Evidence
	HistoryRevoked  = "revoked"  // the machine's identity was taken away: it tells no more
	HistoryRestored = "restored" // the machine was enrolled again and the program is still there
)

// recordKeeper writes on the nonconformities what happened to their findings.
type recordKeeper struct {
	in      *Ingester
	now     time.Time
	notes   []note
	order   []*record
	numbers map[string]*record
	open    map[machinePerson]*record
	of      map[*Finding]*record // of findings that joined in this batch
	people  map[string]org.Person

	hr       []org.Person      // read when first needed
	managers map[string]string // area → e-mail, the same

	brake *authorization.Brake // read when a record is first to be opened
	begun int                  // records of the hour
}

type machinePerson struct{ machine, person string }

// record is a nonconformity within a batch.
type record struct {
	nc       nonconformity.Nonconformity
	stored   int // length of History as it was read; 0 for a new one
	findings []*Finding
}

func newRecordKeeper(in *Ingester, now time.Time) *recordKeeper {
	return &recordKeeper{in: in, now: now, numbers: map[string]*record{}, open: map[machinePerson]*record{},
		of: map[*Finding]*record{}, people: map[string]org.Person{}}
}

func (k *recordKeeper) add(n note) { k.notes = append(k.notes, n) }

// keep applies the notes in order and stores the records. Findings must have rows.
func (k *recordKeeper) keep(ctx context.Context) error {
	for i := range k.notes {
		n := &k.notes[i]
		r, err := k.recordOf(ctx, n)
		if err != nil {
			return err
		}
		if r != nil {
			k.apply(r, n)
		}
	}
	for _, r := range k.order {
		k.contain(r)
		if err := k.store(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// recordOf returns the record that a note belongs to, or nil for none.
func (k *recordKeeper) recordOf(ctx context.Context, n *note) (*record, error) {
	f := n.finding
	if r := k.of[f]; r != nil {
		return r, nil
	}
	if f.Nonconformity != "" {
		return k.byNumber(ctx, f.Nonconformity)
	}
	if !n.join {
		return nil, nil
	}
	at := machinePerson{n.machine.ID, n.machine.Person}
	r := k.open[at]
	if r == nil {
		nc, err := k.in.cfg.Records.Joinable(ctx, at.machine, at.person, k.now.Add(-nonconformity.JoinWindow))
		switch {
		case err == nil:
			if r = k.numbers[nc.Number]; r == nil {
				r = k.keepRecord(nc)
			}
		case apperr.Is(err, apperr.NotFound):
			if held, err := k.braked(ctx, n); err != nil || held {
				return nil, err
			}
			if r, err = k.begin(ctx, n); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
		k.open[at] = r
	}
	k.of[f], r.findings = r, append(r.findings, f)
	return r, nil
}

func (k *recordKeeper) byNumber(ctx context.Context, number string) (*record, error) {
	if r := k.numbers[number]; r != nil {
		return r, nil
	}
	nc, err := k.in.cfg.Records.Take(ctx, number)
	if err != nil {
		return nil, err
	}
	return k.keepRecord(nc), nil
}

func (k *recordKeeper) keepRecord(nc nonconformity.Nonconformity) *record {
	r := &record{nc: nc, stored: len(nc.History)}
	k.numbers[nc.Number], k.order = r, append(k.order, r)
	return r
}

// begin makes a record with its machine, person and parties.
func (k *recordKeeper) begin(ctx context.Context, n *note) (*record, error) {
	m := n.machine
	person, err := k.person(ctx, m.Person)
	if err != nil {
		return nil, err
	}
	area := cmp.Or(person.Area, m.Area)
	parties, err := k.partiesOf(ctx, person, area)
	if err != nil {
		return nil, err
	}
	r := &record{nc: nonconformity.Nonconformity{Machine: m.ID, Hostname: m.Hostname, Person: m.Person,
		PersonName: person.Name, Area: area, Site: cmp.Or(m.Site, person.Site), Parties: parties}}
	r.nc.Severity = severityOf(n)
	r.nc.Begin(k.now)
	k.order = append(k.order, r)
	return r, nil
}

// store writes r, and its number on the findings that joined it. The clock of the
// records is to look at it next.
func (k *recordKeeper) store(ctx context.Context, r *record) error {
	r.nc.NextAt = time.Time{}
	if k.in.cfg.Terms != nil {
		terms, err := k.in.cfg.Terms(ctx, r.nc.Site)
		if err != nil {
			return err
		}
		r.nc.Schedule(terms)
		r.nc.NextAt = time.Time{}
	}
	if r.nc.Number != "" {
		if err := k.in.cfg.Records.Save(ctx, r.nc); err != nil {
			return err
		}
	} else {
		nc, err := k.in.cfg.Records.Create(ctx, r.nc)
		if err != nil {
			return err
		}
		r.nc.Number = nc.Number
	}
	for _, f := range r.findings {
		f.Nonconformity = r.nc.Number
	}
	return nil
}

// apply writes one note on a record.
func (k *recordKeeper) apply(r *record, n *note) {
	p := r.program(n)
	switch n.kind {
	case noteFound, noteUpgraded, noteReturned:
		p.Version, p.State, p.GoneAt = n.program.Version, "present", time.Time{}
	case noteGone, noteArchived:
		p.State, p.GoneAt = "gone", n.why.at
	case noteAuthorized:
		p.State = "authorized"
	case noteRestored:
		p.State, p.GoneAt = "present", time.Time{}
	}
	switch n.kind {
	case noteFound:
		r.prove("found", n)
		kind := "joined"
		if len(r.nc.History) == 0 {
			kind = "opened"
		} else if !r.nc.ContainedAt.IsZero() {
			kind = "recurred"
		}
		r.nc.Severity = nonconformity.Worse(r.nc.Severity, severityOf(n))
		k.tell(r, kind, p, n)
	case noteUpgraded:
		r.prove("found", n)
		k.tell(r, HistoryUpgraded, p, n)
	case noteReturned:
		r.prove("returned", n)
		if len(r.nc.History) == 0 { // came back without a record, under enforce
			k.tell(r, "opened", p, n)
			break
		}
		k.tell(r, "recurred", p, n)
		if r.nc.Apply(nonconformity.Return, nonconformity.PartAgent, k.now) != nil {
			_ = r.nc.Apply(nonconformity.Repeat, nonconformity.PartAgent, k.now) // the record counts no return where it ended otherwise
		}
	case noteGone:
		r.prove("gone", n)
	case noteAuthorized:
		k.tell(r, "authorized", p, n)
	case noteArchived:
		r.prove(HistoryArchived, n)
		k.tell(r, HistoryArchived, p, n)
	case noteRevoked:
		k.tell(r, HistoryRevoked, p, n)
	case noteRestored:
		k.tell(r, HistoryRestored, p, n)
	case noteWithdrawn:
		k.withdrawn(r, p, n)
	}
	if p.State == "present" && r.nc.Can(nonconformity.Uncontain, nonconformity.PartAgent) {
		_ = r.nc.Apply(nonconformity.Uncontain, nonconformity.PartAgent, k.now)
	}
}

// program returns the record's line of a note's finding.
func (r *record) program(n *note) *nonconformity.Program {
	i := slices.IndexFunc(r.nc.Programs, func(p nonconformity.Program) bool { return p.Finding == n.finding.Row })
	if i < 0 {
		i = len(r.nc.Programs)
		p := nonconformity.Program{Finding: n.finding.Row}
		if n.program != nil {
			p.Name, p.Source = n.program.Name, n.program.Source
		}
		r.nc.Programs = append(r.nc.Programs, p)
	}
	return &r.nc.Programs[i]
}

// prove adds evidence. Of a program that went, the last evidence tells what it was.
func (r *record) prove(kind string, n *note) {
	e := nonconformity.Evidence{Kind: kind, Finding: n.finding.Row, At: n.why.at}
	if n.why.report != (wire.ID{}) {
		e.Report = n.why.report.String()
	}
	if p := n.program; p != nil {
		e.Program, e.Source, e.Path, e.SHA256 = p.Name, p.Source, p.Path, p.SHA256
	} else {
		for i := len(r.nc.Evidence) - 1; i >= 0; i-- {
			if was := &r.nc.Evidence[i]; was.Finding == e.Finding {
				e.Program, e.Source, e.Path, e.SHA256 = was.Program, was.Source, was.Path, was.SHA256
				break
			}
		}
	}
	r.nc.Evidence = append(r.nc.Evidence, e)
}

// maxDetail bounds the names in one line of history, in bytes.
const maxDetail = 500

// tell adds a line of history, or the program's name to the last line where that says
// the same.
func (k *recordKeeper) tell(r *record, kind string, p *nonconformity.Program, n *note) {
	who := actor.Actor{Kind: actor.Machine, ID: n.machine.ID}
	if n.why.policy {
		who = actor.Actor{Kind: actor.System, ID: "policy"}
	}
	by := who.String()
	if n.why.by != "" {
		by = n.why.by
	}
	name := p.Name
	if p.Version != "" {
		name += " " + p.Version
	}
	if last := len(r.nc.History) - 1; last >= r.stored {
		if e := &r.nc.History[last]; (e.Kind == kind || e.Kind == "opened" && kind == "joined") && e.Actor == by {
			if len(e.Detail)+len(name) < maxDetail {
				e.Detail += ", " + name
			}
			return
		}
	}
	r.nc.History = append(r.nc.History, nonconformity.Event{At: k.now, Actor: by, Kind: kind, Detail: name})
}

// contain says so where every program of the record is gone or authorized.
func (k *recordKeeper) contain(r *record) {
	if r.nc.Present() || r.nc.Apply(nonconformity.Contain, nonconformity.PartAgent, k.now) != nil {
		return
	}
	who := actor.Actor{Kind: actor.System, ID: "ingest"}
	r.nc.History = append(r.nc.History, nonconformity.Event{At: k.now, Actor: who.String(), Kind: "contained"})
}
