package ingest_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/collector/internal/ingest"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/title"
)

// titleRulesets are what the rules of titles become.
func titleRulesets() [][]title.Rule {
	one := title.Rule{ID: 1, Name: "prog-1", ToName: "prog-0"}
	all := title.Rule{ID: 2, Name: "prog-*", ToName: "Programs", ToPublisher: "Us"}
	tool := title.Rule{ID: 3, Name: "TOOL", ToName: "Herramienta"}
	return [][]title.Rule{nil, {one}, {all}, {one, all}, {tool, one}, {all, tool}}
}

// TestTitlesAreCountedAsTheyAre compares the counts with a brute-force count after every
// step of random histories with random changes of rules, on both engines.
func TestTitlesAreCountedAsTheyAre(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			s := storetest.Open(t, store.Config{Path: filepath.Join(t.TempDir(), "vigia.db"), Synchronous: "OFF"})
			playTitles(t, s, genOps().Draw(rt, "ops"), rapid.SliceOfN(rapid.IntRange(0, 20), 25, 25).Draw(rt, "rules"))
		})
	})
	t.Run("postgres", func(t *testing.T) {
		s := storetest.Open(t, store.Config{DatabaseURL: storetest.Postgres(t)})
		ops := genOps().Example(7)
		for seed := 8; len(ops) < 60; seed++ {
			ops = append(ops, genOps().Example(seed)...)
		}
		rules := make([]int, len(ops))
		for i := range rules {
			rules[i] = i * 5 % 13
		}
		playTitles(t, s, ops, rules)
	})
}

func playTitles(t *testing.T, s *store.Store, ops []op, rules []int) {
	t.Helper()
	w := newWorld(t, s)
	w.in = ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: w.now, Name: "titles", Linger: time.Microsecond, Items: 12})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.in.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for m := 1; m <= modelMachines; m++ {
		sess, err := w.in.Open(ctx, machineID(m))
		if err != nil {
			t.Fatal(err)
		}
		defer sess.Close()
		w.sessions[m] = sess
	}
	sets, now := titleRulesets(), title.Ruleset{}
	for i, o := range ops {
		if n := rules[i]; n < len(sets) {
			now.Version, now.Rules, now.CreatedAt = now.Version+1, sets[n], w.now()
			if err := s.SaveTitleRules(ctx, now); err != nil {
				t.Fatal(err)
			}
		}
		w.step(o)
		if problems, err := s.CheckInventory(ctx); err != nil || len(problems) > 0 {
			t.Fatalf("step %d: %v, %v", i, problems, err)
		}
		want := map[title.Key]int{}
		for _, list := range w.lists {
			on := map[title.Key]bool{}
			for _, p := range list {
				k, _ := now.Show(title.Key{Name: p.Name, Publisher: p.Publisher})
				on[k] = true
			}
			for k := range on {
				want[k]++
			}
		}
		page, err := s.ShownTitlePage(ctx, title.Filter{}, paging.Order{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[title.Key]int{}
		for _, r := range page.Rows {
			got[r.Key] = r.Machines
			places, err := s.TitleMachines(ctx, r.ID, paging.Order{})
			if err != nil || len(places.Rows) != r.Machines {
				t.Fatalf("step %d: %v is on %d machines, counted %d, %v", i, r.Key, len(places.Rows), r.Machines, err)
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("step %d %+v, rules %v: got %v, want %v", i, o, fmt.Sprint(now.Rules), got, want)
		}
	}
}
