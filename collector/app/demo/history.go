package demo

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/internal/pki"
)

// keepReports is how long the collector knows the ids of reports: see collector/app.
const keepReports = 120 * 24 * time.Hour

// history is the year while it happens.
type history struct {
	ctx      context.Context
	o        Options
	cat      *catalogue
	clock    *clock
	from, to time.Time
	company  *company
	machines []*machine
	outfit   *outfitter

	store    *store.Store
	fleet    *fleet.Service
	people   *org.Importer
	ingester *ingest.Ingester
	lists    *allowlist.Service

	ids     chance // of identities and rules
	reports chance // of reports
	key     throwaway
	tokens  map[string][]byte // "site/area" → secret
	cloned  string            // the machine that is alive while its clone enrolls
	changes int64
	rules   int
	waiting []task
	weight  int
	latest  time.Time // of the events so far
}

// newYear opens the use-cases, with the clock standing at the year's beginning.
func newYear(ctx context.Context, st *store.Store, c *clock, o Options) (*history, error) {
	cat, err := readCatalogue()
	if err != nil {
		return nil, err
	}
	y := &history{ctx: ctx, o: o, cat: cat, clock: c, from: c.now(), to: o.Now, store: st, tokens: map[string][]byte{},
		ids: newChance(o.Seed, forIDs, 0), reports: newChance(o.Seed, forReports, 0)}
	authority, err := fleet.OpenAuthority(ctx, st, st, st, "Vigía collector CA", c.now())
	if err != nil {
		return nil, err
	}
	y.ingester = ingest.New(ingest.Config{Store: st, Allowlists: st, Records: st.Nonconformities(), Directory: st, Now: c.now, Log: o.Log,
		Name: "sample", Linger: 300 * time.Microsecond, Flush: time.Millisecond, Pending: 1 << 20})
	y.fleet = fleet.New(fleet.Deps{Tx: st, Machines: st, Groups: st, Tokens: st, Certificates: st, Agents: st, Changes: st, Commands: st, Audit: st, Findings: y.ingester,
		Authority: authority, Now: c.now, NewID: y.ids.uuid, Live: func(id string) bool { return id == y.cloned }})
	y.people = &org.Importer{Tx: st, Store: st, Audit: st, Now: c.now,
		Notify: func(ctx context.Context) error { return st.Notify(ctx, fleet.ChangePolicy, "org") }}
	y.lists = allowlist.New(allowlist.Config{Tx: st, Allowlists: st, Changes: st, Audit: st, Findings: y.ingester, Programs: st, Now: c.now,
		NewID: func() (string, error) { return y.ids.uuid(), nil }})
	if o.Machines > DefaultMachines { // the cap is for a company of the usual size
		if err := st.SaveBrake(ctx, authorization.Brake{Cap: o.Machines}); err != nil {
			return nil, err
		}
	}
	if y.key, err = newThrowaway(); err != nil {
		return nil, err
	}
	y.company = newCompany(o.Seed, cat, max(18, o.Machines*300/320))
	y.outfit = newOutfitter(cat, y.from)
	y.makeMachines()
	return y, nil
}

// throwaway is the key of every certificate of the sample: it is forgotten afterwards,
// so that nobody can ever connect as one of its machines.
type throwaway struct {
	sign func(csr []byte) ([]byte, error)
	csr  []byte
}

func newThrowaway() (throwaway, error) {
	key, err := pki.GenerateKey()
	if err != nil {
		return throwaway{}, err
	}
	csr, err := pki.NewCSR(key)
	return throwaway{csr: csr, sign: func(csr []byte) ([]byte, error) { return pki.SignRenewal(key, csr) }}, err
}

// live lets the year happen.
func (y *history) live(ctx context.Context) (err error) {
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- y.ingester.Run(running) }()
	defer func() {
		stop()
		err = cmp.Or(err, <-ended)
	}()
	events := y.plan()
	for i := range events {
		if i%512 == 0 {
			y.o.Progress("a year of history", float64(i)/float64(len(events)))
		}
		if events[i].at.After(y.to) {
			break
		}
		if err := y.happen(ctx, &events[i]); err != nil {
			return fmt.Errorf("%s: %w", events[i].at.Format(time.DateTime), err)
		}
	}
	if err := y.flush(ctx); err != nil {
		return err
	}
	y.clock.move(y.to)
	if err := y.follow(ctx, 0); err != nil {
		return err
	}
	for { // as the collector's own job does
		n, err := y.store.PruneReports(ctx, y.to.Add(-keepReports).UnixMicro(), 5000)
		if err != nil || n == 0 {
			return err
		}
	}
}

// summary counts what was made.
func (y *history) summary(ctx context.Context) (Summary, error) {
	s := Summary{Seed: y.o.Seed, From: y.from, To: y.to, Sites: len(y.company.sites), Areas: len(y.company.areas), People: len(y.company.people),
		Machines: len(y.machines), Reports: y.ingester.Stats().Reports, Rules: y.rules}
	for _, m := range y.machines {
		s.Installs += len(m.list)
	}
	for _, p := range fixed() {
		s.SignIn = append(s.SignIn, SignIn{Email: p.email, Role: string(p.role)})
	}
	counts, err := y.store.FindingCounts(ctx)
	if err != nil {
		return s, err
	}
	for state, n := range counts {
		s.Findings += n
		if state == authorization.Open {
			s.OpenFindings = n
		}
	}
	for after := int64(0); ; {
		list, err := y.store.Nonconformities().List(ctx, nonconformity.Filter{After: after, Limit: 1000})
		if err != nil {
			return s, err
		}
		if s.Nonconformities += len(list); len(list) < 1000 {
			return s, nil
		}
		after = list[len(list)-1].Row
	}
}
