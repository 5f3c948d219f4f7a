package web_test

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/web"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// fake holds sample data in memory, for tests of what pages look like.
type fake struct {
	empty    bool
	broken   error // what every list answers, when set
	allow    authorization.Allowlist
	machines []fleet.Machine
	findings []authorization.Finding
	records  []nonconformity.Nonconformity
	links    map[string]string // secret → person
	asked    []string
}

func newFake() *fake {
	return &fake{machines: sampleMachines(), findings: sampleFindings(), records: sampleRecords(),
		allow: authorization.Allowlist{Version: 3, Mode: authorization.Enforce, Baseline: true, Rules: sampleRules()}, links: map[string]string{}}
}

func notFound() error { return apperr.New(apperr.NotFound, "store.not-found", nil) }

func (f *fake) Machine(_ context.Context, id string) (fleet.Machine, error) {
	for _, m := range f.machines {
		if m.ID == id {
			return m, f.broken
		}
	}
	return fleet.Machine{}, notFound()
}

func (f *fake) Machines(_ context.Context, q fleet.MachineFilter) ([]fleet.Machine, error) {
	var list []fleet.Machine
	for _, m := range f.machines {
		if (q.State == "" || m.State == q.State) && (q.Site == "" || m.Site == q.Site) && strings.Contains(m.Hostname, q.Query) {
			list = append(list, m)
		}
	}
	return list, f.broken
}

func (f *fake) Documents(_ context.Context, machine string) ([]fleet.Document, error) {
	if machine != laptop {
		return nil, f.broken
	}
	var list []fleet.Document
	for s, v := range map[inventory.Section]any{
		inventory.SectionMachine: inventory.Machine{Hostname: "pc-017"}, inventory.SectionHardware: sampleHardware(), inventory.SectionSystem: sampleSystem(),
		inventory.SectionAntivirus: sampleAntivirus(), inventory.SectionSources: sampleSources(),
	} {
		body, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		list = append(list, fleet.Document{Section: s, TakenAt: ago(3 * time.Hour), Body: body})
	}
	return list, f.broken
}

func (f *fake) Installs(_ context.Context, machine string) ([]fleet.Install, error) {
	var list []fleet.Install
	for i, p := range samplePrograms() {
		if machine == laptop {
			list = append(list, fleet.Install{Program: p, Item: int64(i + 1), FirstSeen: ago(26 * time.Hour)})
		}
	}
	return list, f.broken
}

func (f *fake) Events(_ context.Context, machine string, before time.Time, limit int) ([]fleet.Event, error) {
	var list []fleet.Event
	for i, p := range samplePrograms() {
		if machine == laptop {
			list = append(list, fleet.Event{At: ago(26 * time.Hour), Kind: "came", Program: p, Report: report1})
			if i == 0 {
				list = append([]fleet.Event{{At: ago(day), Kind: "went", Program: p, Report: report2}}, list...)
			}
		}
	}
	return list, f.broken
}

func (f *fake) Titles(_ context.Context, q fleet.TitleFilter) ([]fleet.TitleRow, error) {
	var list []fleet.TitleRow
	for i, p := range samplePrograms() {
		if !f.empty && (q.Source == "" || p.Source == q.Source) && strings.Contains(p.Name, q.Query) && int64(i) >= q.After && len(list) < q.Limit {
			list = append(list, fleet.TitleRow{Name: p.Name, Version: p.Version, Publisher: p.Publisher, Source: p.Source, Installs: 1 + i*7, FirstSeen: ago(26 * time.Hour)})
		}
	}
	return list, f.broken
}

func (f *fake) Findings(_ context.Context, q authorization.FindingFilter) ([]authorization.Finding, error) {
	var list []authorization.Finding
	for _, x := range f.findings {
		if (q.State == "" || x.State == q.State) && (q.Machine == "" || x.Machine == q.Machine) && strings.Contains(x.Program, q.Query) {
			list = append(list, x)
		}
	}
	return list, f.broken
}

func (f *fake) Finding(_ context.Context, row int64) (authorization.Finding, error) {
	for _, x := range f.findings {
		if x.Row == row {
			return x, f.broken
		}
	}
	return authorization.Finding{}, notFound()
}

func (f *fake) FindingCounts(context.Context) (map[authorization.FindingState]int, error) {
	n := map[authorization.FindingState]int{}
	for _, x := range f.findings {
		n[x.State]++
	}
	return n, f.broken
}

func (f *fake) ByNumber(_ context.Context, number string) (nonconformity.Nonconformity, error) {
	for _, n := range f.records {
		if n.Number == number {
			return n, f.broken
		}
	}
	return nonconformity.Nonconformity{}, notFound()
}

func (f *fake) List(_ context.Context, q nonconformity.Filter) ([]nonconformity.Nonconformity, error) {
	var list []nonconformity.Nonconformity
	for _, n := range f.records {
		late := q.Overdue.IsZero() || !n.DueAt.IsZero() && n.DueAt.Before(q.Overdue)
		if (q.State == "" || n.State == q.State) && (q.Awaited == "" || n.Awaited == q.Awaited) && late && strings.Contains(n.Number, q.Query) {
			list = append(list, n)
		}
	}
	return list, f.broken
}

// pageOf is one page of a list that a store would have read; its places are positions.
func pageOf[T any](all []T, o paging.Order, err error) (paging.Page[T], error) {
	from, _ := strconv.Atoi(o.After.Key)
	all = all[min(from, len(all)):]
	if len(all) <= o.Limit {
		return paging.Page[T]{Rows: all}, err
	}
	return paging.Page[T]{Rows: all[:o.Limit], Next: paging.Place{Key: strconv.Itoa(from + o.Limit)}}, err
}

func (f *fake) MachinePage(ctx context.Context, q fleet.MachineFilter, o paging.Order) (paging.Page[fleet.Machine], error) {
	all, err := f.Machines(ctx, q)
	return pageOf(all, o, err)
}

func (f *fake) CountMachines(ctx context.Context, q fleet.MachineFilter, most int) (int, error) {
	all, err := f.Machines(ctx, q)
	return min(len(all), most), err
}

func (f *fake) MachineDays(_ context.Context, _ fleet.MachineFilter, _ string, _ time.Time, days int) ([]int, error) {
	return slices.Repeat([]int{1}, days), f.broken
}

func (f *fake) FindingDays(_ context.Context, _ authorization.FindingFilter, _ time.Time, days int) ([]int, error) {
	return append(slices.Repeat([]int{0}, days-2), 3, 2), f.broken
}

func (f *fake) Days(_ context.Context, _ nonconformity.Filter, _ time.Time, days int) ([]int, error) {
	return make([]int, days), f.broken
}

// Ask remembers whom a report was asked of.
func (f *fake) Ask(_ context.Context, query, kind string, _ map[string]string) (fleet.Command, error) {
	f.asked = append(f.asked, query+" "+kind)
	return fleet.Command{}, f.broken
}

// counts are those of the sample's lists.
func (f *fake) counts(context.Context, time.Time) (web.Counts, error) {
	n := web.Counts{Machines: len(f.machines)}
	if !f.empty {
		n.Silent, n.Quarantined, n.FailingMachines, n.OpenFindings, n.OpenNonconformities = 1, 1, 1, 3, 1
	}
	return n, f.broken
}

func (f *fake) Areas(context.Context) ([]org.Area, error) {
	if f.empty {
		return nil, f.broken
	}
	return []org.Area{{Name: "Ingeniería", Manager: "marta@example.com"}}, f.broken
}

func (f *fake) TitlePage(ctx context.Context, q fleet.TitleFilter, o paging.Order) (paging.Page[fleet.TitleRow], error) {
	q.Limit = 1000
	all, err := f.Titles(ctx, q)
	return pageOf(all, o, err)
}

func (f *fake) CountTitles(ctx context.Context, q fleet.TitleFilter, most int) (int, error) {
	q.Limit = most
	all, err := f.Titles(ctx, q)
	return len(all), err
}

func (f *fake) FindingPage(ctx context.Context, q authorization.FindingFilter, o paging.Order) (paging.Page[authorization.Finding], error) {
	all, err := f.Findings(ctx, q)
	return pageOf(all, o, err)
}

func (f *fake) CountFindings(ctx context.Context, q authorization.FindingFilter, most int) (int, error) {
	all, err := f.Findings(ctx, q)
	return min(len(all), most), err
}

func (f *fake) Page(ctx context.Context, q nonconformity.Filter, o paging.Order) (paging.Page[nonconformity.Nonconformity], error) {
	all, err := f.List(ctx, q)
	return pageOf(all, o, err)
}

func (f *fake) Count(ctx context.Context, q nonconformity.Filter, most int) (int, error) {
	all, err := f.List(ctx, q)
	return min(len(all), most), err
}

func (f *fake) Person(_ context.Context, email string) (org.Person, error) {
	for _, p := range samplePeople() {
		if p.Email == email {
			return p, nil
		}
	}
	return org.Person{}, notFound()
}

func (f *fake) Sites(context.Context) ([]org.Site, error) {
	if f.empty {
		return nil, f.broken
	}
	return []org.Site{{Name: "Querétaro"}, {Name: "Cliente norte", Remote: true}}, f.broken
}

func (f *fake) CurrentAllowlist(context.Context) (authorization.Allowlist, error) {
	return f.allow, f.broken
}

func (f *fake) ExplainFinding(_ context.Context, x authorization.Finding) (policy.Explanation, error) {
	c, err := policy.Compile(&policy.Document{Mode: policy.Mode(f.allow.Mode), Baseline: f.allow.Baseline, Rules: f.allow.Rules})
	if err != nil {
		return policy.Explanation{}, err
	}
	p := inventory.Program{Name: x.Program, Version: x.Version, Publisher: x.Publisher, Origin: x.Origin, Source: x.Source, Scope: x.Scope, User: x.User, Path: x.Path, SHA256: x.SHA256, Requested: true}
	return c.Explain(&p, policy.MachineContext{ID: x.Machine, Hostname: x.Hostname, Site: "Querétaro", Area: "Ingeniería", Person: "luis@example.com", OSVendor: "debian"}, now), nil
}

func (f *fake) deps(t testing.TB) web.Deps {
	t.Helper()
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		t.Fatal(err)
	}
	return web.Deps{Machines: f, Groups: f, Verdicts: f, Fleet: f, Inventory: f, Titles: fakeTitles{f}, Findings: f, Severities: fakeSeverities{f}, Nonconformities: f, Directory: f, People: fakePeople{f}, Imports: fakePeople{f}, Settings: fakeSettings{}, Mail: fakeMail{f}, Inbox: fakeInbox{f}, Backups: fakeBackups{t, f}, Webhooks: fakeWebhooks{f}, Calendar: &fakeCalendar{f: f}, Updates: fakeUpdates{f}, Wishes: notify.Wishes{Store: &fakeWishes{}}, Allowlist: f, Counts: f.counts, Explainer: f, Accounts: newAccounts(t, f, nil),
		Requests: fakeRequests{f}, RuleReviews: fakeRuleReviews{f}, Brakes: fakeBrakes{f},
		Sessions: memstore.New(), Texts: texts, Zone: zone, Now: func() time.Time { return now }, NewID: func() string { return report1 },
		Agents: newFakeAgents(f), Audit: sampleLedger(t, f),
		RecordSteps: fakeSteps{f},
		Log:         slog.New(slog.NewTextHandler(io.Discard, nil)),
		Rules:       newRules(f), Reviews: &fakeReviews{f: f}}
}

// console serves deps over TLS.
func console(t testing.TB, d web.Deps) *httptest.Server {
	t.Helper()
	h, err := web.New(d)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// client returns a browser-like client that is signed in as person, "" for the
// operator, or not at all for "nobody".
func client(t testing.TB, srv *httptest.Server, f *fake, person string) *http.Client {
	t.Helper()
	c := *srv.Client()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Jar = jar
	if person == "nobody" {
		return &c
	}
	secret := "secret-of-" + cmp.Or(person, "operator")
	f.links[secret] = person
	res, err := c.Post(srv.URL+"/signin/"+secret, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return &c
}

// get returns status and body.
func get(t testing.TB, c *http.Client, url string, lang string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Language", lang)
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}
