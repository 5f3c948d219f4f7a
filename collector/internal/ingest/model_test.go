package ingest_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

// op is one step of a random history.
type op struct {
	Kind    string
	Machine int
	Have    []int // programs of the pool
	Policy  int
	Hours   int
}

const modelMachines = 3

// modelPool is few programs, in versions, so that upgrades, returns and shared items are
// frequent.
func modelPool() []inventory.Program {
	var out []inventory.Program
	for n := range 4 {
		for v := range 3 {
			out = append(out, inventory.Program{Name: fmt.Sprintf("prog-%d", n), Version: fmt.Sprintf("%d.0", v+1), Source: "deb", Origin: []string{"Debian", "Ubuntu"}[n%2],
				Scope: inventory.ScopeMachine, Requested: n > 1, InstalledAt: epoch.Add(-time.Duration(v) * time.Hour)})
		}
	}
	for u := range 2 {
		out = append(out, inventory.Program{Name: "tool", Version: "1", Source: "file", Scope: inventory.ScopeUser, User: fmt.Sprintf("u%d", u), Path: fmt.Sprintf("/home/u%d/tool", u)})
	}
	return out
}

// modelPolicies are what the allowlist becomes.
func modelPolicies() []authorization.Allowlist {
	allow := func(name string, m policy.Match) policy.Rule {
		return policy.Rule{ID: name, Name: name, Effect: policy.Allow, Match: m}
	}
	one := allow("one", policy.Match{Name: "prog-2"})
	scoped := allow("scoped", policy.Match{Name: "prog-3"})
	scoped.Scope.Machines = []string{"pc-00001"}
	deny := policy.Rule{ID: "deny", Name: "deny", Effect: policy.Deny, Match: policy.Match{Name: "prog-0", Version: "<2"}}
	brief := allow("brief", policy.Match{Name: "tool"})
	brief.ValidFrom, brief.ValidUntil = epoch.Add(5*time.Hour), epoch.Add(40*time.Hour)
	versions := allow("versions", policy.Match{Name: "prog-3", Version: ">=2"})
	return []authorization.Allowlist{
		{Mode: authorization.Learn, Baseline: true},
		{Mode: authorization.Monitor, Baseline: true, Rules: []policy.Rule{one}},
		{Mode: authorization.Monitor, Rules: []policy.Rule{scoped, deny}},
		{Mode: authorization.Enforce, Baseline: true, Rules: []policy.Rule{brief, versions}},
		{Mode: authorization.Enforce, Baseline: true, Rules: []policy.Rule{one, scoped, deny}},
		{Mode: authorization.Enforce},
	}
}

func genOps() *rapid.Generator[[]op] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) op {
		kinds := []string{"whole", "delta", "delta", "delta", "stale", "again", "policy", "system", "clock", "burst"}
		return op{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Machine: rapid.IntRange(1, modelMachines).Draw(t, "machine"),
			Have:   rapid.SliceOfNDistinct(rapid.IntRange(0, len(modelPool())-1), 0, 8, rapid.ID[int]).Draw(t, "have"),
			Policy: rapid.IntRange(0, len(modelPolicies())-1).Draw(t, "policy"), Hours: rapid.IntRange(1, 30).Draw(t, "hours")}
	}), 1, 25)
}

// world runs a history on a store beside a brute-force model.
type world struct {
	t        testing.TB
	s        *store.Store
	in       *ingest.Ingester
	sessions map[int]*ingest.Session
	ids      ids
	clock    atomic.Int64

	lists   map[int]map[inventory.Key]inventory.Program
	told    map[int]bool
	vendors map[int]string
	sent    map[int]*wire.Report
	reports int
	policy  authorization.Allowlist
	wasOpen map[string]bool // machine and item, before the step
}

func (w *world) now() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }

func newWorld(t testing.TB, s *store.Store) *world {
	w := &world{t: t, s: s, sessions: map[int]*ingest.Session{}, lists: map[int]map[inventory.Key]inventory.Program{}, told: map[int]bool{},
		vendors: map[int]string{}, sent: map[int]*wire.Report{}, policy: authorization.Allowlist{Mode: authorization.Learn, Baseline: true}}
	w.clock.Store(epoch.UnixMicro())
	for m := 1; m <= modelMachines; m++ {
		enroll(context.Background(), t, s, m)
		w.lists[m] = map[inventory.Key]inventory.Program{}
	}
	return w
}

// run plays ops on an ingester of its own and compares after each.
func (w *world) run(ops []op) {
	w.t.Helper()
	w.in = ingest.New(ingest.Config{Store: w.s, Allowlists: w.s, Records: w.s.Nonconformities(), Directory: w.s, Now: w.now, Name: "model", Linger: time.Microsecond, Items: 12})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = w.in.Run(ctx) }()
	defer func() { cancel(); <-done }()
	for m := 1; m <= modelMachines; m++ {
		sess, err := w.in.Open(ctx, machineID(m))
		if err != nil {
			w.t.Fatal(err)
		}
		defer sess.Close()
		w.sessions[m] = sess
	}
	for i, o := range ops {
		w.step(o)
		if _, err := w.in.Reevaluate(ctx, 0); err != nil {
			w.t.Fatalf("step %d: re-evaluating: %v", i, err)
		}
		w.compare(fmt.Sprintf("step %d %+v", i, o))
	}
}

func (w *world) programs(o op) []inventory.Program {
	pool := modelPool()
	out := make([]inventory.Program, 0, len(o.Have))
	for _, i := range o.Have {
		out = append(out, pool[i])
	}
	return out
}

func (w *world) list(m int) []inventory.Program {
	return slices.Collect(maps.Values(w.lists[m]))
}

func (w *world) take(m int, list []inventory.Program) {
	w.lists[m], w.told[m] = map[inventory.Key]inventory.Program{}, true
	for i := range list {
		w.lists[m][list[i].Key()] = list[i]
	}
}

func (w *world) submit(m int, r *wire.Report) ingest.Result {
	w.t.Helper()
	copied := *r
	copied.Sections = slices.Clone(r.Sections)
	for i := range copied.Sections { // Submit uses its report up
		u := &copied.Sections[i]
		u.Software = slices.Clone(u.Software)
		if u.Delta != nil {
			d := *u.Delta
			d.Set, d.Removed = slices.Clone(d.Set), slices.Clone(d.Removed)
			u.Delta = &d
		}
	}
	res, err := w.sessions[m].Submit(context.Background(), &copied, 1)
	if err != nil {
		w.t.Fatalf("submitting: %v", err)
	}
	return res
}

func (w *world) step(o op) {
	w.t.Helper()
	m, at := o.Machine, w.now()
	switch o.Kind {
	case "whole":
		w.sent[m] = softwareReport(w.ids.next(), at, w.programs(o))
		w.submit(m, w.sent[m])
		w.take(m, w.programs(o))
		w.reports++
	case "delta":
		r := deltaReport(w.ids.next(), at, w.list(m), w.programs(o))
		w.sent[m] = r
		w.reports++
		if res := w.submit(m, r); !w.told[m] {
			if len(res.Need) != 1 {
				w.t.Fatalf("a delta on nothing: %+v", res)
			}
			return
		} else if len(res.Need) != 0 {
			w.t.Fatalf("a delta that fits: %+v", res)
		}
		w.take(m, w.programs(o))
	case "stale":
		base := append(w.list(m), inventory.Program{Name: "never", Version: "0", Source: "deb", Scope: inventory.ScopeMachine})
		w.reports++
		if res := w.submit(m, deltaReport(w.ids.next(), at, base, w.programs(o))); len(res.Need) != 1 {
			w.t.Fatalf("a delta on a list never seen: %+v", res)
		}
	case "again":
		if w.sent[m] != nil {
			if res := w.submit(m, w.sent[m]); !res.Duplicate {
				w.t.Fatalf("the same report again: %+v", res)
			}
		}
	case "policy":
		w.setPolicy(modelPolicies()[o.Policy])
	case "system":
		w.vendors[m] = []string{"debian", "ubuntu"}[o.Hours%2]
		w.reports++
		w.submit(m, systemReport(w.t, w.ids.next(), at, w.vendors[m]))
	case "clock":
		w.clock.Add(int64(o.Hours) * time.Hour.Microseconds())
	case "burst":
		w.burst(o, at)
	}
}

// burst sends deltas of one machine and a whole list of another at once, so that they
// meet in one transaction.
func (w *world) burst(o op, at time.Time) {
	other := o.Machine%modelMachines + 1
	r := softwareReport(w.ids.next(), at, w.programs(o))
	done := make(chan error, 1)
	go func() {
		_, err := w.sessions[other].Submit(context.Background(), r, 1)
		done <- err
	}()
	w.step(op{Kind: "delta", Machine: o.Machine, Have: o.Have[len(o.Have)/2:]})
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
	w.take(other, w.programs(o))
	w.reports++
}

func (w *world) setPolicy(a authorization.Allowlist) {
	w.t.Helper()
	a.Version, a.CreatedAt = 0, w.now()
	err := w.s.InTx(context.Background(), func(ctx context.Context) error {
		if err := w.in.LockFindings(ctx); err != nil {
			return err
		}
		_, err := w.s.SaveAllowlist(ctx, a)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.policy = a
}

func systemReport(t testing.TB, id wire.ID, at time.Time, vendor string) *wire.Report {
	t.Helper()
	snap := inventory.Snapshot{System: inventory.System{OS: "linux", Name: vendor, Distribution: vendor}}
	snap.Normalize()
	doc, err := wire.EncodeDocument(&snap, inventory.SectionSystem)
	if err != nil {
		t.Fatal(err)
	}
	return &wire.Report{ID: id, TakenAt: at, Protocol: 1, Sections: []wire.SectionUpdate{{Section: inventory.SectionSystem, Body: wire.BodyDocument,
		Document: doc, Result: snap.Digests()[inventory.SectionSystem]}}}
}

// flagged returns what the model finds on a machine: "prog-0 1.0 u0" …
func (w *world) flagged(m int) map[string]bool {
	out := map[string]bool{}
	if w.policy.Mode == authorization.Learn {
		return out
	}
	c, err := policy.Compile(&policy.Document{Mode: policy.Mode(w.policy.Mode), Baseline: w.policy.Baseline, Rules: w.policy.Rules})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx := policy.MachineContext{ID: machineID(m), Hostname: fmt.Sprintf("pc-%05d", m), OSVendor: w.vendors[m]}
	for _, p := range w.lists[m] {
		if c.Evaluate(&p, ctx, w.now()).Flagged() {
			out[p.Name+" "+p.Version+" "+p.User] = true
		}
	}
	return out
}

func (w *world) compare(step string) {
	w.t.Helper()
	ctx := context.Background()
	if problems, err := w.s.CheckInventory(ctx); err != nil || len(problems) > 0 {
		w.t.Fatalf("%s: %v %v", step, problems, err)
	}
	titles := map[string]int{}
	for m := 1; m <= modelMachines; m++ {
		w.compareMachine(step, m, titles)
	}
	rows, err := w.s.Titles(ctx, fleet.TitleFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	got := map[string]int{}
	for _, r := range rows {
		got[r.Name+" "+r.Version] += r.Installs
	}
	if !maps.Equal(got, titles) {
		w.t.Fatalf("%s: titles %v, want %v", step, got, titles)
	}
	w.compareFindings(step)
}

func (w *world) compareMachine(step string, m int, titles map[string]int) {
	w.t.Helper()
	installs, err := w.s.Installs(context.Background(), machineID(m))
	if err != nil {
		w.t.Fatal(err)
	}
	if len(installs) != len(w.lists[m]) {
		w.t.Fatalf("%s: machine %d has %d programs, want %d", step, m, len(installs), len(w.lists[m]))
	}
	for _, in := range installs {
		want, ok := w.lists[m][in.Key()]
		if !ok || !want.InstalledAt.Equal(in.InstalledAt) {
			w.t.Fatalf("%s: machine %d: %+v, want %+v", step, m, in.Program, want)
		}
		titles[in.Name+" "+in.Version]++
	}
}

func (w *world) compareFindings(step string) {
	w.t.Helper()
	ctx := context.Background()
	all, err := w.s.Findings(ctx, authorization.FindingFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	open, states := map[int]map[string]bool{}, map[int64]authorization.Finding{}
	isOpen := map[string]bool{}
	for _, f := range all {
		states[f.Row] = f
		if f.State != authorization.Open {
			continue
		}
		for m := 1; m <= modelMachines; m++ {
			if f.Machine == machineID(m) {
				if open[m] == nil {
					open[m] = map[string]bool{}
				}
				open[m][f.Program+" "+f.Version+" "+f.User] = true
			}
		}
		key := fmt.Sprint(f.Row)
		isOpen[key] = true
		if !w.wasOpen[key] && w.policy.Mode == authorization.Enforce && f.Nonconformity == "" {
			w.t.Fatalf("%s: finding %d opened under enforce without a record", step, f.Row)
		}
	}
	w.wasOpen = isOpen
	for m := 1; m <= modelMachines; m++ {
		if want := w.flagged(m); !maps.Equal(open[m], want) && len(open[m])+len(want) > 0 {
			w.t.Fatalf("%s: machine %d has open %v, want %v", step, m, open[m], want)
		}
	}
	w.compareRecords(step, states)
}

func (w *world) compareRecords(step string, findings map[int64]authorization.Finding) {
	w.t.Helper()
	records, err := w.s.Nonconformities().List(context.Background(), nonconformity.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	state := map[authorization.FindingState]string{authorization.Open: "present", authorization.Gone: "gone", authorization.Authorized: "authorized"}
	on := map[int64]string{}
	for _, r := range records {
		present := false
		for _, p := range r.Programs {
			f := findings[p.Finding]
			on[p.Finding] = r.Number
			present = present || p.State == "present"
			if f.Nonconformity != r.Number || state[f.State] != p.State || f.State == authorization.Open && f.Version != p.Version || f.Program != p.Name {
				w.t.Fatalf("%s: record %s says %+v, finding is %+v", step, r.Number, p, f)
			}
		}
		if present == (r.State == nonconformity.Contained) || r.ContainedAt.IsZero() != (r.State == nonconformity.Open) {
			w.t.Fatalf("%s: record %s is %s at %v with programs %+v", step, r.Number, r.State, r.ContainedAt, r.Programs)
		}
		if len(r.Evidence) < len(r.Programs) {
			w.t.Fatalf("%s: record %s has %d programs and %d pieces of evidence", step, r.Number, len(r.Programs), len(r.Evidence))
		}
	}
	for row, f := range findings {
		if f.Nonconformity != on[row] {
			w.t.Fatalf("%s: finding %d names %q and stands in %q", step, row, f.Nonconformity, on[row])
		}
	}
}

func TestHistoriesOnSQLite(t *testing.T) {
	gen := genOps()
	rapid.Check(t, func(rt *rapid.T) {
		ops := gen.Draw(rt, "ops")
		s := storetest.Open(t, store.Config{Path: filepath.Join(t.TempDir(), "vigia.db"), Synchronous: "NORMAL"})
		newWorld(failing{t, rt}, s).run(ops)
	})
}

// failing fails the rapid case rather than the whole test, so that it shrinks.
type failing struct {
	testing.TB
	rt *rapid.T
}

func (f failing) Helper()                   {}
func (f failing) Fatalf(s string, a ...any) { f.rt.Fatalf(s, a...) }
func (f failing) Fatal(a ...any)            { f.rt.Fatal(a...) }

func TestHistoriesOnPostgres(t *testing.T) {
	for seed := range 12 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := storetest.Open(t, store.Config{DatabaseURL: storetest.Postgres(t)})
			newWorld(t, s).run(genOps().Example(seed))
		})
	}
}
