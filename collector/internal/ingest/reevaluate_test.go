package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// fleetOf gives n machines the same programs and returns an ingester that nothing runs.
func fleetOf(t *testing.T, s *store.Store, now func() time.Time, n int, list []inventory.Program) *ingest.Ingester {
	t.Helper()
	in := start(t, s, now, nil)
	var g ids
	var wg sync.WaitGroup
	for m := 1; m <= n; m++ {
		sess, r := open(t, in, enroll(context.Background(), t, s, m)), softwareReport(g.next(), epoch, list)
		wg.Go(func() {
			if _, err := sess.Submit(context.Background(), r, 1); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	return ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: now, Name: "second"})
}

func openFindings(t *testing.T, s *store.Store) int {
	t.Helper()
	counts, err := s.FindingCounts(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return counts[authorization.Open]
}

func save(t *testing.T, s *store.Store, a authorization.Allowlist) {
	t.Helper()
	a.CreatedAt = epoch
	if _, err := s.SaveAllowlist(context.Background(), a); err != nil {
		t.Fatal(err)
	}
}

func TestReevaluationInManySteps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const machines = 700 // more than the differences of one transaction, for one item
		list := []inventory.Program{prog("a", "1", "file"), prog("b", "1", "file"), prog("c", "1", "file")}
		in := fleetOf(t, s, at(0), machines, list)
		save(t, s, authorization.Allowlist{Mode: authorization.Monitor, Rules: []policy.Rule{{ID: "1", Name: "c", Effect: policy.Allow, Match: policy.Match{Name: "c"}}}})
		impact, err := in.Impact(context.Background(), authorization.Allowlist{Mode: authorization.Monitor})
		if err != nil || impact.Opens != 3*machines || impact.Machines != machines {
			t.Fatalf("impact %+v, %v", impact, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // after the first step
		if _, err := in.Reevaluate(ctx, 0); err == nil || openFindings(t, s) > 500 {
			t.Fatalf("interrupted: %v, %d open", err, openFindings(t, s))
		}
		if r, err := in.Reevaluate(context.Background(), 0); err != nil || !r.Done || openFindings(t, s) != 2*machines {
			t.Fatalf("%+v, %v, %d open", r, err, openFindings(t, s))
		}
		if r, err := in.Reevaluate(context.Background(), 0); err != nil || !r.Done || r.Opened+r.Closed+r.Changed != 0 {
			t.Fatalf("nothing is left: %+v, %v", r, err)
		}
		if problems, err := s.CheckInventory(context.Background()); err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
	})
}

func TestARuleThatEnds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var clock atomic.Int64
		now := func() time.Time { return epoch.Add(time.Duration(clock.Load())) }
		in := fleetOf(t, s, now, 2, []inventory.Program{prog("a", "1", "file")})
		save(t, s, authorization.Allowlist{Mode: authorization.Monitor, Rules: []policy.Rule{{ID: "1", Name: "a", Effect: policy.Allow, Match: policy.Match{Name: "a"}, ValidUntil: epoch.Add(time.Hour)}}})
		for _, c := range []struct {
			after time.Duration
			open  int
		}{{0, 0}, {time.Hour, 0}, {time.Hour + time.Second, 2}} {
			clock.Store(int64(c.after))
			if _, err := in.Reevaluate(context.Background(), 0); err != nil || openFindings(t, s) != c.open {
				t.Fatalf("after %v: %d open, want %d; %v", c.after, openFindings(t, s), c.open, err)
			}
		}
	})
}

func TestBelongingsChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		id := directory(t, s)
		in := start(t, s, at(0), nil)
		rule := policy.Rule{ID: "1", Name: "sales", Effect: policy.Allow, Match: policy.Match{Name: "crm"}}
		rule.Scope.Areas = []string{"Ventas"}
		save(t, s, authorization.Allowlist{Mode: authorization.Enforce, Rules: []policy.Rule{rule}})
		var g ids
		submit(t, open(t, in, id), softwareReport(g.next(), epoch, []inventory.Program{prog("crm", "1", "file")}))
		if n := openFindings(t, s); n != 0 {
			t.Fatalf("%d open in the area that may", n)
		}
		other := enroll(ctx, t, s, 2)
		submit(t, open(t, in, other), softwareReport(g.next(), epoch, []inventory.Program{prog("crm", "1", "file")}))
		if n := openFindings(t, s); n != 1 {
			t.Fatalf("%d open outside of it", n)
		}
		if err := s.SetMachineFacts(ctx, other, "pc-00001", "", "", "", ""); err != nil { // Ana has a second machine
			t.Fatal(err)
		}
		if _, err := s.AssignPrimary(ctx); err != nil {
			t.Fatal(err)
		}
		if r, err := in.Reevaluate(ctx, 1); err != nil || r.Closed != 1 || openFindings(t, s) != 0 {
			t.Fatalf("after it moved there: %+v, %v", r, err)
		}
		if f, err := s.Findings(ctx, authorization.FindingFilter{}); err != nil || f[0].State != authorization.Authorized || f[0].Rule != "sales" {
			t.Fatalf("%+v, %v", f, err)
		}
	})
}

// TestCollectorsTogether has two collectors take reports of many machines with shared
// programs while the allowlist changes under them.
func TestCollectorsTogether(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		collectors := []*ingest.Ingester{
			start(t, s, time.Now, func(c *ingest.Config) { c.Name = "one"; c.Batch = 7 }),
			start(t, s, time.Now, func(c *ingest.Config) { c.Name = "two"; c.Batch = 7 }),
		}
		pool := newPool(400, 60)
		var wg sync.WaitGroup
		for m := 1; m <= 40; m++ {
			sess := open(t, collectors[m%2], enroll(ctx, t, s, m))
			wg.Go(func() {
				g := ids{n: uint64(m) << 20}
				was := []inventory.Program(nil)
				for round := range 6 {
					list := pool.machine(m*7+round, 90)
					r := softwareReport(g.next(), epoch, list)
					if round > 0 {
						r = deltaReport(g.next(), epoch.Add(time.Duration(round)*time.Hour), was, list)
					}
					if res, err := sess.Submit(ctx, r, 1); err != nil || len(res.Need) > 0 {
						t.Errorf("machine %d, round %d: %+v, %v", m, round, res, err)
						return
					}
					was = list
				}
			})
		}
		for i := range 4 {
			a := authorization.Allowlist{Mode: authorization.Monitor, Baseline: i%2 == 0, CreatedAt: epoch, Rules: []policy.Rule{{ID: "1", Name: "some", Effect: policy.Allow,
				Match: policy.Match{Name: fmt.Sprintf("lib-00%d*", i)}}}}
			err := s.InTx(ctx, func(ctx context.Context) error {
				if err := collectors[0].LockFindings(ctx); err != nil {
					return err
				}
				_, err := s.SaveAllowlist(ctx, a)
				return errors.Join(err, s.Notify(ctx, fleet.ChangePolicy, ""))
			})
			if err != nil {
				t.Fatal(err)
			}
			collectors[i%2].PolicyChanged(int64(i + 1))
			time.Sleep(20 * time.Millisecond)
		}
		wg.Wait()
		deadline := time.Now().Add(30 * time.Second)
		for {
			r, err := collectors[0].Reevaluate(ctx, 0)
			if err != nil {
				t.Fatal(err)
			}
			if r.Done {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the findings never followed")
			}
			time.Sleep(20 * time.Millisecond)
		}
		current, err := s.CurrentAllowlist(ctx)
		if err != nil {
			t.Fatal(err)
		}
		impact, err := collectors[1].Impact(ctx, current)
		if err != nil || impact.Opens != 0 || impact.Closes != 0 || openFindings(t, s) == 0 {
			t.Fatalf("the findings do not follow: %+v, %v, %d open", impact, err, openFindings(t, s))
		}
		if problems, err := s.CheckInventory(ctx); err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
	})
}
