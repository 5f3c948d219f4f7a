package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ledger"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/title"
	"vigia/collector/internal/view"
	"vigia/collector/internal/web"
)

// company is a console over a real store with the sample company.
func company(t *testing.T, s *store.Store) (*fake, web.Deps) {
	t.Helper()
	return companyOf(t, s, "luis@example.com")
}

// companyOf is company with somebody else answering for the laptop.
func companyOf(t *testing.T, s *store.Store, owner string) (*fake, web.Deps) {
	t.Helper()
	seedFor(t, s, owner)
	if err := s.SaveArea(t.Context(), org.Area{Name: "Compras", Manager: "pablo@example.com"}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveGroup(t.Context(), fleet.Group{Name: "kioscos", Rule: fleet.Rule{Hostnames: []string{"pc-*"}}, CreatedAt: now, ChangedAt: now}); err != nil {
		t.Fatal(err)
	}
	f := newFake()
	f.allow.Rules = f.allow.Rules[:1] // as seeded
	d := f.deps(t)
	seen := view.New(s)
	d.Machines, d.Inventory, d.Findings, d.Nonconformities, d.Directory, d.Allowlist = seen, seen, seen, view.NewRecords(s.Nonconformities()), s, s
	d.Groups = seen
	steps := recordSteps(t, s)
	d.RecordSteps = steps
	it := actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
	if _, err := steps.Attach(it, "NC-2026-0001", "acta.txt", []byte("acta"), ""); err != nil {
		t.Fatal(err)
	}
	d.People, d.Imports = people(s)
	d.Titles = &title.Service{Store: s, Audit: s, Now: func() time.Time { return now }}
	d.Rules, d.Reviews = reviewing(t, s)
	d.Accounts, d.Sessions = newAccounts(t, f, s), s.Sessions()
	d.Severities = &authorization.CatalogueService{Store: s, Audit: s, Now: d.Now, Regrade: func(context.Context) (int, error) { return 0, nil }}
	q := newRequests(t, s)
	d.Requests, d.RuleReviews = q, newReviews(s, q)
	d.Brakes = &authorize.Brakes{Store: s, Records: q.Records, Mail: noMail{}, Audit: s, Now: d.Now, People: func(context.Context) ([]authorize.Mail, error) { return nil, nil }}
	askFor(t, s, d.Requests, owner)
	d.Agents, d.Audit = agentsOver(t, s), &ledger.Service{Store: s, Now: func() time.Time { return now }}
	return f, d
}

// placeOf fills in a route's parts: the laptop, its finding and record, which everybody
// may see who may see any, and people who are in nobody's way.
func placeOf(t *testing.T, s *store.Store, path string) string {
	t.Helper()
	n := int64(1)
	if strings.HasPrefix(path, "/findings") {
		n = findingOf(t, s, laptop).Row
	} else if strings.HasPrefix(path, "/people") {
		n = personNumber(t, s, "eva@example.com")
	}
	if strings.HasPrefix(path, "/authorizations") {
		path = strings.ReplaceAll(path, "{number}", "AUT-2026-0001")
	}
	return strings.NewReplacer("{$}", "", "{page}", "roles", "{secret}", "none", "{n}", strconv.FormatInt(n, 10), "{number}", "NC-2026-0001", "/certificates/rotate/{step}", "/certificates/rotate/begin", "/tokens/{id}", "/tokens/T1", "{serial}", serialOfLaptop, "{step}", "none", "{hash}", sha, "{email}", "eva@example.com", "{name}", "kioscos", "/machines/{id}", "/machines/"+laptop, "{id}", "none").Replace(path)
}

// TestEveryRouteWithEveryRole walks all of them; that each engine narrows to a scope is
// shown by the tests of the room view.
func TestEveryRouteWithEveryRole(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	routes := web.Routes(d)
	if len(routes) < 50 {
		t.Fatalf("%d routes: the test would prove nothing", len(routes))
	}
	found, in := map[string]bool{}, visitors{t, srv, f, map[string]*http.Client{}}
	for _, r := range routes {
		name := r.Method + " " + r.Path
		who, ok := matrix[name]
		if found[name] = true; !ok {
			t.Errorf("%s (%s) is not in the matrix: write who may", name, r.Right)
			continue
		}
		method := r.Method
		if method == "" {
			method = http.MethodGet
		}
		url := srv.URL + placeOf(t, s, r.Path)
		if got := ask(t, client(t, srv, f, "nobody"), method, url); who != open && got != http.StatusUnauthorized || got == http.StatusForbidden || got >= 500 {
			t.Errorf("%s without a session: %d", name, got)
		}
		for _, x := range everyone {
			got := ask(t, in.as(x.person, strings.HasPrefix(r.Path, "/sign") || strings.HasPrefix(r.Path, "/account")), method, url)
			may := who == open || strings.Contains(who, x.letter)
			switch {
			case may && (got == http.StatusForbidden || got >= 500 || who != open && got == http.StatusUnauthorized): // a wrong password is 401 too
				t.Errorf("%s refuses %s: %d", name, x.person, got)
			case !may && got != http.StatusForbidden:
				t.Errorf("%s lets %s in: %d", name, x.person, got)
			}
		}
	}
	for name := range matrix {
		if !found[name] {
			t.Errorf("%s is in the matrix and no route", name)
		}
	}
}

// visitors are people who stay signed in.
type visitors struct {
	t   *testing.T
	srv *httptest.Server
	f   *fake
	in  map[string]*http.Client
}

// as is a person's browser; anew signs in again, for what may end a session.
func (v visitors) as(person string, anew bool) *http.Client {
	if v.in[person] == nil || anew {
		v.in[person] = client(v.t, v.srv, v.f, person)
	}
	if !anew {
		return v.in[person]
	}
	c := v.in[person]
	delete(v.in, person)
	return c
}

// ask sends a request without a body and returns the first answer's status.
func ask(t *testing.T, c *http.Client, method, url string) int {
	t.Helper()
	once := *c
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := once.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// TestARouteNeedsARight shows that none can be registered without one, nor one that
// changes something with a right to read.
func TestARouteNeedsARight(t *testing.T) {
	d := newFake().deps(t)
	for _, r := range []web.Route{{Method: "GET", Path: "/x", Right: ""}, {Method: "GET", Path: "/x", Right: "fly"}, {Method: "POST", Path: "/x", Right: "see-machines"}, {Method: "DELETE", Path: "/x", Right: "see-audit"}} {
		if web.RefuseRoute(d, r) == nil {
			t.Errorf("%+v was registered", r)
		}
	}
	if err := web.RefuseRoute(d, web.Route{Method: "POST", Path: "/x", Right: "change-people"}); err != nil {
		t.Errorf("a good route: %v", err)
	}
}

// TestTheAuditorChangesNothing sends every form as an auditor and looks at what the
// audit log and the directory say afterwards.
func TestTheAuditorChangesNothing(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	before, err := s.AuditList(t.Context(), audit.Filter{Actor: "person:ivan@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	n, ivan := 0, client(t, srv, f, "ivan@example.com")
	for _, r := range web.Routes(d) {
		if r.Method != http.MethodPost || r.Right == "anybody" || r.Right == "one-self" {
			continue
		}
		n++
		got := ask(t, ivan, r.Method, srv.URL+placeOf(t, s, r.Path))
		own := access.ReachOf(actor.Actor{Kind: actor.Person, ID: "ivan@example.com", Role: actor.Auditor}, access.Right(r.Right)) == access.Own
		if got != http.StatusForbidden && (!own || got != http.StatusNotFound && got != http.StatusUnprocessableEntity) { // what is their own they may change: this is not
			t.Errorf("%s: %d", r.Path, got)
		}
	}
	after, err := s.AuditList(t.Context(), audit.Filter{Actor: "person:ivan@example.com"})
	if err != nil || n < 15 {
		t.Fatalf("%d forms: %v", n, err)
	}
	for _, e := range after[:len(after)-len(before)] {
		if !strings.HasPrefix(e.Action, "signin.") && !strings.HasPrefix(e.Action, "account.signin") {
			t.Errorf("the auditor did %s to %s", e.Action, e.Object)
		}
	}
}

// people are the use-cases of the directory over a store.
func people(s *store.Store) (*org.Directory, *org.Drafts) {
	clock := func() time.Time { return now }
	quiet := func(context.Context) error { return nil }
	return &org.Directory{Tx: s, Store: s, Lister: s, Audit: s, Now: clock, Notify: quiet},
		&org.Drafts{Importer: &org.Importer{Tx: s, Store: s, Audit: s, Now: clock, Notify: quiet}, Store: s, NewID: uuid.NewString}
}

// personNumber is the number that a person's page has.
func personNumber(t *testing.T, s *store.Store, email string) int64 {
	t.Helper()
	page, err := s.PersonPage(t.Context(), org.PersonFilter{Query: email}, paging.Order{})
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("%s: %d people, %v", email, len(page.Rows), err)
	}
	return page.Rows[0].ID
}

// findingOf is the newest finding of a machine.
func findingOf(t *testing.T, s *store.Store, machine string) authorization.Finding {
	t.Helper()
	list, err := s.Findings(t.Context(), authorization.FindingFilter{Machine: machine, Limit: 1})
	if err != nil || len(list) == 0 {
		t.Fatalf("no finding of %s: %v", machine, err)
	}
	return list[0]
}
