package authorize_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/promise"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/view"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

var epoch = time.Date(2026, 11, 2, 16, 0, 0, 0, time.UTC)

// mails keeps what was queued, each key once, as the queue does.
type mails struct{ list []authorize.Mail }

func (m *mails) Queue(_ context.Context, x authorize.Mail) error {
	if !slices.ContainsFunc(m.list, func(y authorize.Mail) bool { return y.Key == x.Key }) {
		m.list = append(m.list, x)
	}
	return nil
}

// take returns who got which kind since the last time.
func (m *mails) take() string {
	var out []string
	for _, x := range m.list {
		who, _, _ := strings.Cut(x.To, "@")
		out = append(out, who+":"+x.Kind)
	}
	m.list = m.list[:0:0]
	slices.Sort(out)
	return strings.Join(out, " ")
}

// world is the company of the tests: pc-1 is luis's of Ingeniería, which marta manages;
// pc-2 is eva's of Compras, which pablo manages.
type world struct {
	*authorize.Questions
	t      *testing.T
	s      *store.Store
	in     *ingest.Ingester
	mail   *mails
	clock  time.Time
	n      int
	before map[int][]inventory.Program
	rules  *allowlist.Service
}

func machineID(m int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", m) }

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, s: s, mail: &mails{}, clock: epoch, before: map[int][]inventory.Program{}}
	now := func() time.Time { return w.clock }
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.SaveArea(ctx, org.Area{Name: "Ingeniería", Manager: "marta@example.com"}))
	must(s.SaveArea(ctx, org.Area{Name: "Compras", Manager: "pablo@example.com"}))
	for _, p := range []org.Person{
		{Email: "sofia@example.com", Role: actor.Administrator}, {Email: "ana@example.com", Role: actor.Technician, Area: "Ingeniería"},
		{Email: "marta@example.com", Role: actor.AreaManager, Area: "Ingeniería"}, {Email: "pablo@example.com", Role: actor.AreaManager, Area: "Compras"},
		{Email: "carla@example.com", Role: actor.Purchasing}, {Email: "luis@example.com", Role: actor.Employee, Area: "Ingeniería", PrimaryMachine: "pc-1"},
		{Email: "eva@example.com", Role: actor.Employee, Area: "Compras", PrimaryMachine: "pc-2"},
	} {
		p.Name, p.Active = strings.ToUpper(p.Email[:1])+p.Email[1:strings.Index(p.Email, "@")], true
		must(s.SavePerson(ctx, p))
	}
	for m := 1; m <= 2; m++ {
		_, err := s.CreateMachine(ctx, fleet.Machine{ID: machineID(m), Hostname: fmt.Sprintf("pc-%d", m), State: fleet.Active, EnrolledAt: epoch})
		must(err)
	}
	_, err := s.AssignPrimary(ctx)
	must(err)
	w.in = ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: now, Name: "test"})
	running, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.in.Run(running) }()
	t.Cleanup(func() { cancel(); <-done })
	w.rules = allowlist.New(allowlist.Config{Tx: s, Allowlists: s, Changes: s, Audit: s, Findings: w.in, Programs: s, Now: now,
		NewID: func() (string, error) { w.n++; return fmt.Sprintf("R%d", w.n), nil }})
	svc := authorize.New(authorize.Deps{Requests: s, Rules: w.rules, Machines: view.New(s), Directory: s, Catalogues: s, Titles: s, Audit: s, Mail: w.mail,
		Zone: func(context.Context) *time.Location { return time.FixedZone("CST", -6*3600) }, Now: now})
	w.Questions = authorize.NewQuestions(svc, authorize.Asking{Promises: s, Findings: view.New(s), Machines: s, Records: w.in,
		Secret: func() (string, error) { w.n++; return fmt.Sprintf("secret-%d", w.n), nil }})
	return w
}

// as is a context of a person with their role.
func (w *world) as(email string) context.Context {
	w.t.Helper()
	p, err := w.s.Person(context.Background(), email+"@example.com")
	if err != nil {
		w.t.Fatal(err)
	}
	return actor.With(context.Background(), actor.Actor{Kind: actor.Person, ID: p.Email, Role: p.Role})
}

// tells is a report of a machine with programs of these names.
func (w *world) tells(m int, names ...string) {
	w.t.Helper()
	var list []inventory.Program
	for _, n := range names {
		list = append(list, inventory.Program{Name: n, Version: "1", Source: "file", Scope: inventory.ScopeMachine, Path: "/opt/" + n, Requested: true})
	}
	list, _ = inventory.NormalizePrograms(list)
	sess, err := w.in.Open(context.Background(), machineID(m))
	if err != nil {
		w.t.Fatal(err)
	}
	defer sess.Close()
	w.n++
	_, err = sess.Submit(context.Background(), &wire.Report{ID: wire.ID{1, byte(m), byte(w.n), byte(w.n >> 8)}, TakenAt: w.clock, Sections: []wire.SectionUpdate{{Section: inventory.SectionSoftware,
		Body: wire.BodySoftware, Software: list, Result: inventory.DigestSoftware(list)}}}, 1)
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mode(m authorization.Mode) {
	w.t.Helper()
	if _, err := w.rules.SetMode(w.as("sofia"), m, allowlist.Options{Apply: true, MaxOpen: new(-1)}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) findings() map[string]authorization.Finding {
	w.t.Helper()
	all, err := w.s.Findings(context.Background(), authorization.FindingFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]authorization.Finding{}
	for _, f := range all {
		out[f.Hostname+" "+f.Program] = f
	}
	return out
}

func (w *world) ask(who string, d authorize.Draft) request.Request {
	w.t.Helper()
	if d.Purpose == "" {
		d.Purpose = "trabajo"
	}
	r, err := w.Ask(w.as(who), d)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) decide(who, number string, d authorize.Decision) request.Request {
	w.t.Helper()
	r, _, err := w.Decide(w.as(who), number, d)
	if err != nil {
		w.t.Fatalf("%s %s %s: %v", who, d.Action, number, err)
	}
	return r
}

// TestAskedFirstAndNothingOpens goes the whole way: manager, Purchasing, IT; the rule; the
// install that opens nothing; reminders; renewal; the end, at which a finding opens
// without a new report.
func TestAskedFirstAndNothingOpens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.mode(authorization.Enforce)
		r := w.ask("luis", authorize.Draft{Program: "AnyDesk", Machine: "pc-1", Purpose: "Soporte a clientes", Money: 150_000, Until: "2026-12-20"})
		if r.Number != "AUT-2026-0001" || !r.Needs.Manager || !r.Needs.Purchasing || r.Awaits() != request.Manager || r.Category != authorization.RemoteControl || r.Hostname != "pc-1" || r.Area != "Ingeniería" {
			t.Fatalf("%+v", r)
		}
		if got := w.mail.take(); got != "marta:request-asked" {
			t.Fatal(got)
		}
		r = w.decide("marta", r.Number, authorize.Decision{Action: request.ApproveManager})
		if got := w.mail.take(); got != "carla:request-asked" {
			t.Fatal(got)
		}
		w.decide("carla", r.Number, authorize.Decision{Action: request.ApprovePurchasing})
		if got := w.mail.take(); got != "ana:request-asked sofia:request-asked" {
			t.Fatal(got)
		}
		grant := authorize.Decision{Action: request.Grant, Reason: "Proyecto", Reach: request.ForMachine, Until: "2026-12-20"}
		rule, plan, err := w.Preview(w.as("ana"), r.Number, grant)
		if err != nil || plan.Applied || rule.Match.Name != "AnyDesk" || rule.Scope.Machines[0] != "pc-1" {
			t.Fatalf("%+v %+v %v", rule, plan, err)
		}
		r = w.decide("ana", r.Number, grant)
		a, err := w.rules.Current(w.as("ana"))
		if err != nil || len(a.Rules) != 1 || a.Rules[0].ID != r.RuleID || !strings.HasPrefix(a.Rules[0].Name, r.Number) || r.State != request.Granted {
			t.Fatalf("%+v, %+v, %v", r, a.Rules, err)
		}
		if of, err := w.OfRules(w.as("ana"), []string{r.RuleID}); err != nil || of[r.RuleID] != r.Number {
			t.Fatalf("%v, %v", of, err)
		}
		if got := w.mail.take(); got != "luis:request-granted" {
			t.Fatal(got)
		}
		w.tells(1, "AnyDesk")
		w.tells(2, "AnyDesk")
		if f := w.findings(); len(f) != 1 || f["pc-2 AnyDesk"].Nonconformity == "" {
			t.Fatalf("asked first, and it is flagged: %+v", f)
		}

		var told []string
		for day := 0; day < 47; day++ { // the clock of two collectors, hour by hour where it matters
			w.clock = epoch.AddDate(0, 0, day)
			for range 2 {
				if err := w.Tick(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.mail.take(); got != "" {
				told = append(told, fmt.Sprintf("%d %s", day, got))
			}
		}
		if want := "19 luis:request-ending; 42 luis:request-ending"; strings.Join(told, "; ") != want {
			t.Fatalf("reminders %v, want %v", told, want)
		}
		draft, err := w.Renewal(w.as("luis"), r.Number)
		if err != nil || draft.Renews != r.Number || draft.Machine != machineID(1) {
			t.Fatalf("%+v, %v", draft, err)
		}
		w.clock = epoch.AddDate(0, 0, 47)
		renewal := w.ask("luis", draft)
		if old, err := w.Request(w.as("luis"), r.Number); err != nil || old.RenewedBy != renewal.Number {
			t.Fatalf("%+v, %v", old, err)
		}
		if _, err := w.Renewal(w.as("luis"), r.Number); !apperr.Is(err, apperr.Conflict) {
			t.Fatalf("renewed twice: %v", err)
		}
		w.decide("marta", renewal.Number, authorize.Decision{Action: request.Refuse, Reason: "Ya no hace falta"})
		if old, err := w.Request(w.as("luis"), r.Number); err != nil || old.RenewedBy != "" {
			t.Fatalf("the refused renewal still counts: %+v, %v", old, err)
		}
		w.mail.take()

		w.clock = r.ValidUntil.Add(2 * time.Second) // the rule's last second is over; no machine tells anything
		if _, err := w.in.Reevaluate(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		if f := w.findings()["pc-1 AnyDesk"]; f.State != authorization.Open {
			t.Fatalf("the authorization is over and the program is there: %+v", f)
		}
		if err := w.Tick(context.Background()); err != nil {
			t.Fatal(err)
		}
		if old, err := w.Request(w.as("luis"), r.Number); err != nil || old.State != request.Expired {
			t.Fatalf("%+v, %v", old, err)
		}
		if n, err := s.VerifyAudit(context.Background()); err != nil || n < 8 {
			t.Fatalf("%d entries, %v", n, err)
		}
	})
}

// TestRightsOnRequests: a manager no other area, an employee only their own, Purchasing
// what costs, and each only at their turn.
func TestRightsOnRequests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		mine := w.ask("luis", authorize.Draft{Program: "AnyDesk", Machine: "pc-1"})
		costly := w.ask("luis", authorize.Draft{Program: "htop", Money: 100})
		others := w.ask("eva", authorize.Draft{Program: "AnyDesk", Machine: machineID(2)})
		sees := func(who string) string {
			var out []string
			page, err := w.Page(w.as(who), request.Filter{}, paging.Order{})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Rows {
				out = append(out, r.Number[9:])
			}
			for _, r := range []request.Request{mine, costly, others} { // one by one as in the list
				_, err := w.Request(w.as(who), r.Number)
				if in := slices.Contains(out, r.Number[9:]); in != (err == nil) || !in && !apperr.Is(err, apperr.NotFound) {
					t.Errorf("%s, %s: in the list %v, alone %v", who, r.Number, in, err)
				}
			}
			slices.Sort(out)
			return strings.Join(out, " ")
		}
		for who, want := range map[string]string{"luis": "0001 0002", "eva": "0003", "marta": "0001 0002", "pablo": "0003", "carla": "0002", "ana": "0001 0002 0003", "sofia": "0001 0002 0003"} {
			if got := sees(who); got != want {
				t.Errorf("%s sees %q, want %q", who, got, want)
			}
		}
		for _, x := range []struct {
			who    string
			r      request.Request
			action request.Action
			code   apperr.Code
		}{
			{"pablo", mine, request.ApproveManager, apperr.NotFound}, // another area
			{"luis", mine, request.ApproveManager, apperr.Forbidden},
			{"luis", mine, request.Grant, apperr.Conflict},
			{"ana", mine, request.ApproveManager, apperr.Forbidden}, // IT is not the manager
			{"ana", mine, request.Grant, apperr.Conflict},           // not yet
			{"carla", costly, request.Grant, apperr.Conflict},
			{"marta", costly, request.ApprovePurchasing, apperr.Forbidden},
			{"marta", others, request.Refuse, apperr.NotFound},
			{"eva", mine, request.Withdraw, apperr.NotFound},
		} {
			if _, _, err := w.Decide(w.as(x.who), x.r.Number, authorize.Decision{Action: x.action, Reason: "x", Reach: request.ForUser}); !apperr.Is(err, x.code) {
				t.Errorf("%s, %s %s: %v, want %s", x.who, x.action, x.r.Number, err, x.code)
			}
		}
		for _, d := range []struct {
			who   string
			draft authorize.Draft
			code  apperr.Code
		}{
			{"luis", authorize.Draft{Program: "x", Purpose: "y", Person: "eva@example.com"}, apperr.Forbidden},
			{"pablo", authorize.Draft{Program: "x", Purpose: "y", Person: "luis@example.com"}, apperr.Forbidden},
			{"luis", authorize.Draft{Program: "x", Purpose: "y", Machine: "pc-2"}, apperr.Invalid},
			{"luis", authorize.Draft{Program: "x", Purpose: "y", Machine: machineID(2)}, apperr.Invalid},
			{"luis", authorize.Draft{Program: " ", Purpose: "y"}, apperr.Invalid},
			{"luis", authorize.Draft{Program: "x", Purpose: " "}, apperr.Invalid},
			{"luis", authorize.Draft{Program: "x", Purpose: "y", Until: "2026-11-01"}, apperr.Invalid},
			{"luis", authorize.Draft{Program: "x", Purpose: "y", Until: "mañana"}, apperr.Invalid},
			{"luis", authorize.Draft{Program: "x", Purpose: "y", Currency: "BTC"}, apperr.Invalid},
			{"luis", authorize.Draft{Program: "ANYDESK", Purpose: "y", Machine: "pc-1"}, apperr.Conflict}, // asked already
		} {
			if _, err := w.Ask(w.as(d.who), d.draft); !apperr.Is(err, d.code) {
				t.Errorf("%s asks %+v: %v, want %s", d.who, d.draft, err, d.code)
			}
		}
		if r, err := w.Ask(w.as("marta"), authorize.Draft{Program: "x", Purpose: "y", Person: "luis@example.com", Machine: "pc-1"}); err != nil || r.Needs.Manager {
			t.Errorf("a manager for their people: %+v, %v", r, err)
		}
		own := w.ask("ana", authorize.Draft{Program: "htop"})
		if _, _, err := w.Decide(w.as("ana"), own.Number, authorize.Decision{Action: request.Grant, Reason: "x", Reach: request.ForUser}); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("their own: %v", err)
		}
		if got := w.decide("luis", mine.Number, authorize.Decision{Action: request.Withdraw}); got.State != request.Withdrawn {
			t.Errorf("%+v", got)
		}
	})
}

// TestAskTheUser: the question by mail, both answers, and what the machine says of the
// promise.
func TestAskTheUser(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.mode(authorization.Monitor)
		w.tells(1, "AnyDesk", "uTorrent", "htop")
		question := func(program string) (context.Context, promise.Question) {
			t.Helper()
			w.mail.take()
			if _, err := w.AskUser(w.as("ana"), w.findings()["pc-1 "+program].Row); err != nil {
				t.Fatal(err)
			}
			if len(w.mail.list) != 1 || w.mail.list[0].To != "luis@example.com" || !w.mail.list[0].Secret || w.mail.list[0].Second == "" {
				t.Fatalf("%+v", w.mail.list)
			}
			secret := strings.TrimSuffix(strings.TrimPrefix(w.mail.list[0].Path, "/answer/"), "?is=need")
			ctx, q, err := w.ByLink(context.Background(), secret)
			if err != nil || !q.Waiting(w.clock) {
				t.Fatalf("%+v, %v", q, err)
			}
			return ctx, q
		}
		ctx, q := question("AnyDesk")
		if _, err := w.AskUser(w.as("ana"), q.Finding); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("asked twice: %v", err)
		}
		if _, err := w.AskUser(w.as("luis"), q.Finding); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("an employee asks: %v", err)
		}
		if _, _, err := w.ByLink(context.Background(), "guess"); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("a guess: %v", err)
		}
		r, err := w.Need(ctx, q.Row, authorize.Draft{Purpose: "Soporte"})
		if err != nil || r.Program != "AnyDesk" || r.Machine != machineID(1) || r.Finding != q.Finding || r.Person != "luis@example.com" {
			t.Fatalf("%+v, %v", r, err)
		}
		if _, err := w.Remove(ctx, q.Row, "2026-11-05"); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("answered twice: %v", err)
		}

		ctx, q = question("uTorrent")
		for _, day := range []string{"", "2026-11-01", "2027-03-01", "pronto"} {
			if _, err := w.Remove(ctx, q.Row, day); !apperr.Is(err, apperr.Invalid) {
				t.Errorf("%q: %v", day, err)
			}
		}
		if _, err := w.Remove(w.as("eva"), q.Row, "2026-11-05"); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("somebody else answers: %v", err)
		}
		kept, err := w.Remove(ctx, q.Row, "2026-11-05")
		if err != nil {
			t.Fatal(err)
		}
		ctx, q = question("htop")
		broken, err := w.Remove(ctx, q.Row, "2026-11-05")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.AskUser(w.as("ana"), q.Finding); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("asked while a promise runs: %v", err)
		}
		w.clock = epoch.AddDate(0, 0, 2)
		w.tells(1, "AnyDesk", "htop")
		tick := func() (promise.Promise, promise.Promise) {
			t.Helper()
			if err := w.TickPromises(context.Background()); err != nil {
				t.Fatal(err)
			}
			a, err1 := s.Promise(context.Background(), kept.Row)
			b, err2 := s.Promise(context.Background(), broken.Row)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			return a, b
		}
		w.mail.take()
		a, b := tick()
		if a.State != promise.Kept || a.Report == "" || b.State != promise.Open {
			t.Fatalf("%+v, %+v", a, b)
		}
		w.clock = epoch.AddDate(0, 0, 4)
		if _, b = tick(); b.State != promise.Broken || b.Told != "it" {
			t.Fatalf("%+v", b)
		}
		tick()
		if got := w.mail.take(); got != "ana:promise-broken sofia:promise-broken" {
			t.Fatal(got)
		}
		w.tells(1, "AnyDesk")
		if _, b = tick(); b.State != promise.Late || b.Report == "" {
			t.Fatalf("%+v", b)
		}
		if list, asked, err := w.List(w.as("luis"), promise.Filter{Person: "luis@example.com"}); err != nil || len(list) != 2 || len(asked) != 3 {
			t.Errorf("%d promises, %d questions, %v", len(list), len(asked), err)
		}
		if _, _, err := w.List(w.as("eva"), promise.Filter{Person: "luis@example.com"}); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("somebody else's: %v", err)
		}
	})
}

// TestABrokenPromiseOpensARecordInEnforce has the record that follows.
func TestABrokenPromiseOpensARecordInEnforce(t *testing.T) {
	w := newWorld(t, storetest.SQLite(t))
	w.mode(authorization.Monitor)
	w.tells(1, "uTorrent")
	w.mode(authorization.Enforce) // what was there before stays a finding
	q, err := w.AskUser(w.as("ana"), w.findings()["pc-1 uTorrent"].Row)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Remove(w.as("luis"), q.Row, "2026-11-03")
	if err != nil {
		t.Fatal(err)
	}
	w.clock = epoch.AddDate(0, 0, 3)
	if err := w.TickPromises(context.Background()); err != nil {
		t.Fatal(err)
	}
	f := w.findings()["pc-1 uTorrent"]
	if p, err = w.s.Promise(context.Background(), p.Row); err != nil || p.State != promise.Broken || f.Nonconformity == "" || p.Told != f.Nonconformity {
		t.Fatalf("%+v, %+v, %v", p, f, err)
	}
}

// TestReviewOfRulesAndExceptions: a rule is due after half a year, and what is shortened or
// removed is told.
func TestReviewOfRulesAndExceptions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.mode(authorization.Monitor)
		if _, err := w.rules.AddRules(w.as("sofia"), []policy.Rule{{Name: "normal", Effect: policy.Allow, Match: policy.Match{Name: "htop"}, Owner: "ti", Reason: "base"}}, allowlist.Options{Apply: true}); err != nil {
			t.Fatal(err)
		}
		r := w.ask("luis", authorize.Draft{Program: "gimp"})
		w.decide("ana", r.Number, authorize.Decision{Action: request.Grant, Reason: "sí", Reach: request.ForUser, Until: "2026-11-20"})
		v := &authorize.Reviews{Reviews: s, Allowlists: s, Rules: w.rules, Requests: s, Audit: s, Now: func() time.Time { return w.clock }}
		list, err := v.List(w.as("ana"))
		if err != nil || len(list) != 2 || list[0].Over || !list[0].MadeAt.Equal(epoch) || list[1].Request+list[0].Request != r.Number {
			t.Fatalf("%+v, %v", list, err)
		}
		november, december := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		for month, want := range map[time.Time]int{november: 1, december: 0, november.AddDate(0, -1, 0): 0} {
			if got, err := v.Exceptions(w.as("ana"), month); err != nil || len(got) != want || want == 1 && got[0].Request != r.Number {
				t.Errorf("%s: %+v, %v", month, got, err)
			}
		}
		w.clock = epoch.AddDate(0, 0, 183)
		if list, err = v.List(w.as("ana")); err != nil || !list[0].Over || !list[1].Over {
			t.Fatalf("%+v, %v", list, err)
		}
		normal := list[slices.IndexFunc(list, func(d authorize.Reviewed) bool { return d.Name == "normal" })]
		if err := v.Keep(w.as("luis"), []string{normal.ID}, ""); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("an employee reviews: %v", err)
		}
		if err := v.Keep(w.as("ana"), []string{normal.ID}, "sigue"); err != nil {
			t.Fatal(err)
		}
		if one, err := v.One(w.as("ana"), normal.ID); err != nil || one.Over || one.ReviewedBy != "person:ana@example.com" || one.Note != "sigue" {
			t.Fatalf("%+v, %v", one, err)
		}
		w.tells(1, "htop")
		if plan, err := v.Remove(w.as("ana"), normal.ID, false); err != nil || plan.Applied || plan.Impact.Opens != 1 || plan.Impact.ByProgram[0].Name != "htop" {
			t.Fatalf("%+v, %v", plan, err)
		}
		if _, err := v.Shorten(w.as("ana"), normal.ID, 30); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Exceptions(w.as("ana"), time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)); err != nil || len(got) != 1 || got[0].Name != "normal" {
			t.Errorf("what ends is an exception: %+v, %v", got, err)
		}
		if plan, err := v.Remove(w.as("ana"), normal.ID, true); err != nil || !plan.Applied || w.findings()["pc-1 htop"].State != authorization.Open {
			t.Fatalf("%+v, %v", plan, err)
		}
	})
}
