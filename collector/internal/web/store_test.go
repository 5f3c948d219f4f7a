package web_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

// seed fills a store as reports of machines do, through ingest.
func seed(t *testing.T, s *store.Store) {
	t.Helper()
	seedFor(t, s, "luis@example.com")
}

// seedFor is seed with somebody else answering for the laptop.
func seedFor(t *testing.T, s *store.Store, owner string) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.InTx(ctx, func(ctx context.Context) error { return seedDirectory(ctx, s, owner) }))
	clock := ago(26 * time.Hour)
	in := ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: func() time.Time { return clock }, Name: "test"})
	running, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.Run(running) }()
	programs := samplePrograms()
	for _, m := range sampleMachines()[:3] {
		session, err := in.Open(ctx, m.ID)
		must(err)
		_, err = session.Submit(ctx, wholeReport(t, clock, m, nil), 1000) // nothing yet
		must(err)
		clock = clock.Add(time.Minute)
		_, err = session.Submit(ctx, wholeReport(t, clock, m, programs), 1000)
		must(err)
		clock = clock.Add(time.Minute)
		_, err = session.Submit(ctx, wholeReport(t, clock, m, programs[1:]), 1000) // AnyDesk went
		must(err)
		session.Close()
	}
	stop()
	must(<-done)
	must(s.InTx(ctx, func(ctx context.Context) error {
		return s.CreateLink(ctx, account.Link{Purpose: account.ForOperator, Hash: sha256.Sum256([]byte("enlace")), Person: "ana@example.com", CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
	}))
}

func seedDirectory(ctx context.Context, s *store.Store, owner string) error {
	for _, site := range []org.Site{{Name: "Querétaro"}, {Name: "Cliente norte", Remote: true}} {
		if err := s.SaveSite(ctx, site); err != nil {
			return err
		}
	}
	if err := s.SaveArea(ctx, org.Area{Name: "Ingeniería", Manager: "marta@example.com"}); err != nil {
		return err
	}
	for _, p := range samplePeople() {
		if p.Email == owner {
			p.PrimaryMachine = "pc-017"
		}
		if err := s.SavePerson(ctx, p); err != nil {
			return err
		}
	}
	for _, m := range sampleMachines() {
		m.State, m.Person = fleet.Active, ""
		if _, err := s.CreateMachine(ctx, m); err != nil {
			return err
		}
	}
	if _, err := s.AssignPrimary(ctx); err != nil {
		return err
	}
	_, err := s.SaveAllowlist(ctx, authorization.Allowlist{Version: 1, Mode: authorization.Enforce, Baseline: true, CreatedAt: ago(30 * day), CreatedBy: "cli:root", Cause: "import",
		Rules: []policy.Rule{{ID: "1", Name: "acceso remoto", Effect: policy.Deny, Match: policy.Match{Name: "anydesk*"}, Owner: "ti@example.com", Reason: "política"}}})
	return err
}

// wholeReport is what an agent sends at first: every section.
func wholeReport(t *testing.T, at time.Time, m fleet.Machine, programs []inventory.Program) *wire.Report {
	t.Helper()
	snap := inventory.Snapshot{TakenAt: at, Machine: inventory.Machine{Hostname: m.Hostname, Serial: m.Serial}, Hardware: sampleHardware(), System: sampleSystem(),
		Software: append([]inventory.Program(nil), programs...), Antivirus: sampleAntivirus(), Sources: sampleSources()}
	snap.Normalize()
	id, err := wire.NewID(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &wire.Report{ID: id, TakenAt: at, Protocol: 1, AgentVersion: "0.1.0", Cause: wire.CauseStart}
	digests := snap.Digests()
	for section, v := range map[inventory.Section]any{
		inventory.SectionMachine: snap.Machine, inventory.SectionHardware: snap.Hardware, inventory.SectionSystem: snap.System,
		inventory.SectionAntivirus: snap.Antivirus, inventory.SectionSources: snap.Sources,
	} {
		body, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		r.Sections = append(r.Sections, wire.SectionUpdate{Section: section, Body: wire.BodyDocument, Result: digests[section], Document: body})
	}
	r.Sections = append(r.Sections, wire.SectionUpdate{Section: inventory.SectionSoftware, Body: wire.BodySoftware, Result: digests[inventory.SectionSoftware], Software: snap.Software})
	return r
}

// TestRealStore shows the pages of real reports on each engine, and walks them in a
// browser on SQLite.
func TestRealStore(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed(t, s)
		f := newFake()
		d := f.deps(t)
		d.Machines, d.Inventory, d.Findings, d.Nonconformities, d.Directory, d.Allowlist = s, s, s, s.Nonconformities(), s, s
		d.Accounts, d.Sessions = newAccounts(t, f, s), s.Sessions()
		srv := console(t, d)
		c := client(t, srv, f, "nobody")
		res, err := c.Post(srv.URL+"/signin/enlace", "", nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("signing in: %v %v", res, err)
		}
		res.Body.Close()
		open, err := s.Findings(t.Context(), authorization.FindingFilter{State: authorization.Open, Limit: 1})
		if err != nil || len(open) == 0 {
			t.Fatalf("no finding to look at: %v", err)
		}
		pages := map[string]string{
			"/": "hallazgos abiertos", "/machines": "pc-017", "/machines?q=PC-017": "pc-017", "/machines?site=Cliente+norte": "servidor-con", "/machines/" + laptop: "EliteBook 840 G8",
			"/machines/" + laptop + "/software": "bash-a", "/machines/" + laptop + "/software?show=findings": "telegram", "/machines/" + laptop + "/history": "Primer inventario completo",
			"/software": "bash-a", "/software?q=TELEGR": "5.7.1", "/software?sort=-installs": "Debian Maintainers", "/findings": "NC-2026", "/findings?q=TELEGR": "telegram", "/findings?state=gone": "AnyDesk",
			fmt.Sprintf("/findings/%d", open[0].Row): "acceso remoto", "/nonconformities": "NC-2026-0001", "/nonconformities?state=open": "NC-2026-0001", "/nonconformities/NC-2026-0001": "Se encontró",
		}
		var urls []string
		for url, want := range pages {
			urls = append(urls, url)
			res, body := get(t, c, srv.URL+url, "es")
			if res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s: %d, without %q\n%.3000s", url, res.StatusCode, want, body[strings.Index(body, "<main"):])
			}
			sound(t, url, body)
			if url == "/machines/"+laptop && strings.Contains(body, "Nunca se ha recibido") {
				t.Error("a section of the machine is not seen")
			}
		}
		if s.Engine() == "sqlite" && !t.Failed() {
			if err := s.InTx(t.Context(), func(ctx context.Context) error {
				return s.CreateLink(ctx, account.Link{Purpose: account.ForOperator, Hash: sha256.Sum256([]byte("otro")), CreatedAt: now, ExpiresAt: now.Add(time.Hour)})
			}); err != nil {
				t.Fatal(err)
			}
			out := t.TempDir()
			if dir := os.Getenv("VIGIA_SCREENSHOTS"); dir != "" {
				out = filepath.Join(dir, "store")
			}
			walk(t, srv.URL, "/signin/otro", out, true, urls...)
		}
	})
}
