package allowlist_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/policy/policyfile"
	"vigia/internal/wire"
)

var epoch = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// bench is a service over a store with machines that have told what they have.
type bench struct {
	*allowlist.Service
	t  *testing.T
	s  *store.Store
	in *ingest.Ingester
}

func machineID(m int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", m) }

func newBench(t *testing.T, s *store.Store, machines int) *bench {
	t.Helper()
	now := func() time.Time { return epoch }
	in := ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: now, Name: "test"})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = in.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	for m := 1; m <= machines; m++ {
		if _, err := s.CreateMachine(ctx, fleet.Machine{ID: machineID(m), Hostname: fmt.Sprintf("pc-%d", m), State: fleet.Active, EnrolledAt: epoch}); err != nil {
			t.Fatal(err)
		}
		sess, err := in.Open(ctx, machineID(m))
		if err != nil {
			t.Fatal(err)
		}
		defer sess.Close()
		list, _ := inventory.NormalizePrograms([]inventory.Program{
			{Name: "vigia-agent", Version: "1.0", Source: "deb", Scope: inventory.ScopeMachine},
			{Name: "Juego", Version: fmt.Sprint(m % 2), Source: "file", Scope: inventory.ScopeMachine, Path: "/opt/juego"}})
		if _, err := sess.Submit(ctx, &wire.Report{ID: wire.ID{1, byte(m)}, TakenAt: epoch, Sections: []wire.SectionUpdate{{Section: inventory.SectionSoftware,
			Body: wire.BodySoftware, Software: list, Result: inventory.DigestSoftware(list)}}}, 1); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	svc := allowlist.New(allowlist.Config{Tx: s, Allowlists: s, Changes: s, Audit: s, Findings: in, Programs: s, Now: now,
		NewID: func() (string, error) { n++; return fmt.Sprintf("R%d", n), nil }})
	return &bench{Service: svc, t: t, s: s, in: in}
}

func (b *bench) ctx() context.Context {
	return actor.With(context.Background(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
}

func parse(t *testing.T, text string) *policyfile.File {
	t.Helper()
	f, errs := policyfile.Parse(strings.NewReader(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return f
}

const file = `
mode: enforce
baseline: true
rules:
  - name: agent
    effect: allow
    match: {name: "vigia-*"}
    scope: {except: {machines: [pc-2]}}
    owner: it@example.com
    reason: ours
`

func (b *bench) open() int {
	b.t.Helper()
	counts, err := b.s.FindingCounts(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return counts[authorization.Open]
}

func TestImportShowsThenOpensAndIsUndone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, 3)
		plan, err := b.Import(b.ctx(), parse(t, file), "rules.yaml", allowlist.Options{})
		if err != nil || plan.Applied || plan.Impact.Opens != 4 || plan.Impact.Machines != 3 || len(plan.Impact.ByProgram) != 2 || plan.Impact.ByProgram[0].Name != "Juego" {
			t.Fatalf("shown: %+v, %v", plan, err)
		}
		if a, err := b.Current(b.ctx()); err != nil || a.Version != 0 || b.open() != 0 {
			t.Fatalf("showing changed something: %+v, %v", a, err)
		}
		if plan, err = b.Import(b.ctx(), parse(t, file), "rules.yaml", allowlist.Options{Apply: true, MaxOpen: new(0)}); !apperr.Is(err, apperr.TooMany) || plan.Applied || b.open() != 0 {
			t.Errorf("none may open: %+v, %v, %d open", plan, err, b.open())
		}
		if plan, err = b.Import(b.ctx(), parse(t, file), "rules.yaml", allowlist.Options{Apply: true, MaxOpen: new(3)}); !apperr.Is(err, apperr.TooMany) || plan.Impact.Opens != 4 {
			t.Fatalf("above the cap: %+v, %v", plan, err)
		}
		if plan, err = b.Import(b.ctx(), parse(t, file), "rules.yaml", allowlist.Options{Apply: true, MaxOpen: new(4)}); err != nil || !plan.Applied || b.open() != 4 {
			t.Fatalf("applied: %+v, %v; %d open", plan, err, b.open())
		}
		a, err := b.Current(b.ctx())
		if err != nil || a.Version != 1 || a.Rules[0].ID != "R4" || a.CreatedBy != "cli:root" {
			t.Fatalf("in force: %+v, %v", a, err)
		}
		if changes, _, err := s.Since(b.ctx(), 0); err != nil || len(changes) != 1 || changes[0].Kind != fleet.ChangePolicy {
			t.Fatalf("changes %+v, %v", changes, err)
		}
		if plan, err = b.Undo(b.ctx(), allowlist.Options{Apply: true}); err != nil || plan.Impact.Closes != 4 || b.open() != 0 || plan.Mode != authorization.Learn {
			t.Fatalf("undone: %+v, %v; %d open", plan, err, b.open())
		}
		if plan, err = b.Undo(b.ctx(), allowlist.Options{Apply: true}); err != nil || b.open() != 4 || plan.Mode != authorization.Enforce {
			t.Fatalf("the undo undone: %+v, %v; %d open", plan, err, b.open())
		}
		if n, err := s.VerifyAudit(b.ctx()); err != nil || n != 3 {
			t.Fatalf("%d audit entries, %v", n, err)
		}
		if problems, err := s.CheckInventory(b.ctx()); err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
	})
}

func TestExportReadsBack(t *testing.T) {
	s := storetest.SQLite(t)
	b := newBench(t, s, 1)
	if _, err := b.Import(b.ctx(), parse(t, file), "a", allowlist.Options{Apply: true}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.Export(b.ctx(), &out); err != nil {
		t.Fatal(err)
	}
	plan, err := b.Import(b.ctx(), parse(t, out.String()), "b", allowlist.Options{})
	if err != nil || plan.Impact.Opens != 0 || plan.Impact.Closes != 0 || plan.Allowlist.Rules[0].ID != "R1" || plan.Mode != authorization.Enforce {
		t.Fatalf("%+v, %v", plan, err)
	}
}

func TestModes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, 2)
		for _, c := range []struct {
			mode authorization.Mode
			open int
		}{{authorization.Monitor, 4}, {authorization.Enforce, 4}, {authorization.Learn, 0}} {
			if plan, err := b.SetMode(b.ctx(), c.mode, allowlist.Options{Apply: true}); err != nil || !plan.Followed.Done || b.open() != c.open {
				t.Fatalf("%s: %+v, %v; %d open", c.mode, plan, err, b.open())
			}
		}
		if _, err := b.SetMode(b.ctx(), "strict", allowlist.Options{}); !apperr.Is(err, apperr.Invalid) {
			t.Fatalf("a mode that is none: %v", err)
		}
	})
}

func TestDefaultCaps(t *testing.T) {
	b := newBench(t, storetest.SQLite(t), allowlist.DefaultMaxMachines+1)
	if _, err := b.SetMode(b.ctx(), authorization.Monitor, allowlist.Options{Apply: true}); !apperr.Is(err, apperr.TooMany) {
		t.Fatalf("more machines than the cap: %v", err)
	}
	if _, err := b.SetMode(b.ctx(), authorization.Monitor, allowlist.Options{Apply: true, MaxOpen: new(-1)}); err != nil {
		t.Fatal(err)
	}
}

func TestExplainProposeAndDocument(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, 2)
		if _, err := b.Import(b.ctx(), parse(t, file), "a", allowlist.Options{Apply: true}); err != nil {
			t.Fatal(err)
		}
		list, err := b.Explain(b.ctx(), allowlist.Question{Program: "JUEGO"})
		if err != nil || len(list) != 2 || list[0].Kind != policy.Unauthorized || len(list[0].Trials) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		list, err = b.Explain(b.ctx(), allowlist.Question{Program: "vigia-agent", Machine: machineID(2)})
		if err != nil || len(list) != 1 || list[0].Kind != policy.Unauthorized || list[0].Trials[0].Reasons[0].Key != policy.KeyExcluded {
			t.Fatalf("%+v, %v", list, err)
		}
		if _, err := b.Explain(b.ctx(), allowlist.Question{Program: "nothing"}); !apperr.Is(err, apperr.NotFound) {
			t.Fatal(err)
		}
		proposals, err := b.Proposals(b.ctx())
		if err != nil || len(proposals) != 2 || proposals[0].Installs != 2 || proposals[0].Programs[0] != "Juego" {
			t.Fatalf("%+v, %v", proposals, err)
		}
		d, err := b.Document(b.ctx(), machineID(1))
		if err != nil || len(d.Rules) != 1 || d.Machine.Hostname != "pc-1" {
			t.Fatalf("%+v, %v", d, err)
		}
		wire, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.DecodeDocument(bytes.NewReader(wire)); err != nil {
			t.Fatal(err)
		}
		if again, err := b.Document(b.ctx(), machineID(1)); err != nil || again.Version != d.Version {
			t.Fatalf("another version of the same: %v", err)
		}
	})
}
