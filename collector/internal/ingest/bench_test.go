package ingest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

const benchPrograms = 900

// BenchmarkIngest measures reports a second through the Ingester into each engine, and
// counts what is stored afterwards. -benchtime=2000x gives 2,000 machines.
func BenchmarkIngest(b *testing.B) {
	for _, e := range []struct {
		name string
		open func(b *testing.B) *store.Store
	}{
		{"sqlite", func(b *testing.B) *store.Store {
			return storetest.Open(b, store.Config{Path: filepath.Join(b.TempDir(), "vigia.db"), Synchronous: os.Getenv("BENCH_SYNC")})
		}},
		{"postgres", func(b *testing.B) *store.Store {
			return storetest.Open(b, store.Config{DatabaseURL: storetest.Postgres(b)})
		}},
	} {
		b.Run(e.name, func(b *testing.B) {
			b.Run("first", func(b *testing.B) { benchFirst(b, e.open(b)) })
			b.Run("changed", func(b *testing.B) { benchChanged(b, e.open(b)) })
			b.Run("unchanged", func(b *testing.B) { benchUnchanged(b, e.open(b)) })
		})
	}
}

type benchFleet struct {
	in       *ingest.Ingester
	pool     *pool
	sessions []*ingest.Session
	lists    [][]inventory.Program
	ids      ids
}

func newBenchFleet(b *testing.B, s *store.Store, machines int) *benchFleet {
	b.Helper()
	err := s.InTx(context.Background(), func(ctx context.Context) error {
		_, err := s.SaveAllowlist(ctx, authorization.Allowlist{Version: 1, Mode: authorization.Monitor, Baseline: true, CreatedAt: epoch,
			Rules: []policy.Rule{{ID: "1", Name: "tools", Effect: policy.Allow, Match: policy.Match{Source: "deb"}},
				{ID: "2", Name: "files", Effect: policy.Allow, Match: policy.Match{Source: "file", Path: "/opt/tool-0[0-4]*"}}}})
		for m := range machines {
			enroll(ctx, b, s, m+1)
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	f := &benchFleet{pool: newPool(6000, 700)}
	f.in = start(b, s, time.Now, nil)
	for m := range machines {
		f.sessions = append(f.sessions, open(b, f.in, machineID(m+1)))
		f.lists = append(f.lists, f.pool.machine(m, benchPrograms))
	}
	return f
}

// drive submits the n reports that make gives, 256 at a time, and fails on any error.
func (f *benchFleet) drive(b *testing.B, n int, do func(i int) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range 256 {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		b.Fatal(*err)
	}
}

func (f *benchFleet) first(b *testing.B, reports []*wire.Report) {
	b.Helper()
	f.drive(b, len(reports), func(i int) error {
		_, err := f.sessions[i].Submit(context.Background(), reports[i], 14_000)
		return err
	})
}

func (f *benchFleet) wholes(b *testing.B) []*wire.Report {
	b.Helper()
	reports := make([]*wire.Report, len(f.sessions))
	for m := range reports {
		reports[m] = wholeReport(b, f.ids.next(), epoch, fmt.Sprintf("pc-%05d", m+1), f.lists[m])
	}
	return reports
}

func (f *benchFleet) check(b *testing.B, s *store.Store, reports int) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	st := f.in.Stats()
	b.ReportMetric(float64(st.Reports)/float64(max(1, st.Batches)), "reports/tx")
	if int(st.Reports) != reports {
		b.Fatalf("%d reports taken, want %d", st.Reports, reports)
	}
	problems, err := f.in.Check(context.Background())
	if err != nil || len(problems) > 0 {
		b.Fatalf("what is stored does not add up: %v, %v", problems, err)
	}
}

func benchFirst(b *testing.B, s *store.Store) {
	f := newBenchFleet(b, s, b.N)
	reports := f.wholes(b)
	runtime.GC()
	b.ResetTimer()
	f.first(b, reports)
	b.StopTimer()
	f.check(b, s, b.N)
}

func benchChanged(b *testing.B, s *store.Store) {
	f := newBenchFleet(b, s, min(b.N, 1000))
	f.first(b, f.wholes(b))
	var mu sync.Mutex
	locks := make([]sync.Mutex, len(f.sessions))
	round := make([]int, len(f.sessions))
	b.ResetTimer()
	f.drive(b, b.N, func(i int) error {
		m := i % len(f.sessions)
		locks[m].Lock()
		defer locks[m].Unlock()
		base := f.lists[m]
		next := append([]inventory.Program(nil), base...)
		var d inventory.Delta
		digest := f.sessions[m].Digests()[inventory.SectionSoftware]
		d.Base, d.Result = digest, digest
		round[m]++
		for k := range 3 { // three programs get another version
			p := &next[(i*7+k*13+round[m])%len(next)]
			old := *p
			d.Removed = append(d.Removed, old.Key())
			p.Version = fmt.Sprintf("9.%d.%d", round[m], k)
			p.InstalledAt = epoch.Add(time.Duration(round[m]) * time.Hour)
			d.Set = append(d.Set, *p)
			d.Result = d.Result.Sub(inventory.EntryHash(old.Key(), old.InstalledAt)).Add(inventory.EntryHash(p.Key(), p.InstalledAt))
		}
		f.lists[m] = next
		mu.Lock()
		id := f.ids.next()
		mu.Unlock()
		res, err := f.sessions[m].Submit(context.Background(), &wire.Report{ID: id, TakenAt: epoch.Add(time.Duration(round[m]) * time.Hour), Protocol: 1,
			Sections: []wire.SectionUpdate{{Section: inventory.SectionSoftware, Body: wire.BodyDelta, Base: d.Base, Result: d.Result, Delta: &d}}}, 400)
		if err == nil && len(res.Need) > 0 {
			err = fmt.Errorf("wants %v", res.Need)
		}
		return err
	})
	b.StopTimer()
	f.check(b, s, b.N+len(f.sessions))
}

func benchUnchanged(b *testing.B, s *store.Store) {
	f := newBenchFleet(b, s, min(b.N, 2000))
	f.first(b, f.wholes(b))
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 4000 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				s := f.sessions[int(i)%len(f.sessions)]
				if res, err := s.Unchanged(context.Background(), inventory.CombineDigests(s.Digests())); err != nil || len(res.Need) > 0 {
					b.Errorf("%v %v", res, err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	f.check(b, s, len(f.sessions))
}
