package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
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
		open func(b *testing.B) (*store.Store, string)
	}{
		{"sqlite", func(b *testing.B) (*store.Store, string) {
			path := filepath.Join(b.TempDir(), "vigia.db")
			return storetest.Open(b, store.Config{Path: path, Synchronous: os.Getenv("BENCH_SYNC")}), path
		}},
		{"postgres", func(b *testing.B) (*store.Store, string) {
			return storetest.Open(b, store.Config{DatabaseURL: storetest.Postgres(b)}), ""
		}},
	} {
		b.Run(e.name, func(b *testing.B) {
			b.Run("first", func(b *testing.B) {
				s, path := e.open(b)
				benchFirst(b, s, path)
			})
			b.Run("changed", func(b *testing.B) {
				s, _ := e.open(b)
				benchChanged(b, s)
			})
			b.Run("changed-flagged", func(b *testing.B) { // every machine has 900 open findings
				s, _ := e.open(b)
				if _, err := s.SaveAllowlist(context.Background(), authorization.Allowlist{Mode: authorization.Monitor, CreatedAt: epoch}); err != nil {
					b.Fatal(err)
				}
				benchChanged(b, s)
			})
			b.Run("unchanged", func(b *testing.B) {
				s, _ := e.open(b)
				benchUnchanged(b, s)
			})
		})
	}
}

type benchFleet struct {
	in       *ingest.Ingester
	pool     *pool
	sessions []*ingest.Session
	lists    [][]inventory.Program
	ids      ids
	digests  map[int]inventory.Digest
}

func newBenchFleet(b *testing.B, s *store.Store, machines int) *benchFleet {
	b.Helper()
	err := s.InTx(context.Background(), func(ctx context.Context) error {
		current, err := s.CurrentAllowlist(ctx)
		if err != nil || current.Version > 0 {
			return errors.Join(err, enrollAll(ctx, b, s, machines))
		}
		_, err = s.SaveAllowlist(ctx, authorization.Allowlist{Version: 1, Mode: authorization.Monitor, Baseline: true, CreatedAt: epoch,
			Rules: []policy.Rule{{ID: "1", Name: "tools", Effect: policy.Allow, Match: policy.Match{Source: "deb"}},
				{ID: "2", Name: "files", Effect: policy.Allow, Match: policy.Match{Source: "file", Path: "/opt/tool-0[0-4]*"}}}})
		return errors.Join(err, enrollAll(ctx, b, s, machines))
	})
	if err != nil {
		b.Fatal(err)
	}
	f := &benchFleet{pool: newPool(6000, 700), digests: map[int]inventory.Digest{}}
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

func enrollAll(ctx context.Context, b *testing.B, s *store.Store, machines int) error {
	b.Helper()
	for m := range machines {
		enroll(ctx, b, s, m+1)
	}
	return nil
}

// cpu is the processor time of this process so far; other programs on the machine make
// reports a second a poor measure of the work.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measured begins the measured part of a benchmark; the function it returns ends it.
func measured(b *testing.B) func() {
	b.Helper()
	runtime.GC()
	start := cpu()
	stop := func() {}
	if path := os.Getenv("BENCH_PROFILE"); path != "" && b.N > 1 {
		out, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := pprof.StartCPUProfile(out); err != nil {
			b.Fatal(err)
		}
		stop = pprof.StopCPUProfile
	}
	b.ResetTimer()
	return func() {
		b.StopTimer()
		stop()
		b.ReportMetric(float64((cpu()-start).Microseconds())/float64(b.N), "cpu-µs/report")
	}
}

func (f *benchFleet) check(b *testing.B, s *store.Store, reports int) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	st := f.in.Stats()
	b.ReportMetric(float64(st.Reports)/float64(max(1, st.Batches)), "reports/tx")
	if int(st.Reports) != reports {
		b.Fatalf("%d reports taken, want %d", st.Reports, reports)
	}
	problems, err := s.CheckInventory(context.Background())
	if err != nil || len(problems) > 0 {
		b.Fatalf("what is stored does not add up: %v, %v", problems, err)
	}
}

func benchFirst(b *testing.B, s *store.Store, path string) {
	f := newBenchFleet(b, s, b.N)
	reports := f.wholes(b)
	stop := measured(b)
	f.first(b, reports)
	stop()
	f.check(b, s, b.N)
	if path != "" {
		b.ReportMetric(float64(fileSize(b, path))/float64(b.N), "B/machine")
	}
}

// BenchmarkImpact measures the dry run over 2,000 machines: what everything unauthorized
// would open, and what one rule less would.
func BenchmarkImpact(b *testing.B) {
	s := storetest.SQLite(b)
	f := newBenchFleet(b, s, 2000)
	f.first(b, f.wholes(b))
	current, err := s.CurrentAllowlist(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	one := current
	one.Rules = one.Rules[:1]
	for name, a := range map[string]authorization.Allowlist{"everything": {Mode: authorization.Monitor}, "one-rule": one} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				impact, err := f.in.Impact(context.Background(), a)
				if err != nil || impact.Opens == 0 {
					b.Fatal(impact.Opens, err)
				}
				b.ReportMetric(float64(impact.Opens), "opens")
			}
		})
	}
}

// fileSize is what an SQLite database takes, with what is not in its main file yet.
func fileSize(t testing.TB, path string) int64 {
	t.Helper()
	var n int64
	for _, p := range []string{path, path + "-wal"} {
		info, err := os.Stat(p)
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}

// TestDatabaseSize holds the database to 50 kB a machine, also where what machines share
// is spread over few of them.
func TestDatabaseSize(t *testing.T) {
	const machines = 300
	path := filepath.Join(t.TempDir(), "vigia.db")
	s := storetest.Open(t, store.Config{Path: path, Synchronous: "NORMAL"})
	in := start(t, s, time.Now, nil)
	p := newPool(6000, 700)
	var g ids
	var wg sync.WaitGroup
	for m := range machines {
		sess := open(t, in, enroll(context.Background(), t, s, m+1))
		r := wholeReport(t, g.next(), epoch, fmt.Sprintf("pc-%05d", m+1), p.machine(m, benchPrograms))
		wg.Go(func() {
			if _, err := sess.Submit(context.Background(), r, 14_000); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if per := fileSize(t, path) / machines; per > 50_000 {
		t.Errorf("%d bytes a machine", per)
	} else {
		t.Logf("%d bytes a machine", per)
	}
}

// update gives three programs of a machine their next version. Machines come in twenty
// groups that update different programs.
func (f *benchFleet) update(m, round int) *wire.Report {
	list := f.lists[m]
	digest, ok := f.digests[m]
	if !ok {
		digest = inventory.DigestSoftware(list)
	}
	d := &inventory.Delta{Base: digest, Result: digest}
	at := epoch.Add(time.Duration(round) * time.Hour)
	for k := range 3 {
		p := &list[(m%20*30+k*13+round)%f.pool.common]
		d.Removed = append(d.Removed, p.Key())
		d.Result = d.Result.Sub(inventory.EntryHash(p.Key(), p.InstalledAt))
		p.Version, p.InstalledAt = fmt.Sprintf("9.%d.%d", round, k), at
		d.Result = d.Result.Add(inventory.EntryHash(p.Key(), p.InstalledAt))
		d.Set = append(d.Set, *p)
	}
	f.digests[m] = d.Result
	return &wire.Report{ID: f.ids.next(), TakenAt: at, Protocol: 1, Sections: []wire.SectionUpdate{
		{Section: inventory.SectionSoftware, Body: wire.BodyDelta, Base: d.Base, Result: d.Result, Delta: d}}}
}

func benchChanged(b *testing.B, s *store.Store) {
	f := newBenchFleet(b, s, min(b.N, 1000))
	f.first(b, f.wholes(b))
	work := make([][]*wire.Report, len(f.sessions))
	for i := range b.N {
		m := i % len(f.sessions)
		work[m] = append(work[m], f.update(m, len(work[m])+1))
	}
	stop := measured(b)
	locks := make([]sync.Mutex, len(f.sessions))
	f.drive(b, b.N, func(i int) error {
		m := i % len(f.sessions)
		locks[m].Lock() // the reports of one machine come in order
		defer locks[m].Unlock()
		r := work[m][0]
		work[m] = work[m][1:]
		res, err := f.sessions[m].Submit(context.Background(), r, 400)
		if err == nil && len(res.Need) > 0 {
			err = fmt.Errorf("wants %v", res.Need)
		}
		return err
	})
	stop()
	f.check(b, s, b.N+len(f.sessions))
}

func benchUnchanged(b *testing.B, s *store.Store) {
	f := newBenchFleet(b, s, min(b.N, 2000))
	f.first(b, f.wholes(b))
	stop := measured(b)
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
	stop()
	f.check(b, s, len(f.sessions))
}
