package ingest_test

import (
	"context"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
)

// TestFindingsAreGradedAndGathered tells programs as they come, then changes the
// catalogue and looks whether what was stored follows.
func TestFindingsAreGradedAndGathered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := actor.With(context.Background(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
		id := enroll(ctx, t, s, 1)
		if _, err := s.SaveAllowlist(ctx, authorization.Allowlist{Mode: authorization.Monitor, CreatedAt: epoch}); err != nil {
			t.Fatal(err)
		}
		in := start(t, s, at(0), nil)
		sess := open(t, in, id)
		var g ids
		asked := func(name string, requested bool) inventory.Program {
			p := prog(name, "1", "deb")
			p.Requested = requested
			return p
		}
		list := []inventory.Program{asked("htop", true)}
		submit(t, sess, softwareReport(g.next(), epoch, list))
		list = append(list, asked("libreoffice", true), asked("libreoffice-core", false), asked("anydesk", true), asked("libanydesk0", false))
		submit(t, sess, softwareReport(g.next(), epoch.Add(time.Minute), list))
		find := func() map[string]authorization.Finding {
			t.Helper()
			all, err := s.Findings(ctx, authorization.FindingFilter{})
			if err != nil {
				t.Fatal(err)
			}
			byName := map[string]authorization.Finding{}
			for _, f := range all {
				byName[f.Program] = f
			}
			return byName
		}
		f := find()
		if f["anydesk"].Severity != authorization.Critical || f["anydesk"].Category != authorization.RemoteControl || f["htop"].Severity != authorization.Minor || f["htop"].Parent != 0 {
			t.Fatalf("as they came: %+v", f)
		}
		if f["libreoffice-core"].Parent != f["libreoffice"].Row || f["libreoffice"].Along < 1 || f["libreoffice"].Parent != 0 || f["libreoffice"].Spread != 1 {
			t.Fatalf("gathered: %+v", f)
		}
		for name, q := range map[string]authorization.FindingFilter{"anydesk": {Severity: authorization.Critical}, "libreoffice-core": {Parent: f["libreoffice"].Row, Query: "libreoffice-core"}} {
			if got, err := s.Findings(ctx, q); err != nil || len(got) != 1 || got[0].Program != name {
				t.Errorf("%+v: %+v, %v", q, got, err)
			}
		}
		if got, err := s.Findings(ctx, authorization.FindingFilter{Alone: true}); err != nil || len(got) != 3 {
			t.Errorf("what somebody asked for: %+v, %v", got, err)
		}
		svc := &authorization.CatalogueService{Store: s, Audit: s, Now: at(time.Hour), Regrade: in.Regrade}
		c, err := svc.AddRule(ctx, authorization.CatalogueRule{Category: authorization.Game, Name: "htop", Severity: authorization.Major})
		if err != nil || c.Version != 1 {
			t.Fatalf("%+v, %v", c.Version, err)
		}
		if f = find(); f["htop"].Severity != authorization.Major || f["htop"].Category != authorization.Game || f["anydesk"].Severity != authorization.Critical {
			t.Fatalf("after the change: %+v", f)
		}
		if _, err = svc.SetRulings(ctx, []authorization.Ruling{{Category: authorization.RemoteControl, Severity: authorization.Minor}}, 0); err != nil {
			t.Fatal(err)
		}
		if f = find(); f["anydesk"].Severity != authorization.Minor {
			t.Fatalf("after the ruling: %+v", f["anydesk"])
		}
		for range 2 { // the undo, and the undo of the undo
			if _, err = svc.Undo(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if f = find(); f["anydesk"].Severity != authorization.Minor {
			t.Fatalf("undone twice: %+v", f["anydesk"])
		}
		if n, err := in.Regrade(ctx); err != nil || n != 0 {
			t.Errorf("nothing is left to grade: %d, %v", n, err)
		}
		if _, err := svc.AddRule(ctx, authorization.CatalogueRule{Category: authorization.Game, Name: "a[", Severity: authorization.Major}); err == nil {
			t.Error("a broken pattern was taken")
		}
		if n, err := s.VerifyAudit(ctx); err != nil || n != 4 {
			t.Errorf("%d entries, %v", n, err)
		}
	})
}
