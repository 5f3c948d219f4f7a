package review_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/review"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

var epoch = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// bench is the review over a store with machines that have told what they have.
type bench struct {
	*review.Service
	t     *testing.T
	s     *store.Store
	rules *allowlist.Service
	clock *time.Time
}

func machineID(m int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", m) }

func newBench(t *testing.T, s *store.Store, mode authorization.Mode) *bench {
	t.Helper()
	clock := epoch
	now := func() time.Time { return clock }
	in := ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: now, Name: "test"})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = in.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	n := 0
	rules := allowlist.New(allowlist.Config{Tx: s, Allowlists: s, Changes: s, Audit: s, Findings: in, Programs: s, Now: now,
		NewID: func() (string, error) { n++; return fmt.Sprintf("R%d", n), nil }})
	b := &bench{t: t, s: s, rules: rules, clock: &clock, Service: review.New(review.Config{Store: s, Rules: rules, Records: in, Audit: s, Now: now})}
	b.must(s.InTx(ctx, func(ctx context.Context) error {
		for _, name := range []string{"Querétaro", "León"} {
			if err := s.SaveSite(ctx, org.Site{Name: name}); err != nil {
				return err
			}
		}
		return s.SavePerson(ctx, org.Person{Email: "ana@example.com", Name: "Ana", Role: actor.Technician})
	}))
	for m := 1; m <= 3; m++ {
		site := "Querétaro"
		if m == 3 {
			site = "León"
		}
		_, err := s.CreateMachine(ctx, fleet.Machine{ID: machineID(m), Hostname: fmt.Sprintf("pc-%d", m), Site: site, State: fleet.Active, EnrolledAt: epoch})
		b.must(err)
		sess, err := in.Open(ctx, machineID(m))
		b.must(err)
		list, _ := inventory.NormalizePrograms([]inventory.Program{
			{Name: "Juego <b>", Version: fmt.Sprint(m%2 + 1), Source: "file", Scope: inventory.ScopeMachine, Path: "/opt/juego"},
			{Name: "Juego <b>", Version: "9", Source: "deb", Origin: "Debian", Scope: inventory.ScopeMachine, Requested: true},
			{Name: "Remoto", Version: "1", Source: "deb", Scope: inventory.ScopeMachine}})
		_, err = sess.Submit(ctx, &wire.Report{ID: wire.ID{1, byte(m)}, TakenAt: epoch, Sections: []wire.SectionUpdate{{Section: inventory.SectionSoftware,
			Body: wire.BodySoftware, Software: list, Result: inventory.DigestSoftware(list)}}}, 1)
		b.must(err)
		sess.Close()
	}
	_, err := rules.AddRules(b.as("ana@example.com"), []policy.Rule{{Name: "prohibido", Effect: policy.Deny, Match: policy.Match{Name: "Remoto"}}}, allowlist.Options{Apply: true})
	b.must(err)
	none := -1
	for _, m := range []authorization.Mode{authorization.Monitor, mode} {
		_, err = rules.SetMode(b.as("ana@example.com"), m, allowlist.Options{Apply: true, MaxOpen: &none})
		b.must(err)
	}
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) as(person string) context.Context {
	return actor.With(context.Background(), actor.Actor{Kind: actor.Person, ID: person, Role: actor.Technician})
}

// queue is the groups' programs and findings, in order.
func (b *bench) queue(f review.Filter) (review.Queue, []string) {
	b.t.Helper()
	q, err := b.Queue(b.as("ana@example.com"), f, paging.Place{}, 50, epoch)
	b.must(err)
	var list []string
	for _, g := range q.Groups {
		list = append(list, fmt.Sprintf("%s/%s:%d", g.Program, g.Source, g.Findings))
	}
	return q, list
}

func (b *bench) want(got []string, want ...string) {
	b.t.Helper()
	if !slices.Equal(got, want) {
		b.t.Fatalf("queue %v, want %v", got, want)
	}
}

func (b *bench) key(f review.Filter, program, source string) review.Pick {
	b.t.Helper()
	q, _ := b.queue(f)
	for _, g := range q.Groups {
		if g.Program == program && g.Source == source {
			return review.Pick{Filter: f, Keys: []string{g.Key}}
		}
	}
	b.t.Fatalf("no group %s of %s", program, source)
	return review.Pick{}
}

const game = "Juego <b>"

func TestOneDecisionForAProgramAndTheWayBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, authorization.Enforce)
		ana := b.as("ana@example.com")
		all := []string{"Remoto/deb:3", game + "/file:3"}
		q, got := b.queue(review.Filter{})
		for _, g := range q.Groups {
			if g.Source == "deb" && g.Program == game {
				all = append(all, game+"/deb:3") // where the baseline does not cover it
			}
		}
		if len(q.Groups) < 2 || q.Groups[0].Program != "Remoto" || !q.Groups[0].Denied || q.Groups[0].Rule != "prohibido" {
			t.Fatalf("queue %+v", q)
		}
		if len(got) != len(all) || q.Left != len(all) || q.Decided != 0 {
			t.Fatalf("queue %v, want %v; %+v", got, all, q)
		}
		if _, list := b.queue(review.Filter{Site: "león", Source: "file"}); len(list) != 1 || list[0] != game+"/file:1" {
			t.Errorf("at one site: %v", list)
		}
		if _, list := b.queue(review.Filter{Query: "JUEG"}); len(list) != len(all)-1 {
			t.Errorf("searched: %v", list)
		}
		pick := b.key(review.Filter{}, game, "file")

		// authorize: shown first, refused without a reason, done, undone
		draft, err := b.Draft(ana, pick, review.Terms{Where: review.AtSites})
		b.must(err)
		if draft.Plan.Impact.Closes != 3 || draft.Plan.Impact.ClosesMachines != 3 || len(draft.Rules) != 1 || !slices.Equal(draft.Rules[0].Scope.Sites, []string{"León", "Querétaro"}) {
			t.Fatalf("draft %+v", draft)
		}
		if _, err := b.Authorize(ana, pick, review.Terms{Where: review.Everywhere}); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("without a reason: %v", err)
		}
		if _, err := b.Authorize(ana, pick, review.Terms{Where: review.Everywhere, Reason: "x", Until: epoch.Add(-time.Hour)}); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("until the past: %v", err)
		}
		d, err := b.Authorize(ana, pick, review.Terms{Where: review.Everywhere, Reason: "se usa en ventas"})
		b.must(err)
		if d.Findings != 3 || d.Version != 4 || !slices.Equal(d.Programs, []string{game}) {
			t.Fatalf("decision %+v", d)
		}
		if q, list := b.queue(review.Filter{}); len(list) != len(all)-1 || q.Decided != 1 {
			t.Fatalf("after authorizing: %v, %+v", list, q)
		}
		if mine, err := b.Mine(ana, epoch, 5); err != nil || len(mine) != 1 || mine[0].ID != d.ID {
			t.Errorf("to take back: %+v, %v", mine, err)
		}
		_, err = b.Undo(ana, d.ID)
		b.must(err)
		if q, list := b.queue(review.Filter{}); len(list) != len(all) || q.Decided != 0 { // enforce opens no record for what an undo brings back
			t.Fatalf("after the undo: %v, %+v", list, q)
		}
		if _, err := b.Undo(ana, d.ID); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("twice: %v", err)
		}
		if _, err := b.Draft(ana, b.key(review.Filter{}, "Remoto", "deb"), review.Terms{Where: review.Everywhere}); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("what is denied: %v", err)
		}

		// records, one for each machine
		d, err = b.OpenRecords(ana, b.key(review.Filter{Site: "Querétaro"}, game, "file"))
		b.must(err)
		if d.Findings != 2 || d.Machines != 2 {
			t.Fatalf("records %+v", d)
		}
		if _, list := b.queue(review.Filter{View: review.Recorded}); !slices.Equal(list, []string{game + "/file:2"}) {
			t.Errorf("in records: %v", list)
		}
		_, err = b.Undo(ana, d.ID)
		b.must(err)
		if _, list := b.queue(review.Filter{View: review.Recorded}); len(list) != 0 {
			t.Errorf("still in records: %v", list)
		}

		// not now
		d, err = b.PutOff(ana, b.key(review.Filter{}, game, "file"))
		b.must(err)
		if _, list := b.queue(review.Filter{}); len(list) != len(all)-1 {
			t.Errorf("put off: %v", list)
		}
		if _, list := b.queue(review.Filter{View: review.PutOff}); !slices.Equal(list, []string{game + "/file:3"}) {
			t.Errorf("waiting: %v", list)
		}
		*b.clock = epoch.Add(review.PutOffFor + time.Minute)
		if _, list := b.queue(review.Filter{}); len(list) != len(all) {
			t.Errorf("its time came: %v", list)
		}
		*b.clock = epoch
		_, err = b.Undo(ana, d.ID)
		b.must(err)
		if _, list := b.queue(review.Filter{}); len(list) != len(all) {
			t.Errorf("taken up: %v", list)
		}
		found, err := b.Select(ana, b.key(review.Filter{}, game, "file"))
		b.must(err)
		if list, err := b.On(ana, found.Findings[0].Row); err != nil || len(list) != 3 || list[0].Kind != review.Later {
			t.Errorf("decisions about a finding: %+v, %v", list, err)
		}
	})
}

func TestAuthorizingMoreNarrowly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, authorization.Monitor)
		ana := b.as("ana@example.com")
		pick := b.key(review.Filter{}, game, "file")
		sel, err := b.Select(ana, pick)
		b.must(err)
		d, err := b.Authorize(ana, review.Pick{Rows: []int64{sel.Findings[0].Row}}, review.Terms{Where: review.OnMachines, Versions: true, Reason: "prueba", Until: epoch.Add(48 * time.Hour)})
		b.must(err)
		if d.Findings != 1 || d.Machines != 1 {
			t.Errorf("one machine: %+v", d)
		}
		a, err := b.rules.Current(ana)
		b.must(err)
		r := a.Rules[len(a.Rules)-1]
		if !slices.Equal(r.Scope.Machines, []string{"pc-1"}) || r.Match.Version != "=2" || r.Owner != "ana@example.com" || r.Reason != "prueba" || r.ValidUntil.IsZero() {
			t.Errorf("rule %+v", r)
		}
		// somebody changes the rule: the decision cannot be taken back as it was
		r.Reason = "otra"
		_, err = b.rules.ChangeRule(ana, r.ID, r, allowlist.Options{Apply: true})
		b.must(err)
		if _, err := b.Undo(ana, d.ID); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("overtaken: %v", err)
		}
		if mine, err := b.Mine(ana, epoch, 5); err != nil || len(mine) != 1 {
			t.Errorf("a decision that could not be taken back is gone: %+v, %v", mine, err)
		}
		if _, err := b.Select(ana, review.Pick{Keys: []string{"x"}}); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("no key: %v", err)
		}
		if _, err := b.Select(ana, review.Pick{Keys: []string{"999-0-u"}}); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("nothing: %v", err)
		}
		if _, err := b.Select(ana, review.Pick{}); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("none chosen: %v", err)
		}
	})
}

func TestOnlyReviewersReview(t *testing.T) {
	s := storetest.SQLite(t)
	b := newBench(t, s, authorization.Monitor)
	pick := b.key(review.Filter{}, game, "file")
	for _, role := range []actor.Role{actor.AreaManager, actor.HR, actor.Employee, actor.Auditor, actor.Purchasing} {
		ctx := actor.With(context.Background(), actor.Actor{Kind: actor.Person, ID: "otro@example.com", Role: role})
		_, e1 := b.Queue(ctx, review.Filter{}, paging.Place{}, 10, epoch)
		_, e2 := b.Draft(ctx, pick, review.Terms{})
		_, e3 := b.Authorize(ctx, pick, review.Terms{Reason: "x", Where: review.Everywhere})
		_, e4 := b.OpenRecords(ctx, pick)
		_, e5 := b.PutOff(ctx, pick)
		_, e6 := b.Undo(ctx, 1)
		_, e7 := b.Mine(ctx, epoch, 5)
		_, e8 := b.On(ctx, 1)
		for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8} {
			if !apperr.Is(err, apperr.Forbidden) {
				t.Errorf("%s, %d: %v", role, i, err)
			}
		}
	}
}

func TestPagesOfTheQueueLeaveNothingOut(t *testing.T) {
	s := storetest.SQLite(t)
	b := newBench(t, s, authorization.Monitor)
	_, all := b.queue(review.Filter{})
	var got []string
	after := paging.Place{}
	for range 10 {
		q, err := b.Queue(b.as("ana@example.com"), review.Filter{}, after, 1, epoch)
		b.must(err)
		for _, g := range q.Groups {
			got = append(got, fmt.Sprintf("%s/%s:%d", g.Program, g.Source, g.Findings))
		}
		if after = q.Next; after.IsZero() {
			break
		}
	}
	b.want(got, all...)
	if _, err := b.Queue(b.as("ana@example.com"), review.Filter{}, paging.Place{Value: "x", Key: "y"}, 1, epoch); !apperr.Is(err, apperr.Invalid) {
		t.Errorf("a place that is none: %v", err)
	}
}
