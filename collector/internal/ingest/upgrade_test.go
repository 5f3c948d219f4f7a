package ingest_test

import (
	"context"
	"testing"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// TestUpgradeToAnAuthorizedVersion holds that a program which is still there never
// counts as gone, only because its version is another.
func TestUpgradeToAnAuthorizedVersion(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		id := enroll(ctx, t, s, 1)
		rules := []policy.Rule{{Name: "new editor", Effect: policy.Allow, Match: policy.Match{Name: "editor", Version: ">=2"}}}
		if _, err := s.SaveAllowlist(ctx, authorization.Allowlist{Mode: authorization.Monitor, Rules: rules, CreatedAt: epoch}); err != nil {
			t.Fatal(err)
		}
		in := start(t, s, at(0), nil)
		sess := open(t, in, id)
		var g ids
		tell := func(after time.Duration, list ...inventory.Program) authorization.Finding {
			t.Helper()
			submit(t, sess, softwareReport(g.next(), epoch.Add(after), list))
			all, err := s.Findings(ctx, authorization.FindingFilter{})
			if err != nil || len(all) != 1 {
				t.Fatalf("findings %+v, %v", all, err)
			}
			return all[0]
		}
		if f := tell(0, prog("editor", "1", "file")); f.State != authorization.Open {
			t.Fatalf("version 1: %+v", f)
		}
		if f := tell(time.Minute, prog("editor", "2", "file")); f.State != authorization.Authorized || f.Version != "2" || f.Rule != "new editor" || !f.GoneAt.IsZero() {
			t.Fatalf("upgraded to what a rule covers: %+v", f)
		}
		if f := tell(2*time.Minute, prog("editor", "3", "file")); f.State != authorization.Authorized || f.Version != "3" {
			t.Fatalf("upgraded again: %+v", f)
		}
		if m, err := s.Machine(ctx, id); err != nil || m.Findings != 0 {
			t.Fatalf("the machine counts %d findings, %v", m.Findings, err)
		}
		if f := tell(3 * time.Minute); f.State != authorization.Gone {
			t.Fatalf("removed: %+v", f)
		}
		if f := tell(4*time.Minute, prog("editor", "1", "file")); f.State != authorization.Open || f.Recurrences != 1 {
			t.Fatalf("back in the old version: %+v", f)
		}
	})
}
