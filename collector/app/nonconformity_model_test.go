package app

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/org"
	"vigia/collector/internal/setting"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

// act is one step of a random history of records.
type act struct {
	Kind    string
	Machine int
	Have    []int
	Who     int
	Step    string
	Hours   int
	Record  int
}

const lifeMachines = 2

var lifePeople = []actor.Actor{
	{Kind: actor.Person, ID: "user0@example.com", Role: actor.Employee}, {Kind: actor.Person, ID: "user1@example.com", Role: actor.Employee},
	{Kind: actor.Person, ID: "manager@example.com", Role: actor.AreaManager}, {Kind: actor.Person, ID: "other@example.com", Role: actor.AreaManager},
	{Kind: actor.Person, ID: "hr@example.com", Role: actor.HR}, {Kind: actor.Person, ID: "admin@example.com", Role: actor.Administrator},
	{Kind: actor.Person, ID: "tech@example.com", Role: actor.Technician}, {Kind: actor.Person, ID: "chief@example.com", Role: actor.GeneralManagement},
	{Kind: actor.Person, ID: "auditor@example.com", Role: actor.Auditor},
}

func genActs() *rapid.Generator[[]act] {
	kinds := []string{"report", "report", "report", "unchanged", "step", "step", "step", "step", "step", "forward", "forward", "comment", "clock", "clock", "clock", "allow", "archive"}
	steps := []string{"notify", "statement", "cause", "plan", "implement", "measure", "verify", "close", "withdraw", "concede"}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		return act{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Machine: rapid.IntRange(0, lifeMachines-1).Draw(t, "machine"),
			Have: rapid.SliceOfNDistinct(rapid.IntRange(0, 2), 0, 2, rapid.ID[int]).Draw(t, "have"), Who: rapid.IntRange(0, len(lifePeople)-1).Draw(t, "who"),
			Step: rapid.SampledFrom(steps).Draw(t, "step"), Hours: rapid.SampledFrom([]int{1, 5, 23, 50, 200, 740}).Draw(t, "hours"), Record: rapid.IntRange(0, 5).Draw(t, "record")}
	}), 20, 45)
}

// lifeWorld plays a history on the real parts and looks at everything after each step.
type lifeWorld struct {
	t        *testing.T
	d        *desk
	others   *nonconformity.Service // of a second collector
	in       *ingest.Ingester
	sessions []*ingest.Session
	mu       sync.Mutex
	at       time.Time
	report   uint64
	have     [lifeMachines][]inventory.Program
	allowed  bool
	lengths  map[string][3]int // number → history, evidence, steps
	released map[int64]bool    // findings of withdrawn records
	reached  map[nonconformity.State]bool
}

func (w *lifeWorld) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func newLifeWorld(t *testing.T, where string) *lifeWorld {
	w := &lifeWorld{t: t, at: time.Date(2026, 11, 27, 18, 0, 0, 0, time.UTC), lengths: map[string][3]int{}, released: map[int64]bool{}, reached: map[nonconformity.State]bool{}}
	cfg := Config{Data: where, SMTPURL: "smtp://127.0.0.1:1", Synchronous: "OFF", Now: w.now, Zone: time.UTC}
	if strings.HasPrefix(where, "postgres") {
		cfg.Data, cfg.DatabaseURL = "", where
	}
	var err error
	if w.d, err = openDesk(t.Context(), cfg, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.d.close() })
	w.others = w.d.newRecords()
	ctx := actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "test", Role: actor.Administrator})
	_, err = w.d.settings.Set(ctx, map[string]string{setting.ConsoleAddress: "https://vigia.example.com"})
	w.must(err)
	for _, p := range lifePeople {
		x := org.Person{Email: p.ID, Name: strings.TrimSuffix(p.ID, "@example.com"), Role: p.Role, Active: true}
		if strings.HasPrefix(p.ID, "user") {
			x.PrimaryMachine = "pc-" + p.ID[4:5]
		}
		w.must(w.d.store.SavePerson(ctx, x))
	}
	w.must(w.d.store.SaveArea(ctx, org.Area{Name: "Ventas", Manager: "manager@example.com"}))
	w.must(w.d.store.SaveArea(ctx, org.Area{Name: "Compras", Manager: "other@example.com"}))
	w.in = w.d.newIngester("model")
	running, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.in.Run(running) }()
	t.Cleanup(func() { cancel(); <-done })
	for m := range lifeMachines {
		_, err := w.d.store.CreateMachine(ctx, fleet.Machine{ID: lifeMachine(m), Hostname: fmt.Sprintf("pc-%d", m), Area: "Ventas", State: fleet.Active, EnrolledAt: w.at})
		w.must(err)
	}
	w.must(w.d.store.SavePerson(ctx, org.Person{Email: "user0@example.com", Name: "user0", Area: "Ventas", PrimaryMachine: "pc-0", Role: actor.Employee, Active: true}))
	if _, err := w.d.store.AssignPrimary(ctx); err != nil {
		t.Fatal(err)
	}
	w.policy(ctx)
	for m := range lifeMachines {
		s, err := w.in.Open(ctx, lifeMachine(m))
		w.must(err)
		t.Cleanup(s.Close)
		w.sessions = append(w.sessions, s)
	}
	return w
}

func lifeMachine(m int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", m+1) }

func (w *lifeWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// policy enforces an allowlist that covers program 2, or nothing.
func (w *lifeWorld) policy(ctx context.Context) {
	current, err := w.d.store.CurrentAllowlist(ctx)
	w.must(err)
	next := authorization.Allowlist{Mode: authorization.Enforce, Rules: []policy.Rule{}}
	if w.allowed {
		next.Rules = []policy.Rule{{ID: "two", Name: "two", Effect: policy.Allow, Match: policy.Match{Name: "program 2"}}}
	}
	next.Version = current.Version + 1
	_, err = w.d.store.SaveAllowlist(ctx, next)
	w.must(err)
	_, err = w.in.Reevaluate(ctx, 0)
	w.must(err)
}

func (w *lifeWorld) tell(m int, have []int) {
	var list []inventory.Program
	for _, n := range have {
		list = append(list, inventory.Program{Name: fmt.Sprintf("program %d", n), Version: "1", Source: "deb", Scope: inventory.ScopeMachine, Requested: true})
	}
	list, _ = inventory.NormalizePrograms(list)
	w.report++
	var id wire.ID
	binary.BigEndian.PutUint64(id[8:], 0x8000_0000_0000_0000|w.report)
	id[0] = 1
	_, err := w.sessions[m].Submit(w.t.Context(), &wire.Report{ID: id, TakenAt: w.now(), Protocol: 1, AgentVersion: "1", Cause: wire.CauseNeed, Sections: []wire.SectionUpdate{
		{Section: inventory.SectionSoftware, Body: wire.BodySoftware, Result: inventory.DigestSoftware(list), Software: list}}}, 100)
	if err != nil && !apperr.Is(err, apperr.Forbidden) { // an archived machine may not
		w.t.Fatal(err)
	}
	if err == nil {
		w.have[m] = list
	}
}

// answer is a good answer to any step.
func (w *lifeWorld) answer() nonconformity.Answer {
	day := w.now().AddDate(0, 0, 9).Format(time.DateOnly)
	return nonconformity.Answer{Text: "x", Whys: []string{"a", "b"}, Cause: "need", Measure: "talk", Until: day, Actions: []nonconformity.Action{{What: "a", Who: "b", By: day}}}
}

func (w *lifeWorld) do(i int, x act) {
	ctx := actor.With(w.t.Context(), lifePeople[x.Who])
	records := w.records()
	pick := func() (nonconformity.Nonconformity, bool) {
		if len(records) == 0 {
			return nonconformity.Nonconformity{}, false
		}
		return records[x.Record%len(records)], true
	}
	before := map[string]bool{}
	joinable := false
	for _, n := range records {
		before[n.Number] = true
		joinable = joinable || n.Machine == lifeMachine(x.Machine) && (n.State == nonconformity.Open || n.State == nonconformity.Notified) && w.now().Sub(n.OpenedAt) <= nonconformity.JoinWindow
	}
	switch x.Kind {
	case "report":
		w.tell(x.Machine, x.Have)
		for _, n := range w.records() {
			if joinable && !before[n.Number] {
				w.t.Fatalf("step %d %+v: %s was opened beside a record that it should have joined", i, x, n.Number)
			}
		}
	case "unchanged":
		digests := w.sessions[x.Machine].Digests()
		if _, err := w.sessions[x.Machine].Unchanged(w.t.Context(), inventory.CombineDigests(digests)); err != nil && !apperr.Is(err, apperr.Forbidden) {
			w.t.Fatal(err)
		}
	case "step":
		if n, ok := pick(); ok {
			w.take(ctx, i, n, x.Step)
		}
	case "forward": // what is awaited, by who may
		if n, ok := pick(); ok {
			for _, p := range lifePeople {
				ctx := actor.With(w.t.Context(), p)
				options, err := w.d.records.Options(ctx, n)
				w.must(err)
				for _, o := range options {
					if !o.Again && o.Step != "withdraw" && o.Step != "concede" {
						if !w.take(ctx, i, n, o.Step) {
							w.t.Fatalf("step %d: %s was offered %s of %s, %s, and refused", i, p, o.Step, n.Number, n.State)
						}
						return
					}
				}
			}
		}
	case "comment":
		if n, ok := pick(); ok {
			_, err := w.d.records.Comment(ctx, n.Number, fmt.Sprint("comment ", i), "127.0.0.1")
			w.expected(i, err)
		}
	case "clock":
		w.mu.Lock()
		w.at = w.at.Add(time.Duration(x.Hours) * time.Hour)
		w.mu.Unlock()
		_, err := w.in.Reevaluate(ctx, 0)
		w.must(err)
	case "allow":
		w.allowed = !w.allowed
		w.policy(ctx)
	case "archive":
		id := lifeMachine(x.Machine)
		admin := actor.With(w.t.Context(), lifePeople[5])
		m, err := w.d.fleet.Find(admin, id)
		w.must(err)
		if m.State == fleet.Archived {
			_, err = w.d.fleet.Restore(admin, id)
		} else {
			_, err = w.d.fleet.Archive(admin, id)
		}
		w.must(err)
		w.must(w.in.MachineChanged(admin, id))
	}
}

// take takes a step and tells whether it was allowed.
func (w *lifeWorld) take(ctx context.Context, i int, n nonconformity.Nonconformity, step string) bool {
	after, err := w.d.records.Take(ctx, n.Number, step, w.answer(), "127.0.0.1")
	w.expected(i, err)
	if err == nil && after.State == nonconformity.Withdrawn {
		for _, p := range after.Programs {
			w.released[p.Finding] = true
		}
	}
	return err == nil
}

// expected fails for errors that nobody should meet.
func (w *lifeWorld) expected(i int, err error) {
	switch apperr.CodeOf(err) {
	case "", apperr.Conflict, apperr.Forbidden, apperr.NotFound:
	default:
		w.t.Fatalf("step %d: %v", i, err)
	}
}

func (w *lifeWorld) records() []nonconformity.Nonconformity {
	list, err := w.d.store.Nonconformities().List(w.t.Context(), nonconformity.Filter{})
	w.must(err)
	for i := range list {
		list[i], err = w.d.store.Nonconformities().ByNumber(w.t.Context(), list[i].Number)
		w.must(err)
	}
	return list
}

// clock lets two collectors look at the same time.
func (w *lifeWorld) clock() {
	var wg sync.WaitGroup
	for _, s := range []*nonconformity.Service{w.d.records, w.others} {
		wg.Go(func() {
			if _, err := s.Round(w.t.Context()); err != nil {
				w.t.Errorf("the clock: %v", err)
			}
		})
	}
	wg.Wait()
}

func (w *lifeWorld) check(step string) {
	records := w.records()
	on := map[int64]string{}
	for i := range records {
		n := &records[i]
		w.reached[n.State] = true
		w.checkRecord(step, n)
		for _, p := range n.Programs {
			if p.State == "withdrawn" {
				continue
			}
			if other := on[p.Finding]; other != "" {
				w.t.Fatalf("%s: finding %d is in %s and %s", step, p.Finding, other, n.Number)
			}
			on[p.Finding] = n.Number
		}
	}
	findings, err := w.d.store.Findings(w.t.Context(), authorization.FindingFilter{Limit: 1000})
	w.must(err)
	for _, f := range findings {
		if f.Nonconformity != on[f.Row] {
			w.t.Fatalf("%s: finding %d names %q and stands in %q", step, f.Row, f.Nonconformity, on[f.Row])
		}
		if f.State == authorization.Open && f.Nonconformity == "" && !w.released[f.Row] {
			w.t.Fatalf("%s: finding %d is lost", step, f.Row)
		}
		if f.State == authorization.Open && f.Nonconformity != "" {
			i := slices.IndexFunc(records, func(n nonconformity.Nonconformity) bool { return n.Number == f.Nonconformity })
			if s := records[i].State; s == nonconformity.Closed || s == nonconformity.Withdrawn {
				w.t.Fatalf("%s: finding %d is open in %s, which is %s", step, f.Row, f.Nonconformity, s)
			}
		}
	}
}

func (w *lifeWorld) checkRecord(step string, n *nonconformity.Nonconformity) {
	now := w.now()
	terms, err := w.d.terms(w.t.Context(), n.Site)
	w.must(err)
	tasks := n.Tasks(terms)
	switch {
	case !n.State.Ended() && (n.Awaited == "" || n.DueAt.IsZero() || len(tasks) == 0):
		w.t.Fatalf("%s: %s is %s and awaits nobody: %q %s", step, n.Number, n.State, n.Awaited, n.DueAt)
	case !n.NextAt.After(now):
		w.t.Fatalf("%s: %s was left by the clock", step, n.Number)
	case n.State != nonconformity.Withdrawn && n.Present() != n.ContainedAt.IsZero():
		w.t.Fatalf("%s: %s %s: present %v, contained %s", step, n.Number, n.State, n.Present(), n.ContainedAt)
	case n.State.Ended() == n.EndedAt.IsZero():
		w.t.Fatalf("%s: %s is %s and ended at %s", step, n.Number, n.State, n.EndedAt)
	case n.State == nonconformity.Concession && n.Present() && !n.Until.After(now):
		w.t.Fatalf("%s: the concession of %s is over", step, n.Number)
	case n.NotifiedAt.IsZero() && !n.State.Ended():
		w.t.Fatalf("%s: nobody was told of %s", step, n.Number)
	}
	for _, task := range tasks {
		told := slices.ContainsFunc(n.Notices, func(x nonconformity.Notice) bool {
			return x.Round == n.Round && x.Step == task.Step && x.Since.Equal(task.Since) && x.Level == nonconformity.LevelOverdue
		})
		if due := !now.Before(task.Due); due != told {
			w.t.Fatalf("%s: %s %s is due %s, now %s; told %v", step, n.Number, task.Step, task.Due, now, told)
		}
	}
	if !n.VerifiedAt.IsZero() {
		look, err := w.d.store.Nonconformities().LastLook(w.t.Context(), n.Machine)
		w.must(err)
		by := n.Last(nonconformity.StepVerify)
		if look.At.Before(n.Period(terms)) && by == nil {
			w.t.Fatalf("%s: %s is effective by a look of %s, before %s", step, n.Number, look.At, n.Period(terms))
		}
	}
	for i := range n.Steps {
		if !n.Steps[i].Holds() {
			w.t.Fatalf("%s: %s: %s does not hold", step, n.Number, n.Steps[i].Kind)
		}
	}
	was, is := w.lengths[n.Number], [3]int{len(n.History), len(n.Evidence), len(n.Steps)}
	for i := range was {
		if is[i] < was[i] {
			w.t.Fatalf("%s: the history of %s became shorter", step, n.Number)
		}
	}
	w.lengths[n.Number] = is
}

// checkMail finds the same message to the same person twice about one round.
func (w *lifeWorld) checkMail(step string) {
	list, err := w.d.store.MailList(w.t.Context(), notify.Filter{Limit: 1000})
	w.must(err)
	seen := map[string]string{}
	for _, m := range list {
		m, err = w.d.store.MailByRow(w.t.Context(), m.Row) // with its text
		w.must(err)
		if m.Thread == "" {
			w.t.Fatalf("%s: %s belongs to no record", step, m.Key)
		}
		parts := strings.Split(m.Key, "/") // nc, number, round, kind …
		id := strings.Join([]string{m.Thread, parts[2], m.To, string(m.Template), m.Subject, m.Text}, "\x00")
		if other, twice := seen[id]; twice {
			w.t.Fatalf("%s: twice to %s: %s and %s:\n%s", step, m.To, other, m.Key, m.Text)
		}
		seen[id] = m.Key
	}
}

func (w *lifeWorld) play(acts []act) {
	w.clock()
	for i, x := range acts {
		w.do(i, x)
		w.clock()
		w.check(fmt.Sprintf("step %d %+v", i, x))
	}
	w.checkMail("at the end")
	var broken bool
	if _, err := w.d.store.VerifyAudit(w.t.Context()); err != nil {
		broken = true
		w.t.Error(err)
	}
	if problems, err := w.d.store.CheckInventory(w.t.Context()); err != nil || len(problems) > 0 || broken {
		w.t.Fatal(problems, err)
	}
}

// No sequence of reports, decisions and clock steps leads to two open records for one
// cause, a lost finding, a missed deadline, a mail twice, or a state without an owner.
func TestLivesOfRecords(t *testing.T) {
	reached := map[nonconformity.State]bool{}
	seeds := 20
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newLifeWorld(t, t.TempDir())
			w.play(genActs().Example(seed))
			for s := range w.reached {
				reached[s] = true
			}
		})
	}
	t.Run("postgres", func(t *testing.T) { newLifeWorld(t, storetest.Postgres(t)).play(genActs().Example(1000)) })
	// two clocks race, so that no two runs reach the same states; half of them show that
	// the histories lead somewhere (life_test goes through every pair of state and step)
	if n := len(nonconformity.States()); !testing.Short() && !t.Failed() && len(reached) < n/2 {
		t.Errorf("histories came to %d of %d states only: %v", len(reached), n, reached)
	}
}
