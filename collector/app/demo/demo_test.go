package demo_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collector/app/demo"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// end is when the year of these tests ends.
var end = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

// admin may see everything.
func admin(t *testing.T) context.Context {
	return actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "test", Role: actor.Administrator})
}

// each fills a sample on both engines and hands the store over.
func each(t *testing.T, machines int, fn func(t *testing.T, s *store.Store, sum demo.Summary)) {
	t.Helper()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			o := demo.Options{Machines: machines, Seed: 7, Now: end}
			if engine == "sqlite" {
				o.Path = filepath.Join(t.TempDir(), "vigia.db")
			} else {
				o.DatabaseURL = storetest.Postgres(t)
			}
			sum, err := demo.Fill(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			fn(t, storetest.Open(t, store.Config{Path: o.Path, DatabaseURL: o.DatabaseURL}), sum)
		})
	}
}

// TestFill looks at a sample on each engine, and that both are the same: the same seed
// and moment make the same company.
func TestFill(t *testing.T) {
	var seen []string
	each(t, 40, func(t *testing.T, s *store.Store, sum demo.Summary) {
		ctx := admin(t)
		problems, err := s.Check(ctx)
		if err != nil || len(problems) > 0 {
			t.Errorf("check: %v, %v", problems, err)
		}
		mark, there, err := demo.SampleOf(ctx, s)
		if err != nil || !there || !mark.Done || mark.Seed != 7 || mark.Machines != 40 {
			t.Errorf("mark %+v, there %v, %v", mark, there, err)
		}
		machines, err := s.Machines(ctx, fleet.MachineFilter{Archived: true})
		if err != nil || len(machines) != 40 || sum.Machines != 40 {
			t.Fatalf("%d machines, %v", len(machines), err)
		}
		states := map[fleet.State]int{}
		for _, m := range machines {
			states[m.State]++
			if m.Programs < 4 || m.Area == "" && m.State == fleet.Active || m.LastReport.IsZero() || m.LastSeen.After(end) || m.Agent == "" || m.Site == "" {
				t.Errorf("machine %+v", m)
			}
		}
		if states[fleet.Active] < 30 || states[fleet.Archived] == 0 {
			t.Errorf("states %v", states)
		}
		counts, err := s.FindingCounts(ctx)
		if err != nil || counts[authorization.Open] == 0 || counts[authorization.Gone] == 0 || counts[authorization.Authorized] == 0 {
			t.Errorf("findings %v, %v", counts, err)
		}
		checkRoles(t, ctx, s)
		seen = append(seen, describe(t, ctx, s))
	})
	if len(seen) == 2 {
		compare(t, seen[0], seen[1])
	}
}

// checkRoles looks for what the people with fixed addresses are promised.
func checkRoles(t *testing.T, ctx context.Context, s *store.Store) {
	t.Helper()
	people, err := s.People(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range actor.Roles() {
		if !slices.ContainsFunc(people, func(p org.Person) bool { return p.Role == role && p.Active }) {
			t.Errorf("nobody is %s", role)
		}
	}
	for _, p := range people {
		if !strings.HasSuffix(p.Email, "@example.com") {
			t.Errorf("%s is not plainly sample", p.Email)
		}
	}
	records, err := s.Nonconformities().List(ctx, nonconformity.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	has := func(email string, state nonconformity.State) bool {
		return slices.ContainsFunc(records, func(n nonconformity.Nonconformity) bool {
			return n.State == state && slices.ContainsFunc(n.Parties, func(p nonconformity.Party) bool { return p.Email == email })
		})
	}
	for _, email := range []string{"empleado@example.com", "gerente@example.com", "rh@example.com"} {
		for _, state := range []nonconformity.State{nonconformity.Open, nonconformity.Contained} {
			if !has(email, state) {
				t.Errorf("%s has no part in a nonconformity that is %s", email, state)
			}
		}
	}
	own, err := s.Machines(ctx, fleet.MachineFilter{Query: "empleado@example.com"})
	if err == nil && (len(own) != 1 || own[0].Findings == 0 || own[0].Area != "Ingeniería") {
		t.Errorf("the machines of empleado@example.com: %+v", own)
	}
}

func TestFillRefuses(t *testing.T) {
	ctx := t.Context()
	for _, machines := range []int{demo.MinMachines - 1, demo.MaxMachines + 1, -1} {
		if _, err := demo.Fill(ctx, demo.Options{Path: filepath.Join(t.TempDir(), "vigia.db"), Machines: machines}); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("%d machines: %v", machines, err)
		}
	}
	used := filepath.Join(t.TempDir(), "vigia.db")
	s := storetest.Open(t, store.Config{Path: used})
	if _, err := fleet.OpenAuthority(ctx, s, s, s, "CA", end); err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Fill(ctx, demo.Options{Path: used, Machines: 40}); keyOf(err) != "demo.not-fresh" {
		t.Errorf("a database in use: %v", err)
	}
}

func TestFillLeavesAnInterruptedSampleMarked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigia.db")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := demo.Fill(ctx, demo.Options{Path: path, Machines: 40, Now: end, Progress: func(string, float64) { cancel() }})
	if err == nil {
		t.Fatal("a cancelled filling was finished")
	}
	mark, there, err := demo.SampleOf(t.Context(), storetest.Open(t, store.Config{Path: path}))
	if err != nil || !there || mark.Done {
		t.Errorf("mark %+v, there %v, %v", mark, there, err)
	}
	if _, err := demo.Fill(t.Context(), demo.Options{Path: path, Machines: 40}); keyOf(err) != "demo.sample-there" {
		t.Errorf("filling it again: %v", err)
	}
}
