package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKey(t *testing.T, err error, code apperr.Code, key string) {
	t.Helper()
	var e *apperr.Error
	if !errors.As(err, &e) || e.Code != code || e.Key != key {
		t.Errorf("got error %v, want %s %s", err, code, key)
	}
}

// uuid makes the n-th machine id of a test.
func uuid(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func newMachine(t *testing.T, s *store.Store, n int) fleet.Machine {
	t.Helper()
	m, err := s.CreateMachine(context.Background(), fleet.Machine{
		ID: uuid(n), Hostname: fmt.Sprintf("pc-%03d", n), Serial: fmt.Sprintf("SN%d", n), UUID: fmt.Sprintf("hw-%d", n), State: fleet.Active, EnrolledAt: noon,
	})
	must(t, err)
	return m
}

func TestInTxIsWholeOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, stop := context.Background(), errors.New("stop")
		err := s.InTx(ctx, func(ctx context.Context) error {
			must(t, s.SaveSite(ctx, org.Site{Name: "A"}))
			must(t, s.InTx(ctx, func(ctx context.Context) error { return s.SaveSite(ctx, org.Site{Name: "B"}) }))
			if in, err := s.Sites(ctx); err != nil || len(in) != 2 {
				t.Errorf("inside: %v, %v", in, err)
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.InTx(ctx, func(ctx context.Context) error {
				must(t, s.SaveSite(ctx, org.Site{Name: "C"}))
				panic("on purpose")
			})
		}()
		if out, err := s.Sites(ctx); err != nil || len(out) != 0 {
			t.Errorf("after rollback: %v, %v", out, err)
		}
		must(t, s.InTx(ctx, func(ctx context.Context) error { return s.SaveSite(ctx, org.Site{Name: "D"}) }))
		if out, err := s.Sites(ctx); err != nil || len(out) != 1 {
			t.Errorf("after commit: %v, %v", out, err)
		}
	})
}

func TestEngineErrorDoomsTheTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		m := newMachine(t, s, 1)
		err := s.InTx(ctx, func(ctx context.Context) error {
			must(t, s.SaveSite(ctx, org.Site{Name: "A"}))
			_, err := s.CreateMachine(ctx, m)
			wantKey(t, err, apperr.Conflict, "store.exists")
			return nil // looks away
		})
		wantKey(t, err, apperr.Conflict, "store.exists")
		if out, err := s.Sites(ctx); err != nil || len(out) != 0 {
			t.Errorf("a doomed transaction was committed: %v, %v", out, err)
		}
	})
}

// pair opens one database twice, as two collectors on PostgreSQL do, or a command
// beside a running server on SQLite.
func pair(t *testing.T, fn func(t *testing.T, one, two *store.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		cfg := store.Config{Path: filepath.Join(t.TempDir(), "vigia.db")}
		fn(t, storetest.Open(t, cfg), storetest.Open(t, cfg))
	})
	t.Run("postgres", func(t *testing.T) {
		cfg := store.Config{DatabaseURL: storetest.Postgres(t)}
		fn(t, storetest.Open(t, cfg), storetest.Open(t, cfg))
	})
}

// together runs fn in n goroutines on both stores in turn, and returns their errors.
func together(n int, stores [2]*store.Store, fn func(s *store.Store, i int) error) []error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = fn(stores[i%2], i) })
	}
	wg.Wait()
	return errs
}

func TestDeadlockRunsAgain(t *testing.T) {
	pair(t, func(t *testing.T, one, two *store.Store) {
		ctx := context.Background()
		a, b := newMachine(t, one, 1), newMachine(t, one, 2)
		errs := together(8, [2]*store.Store{one, two}, func(s *store.Store, i int) error {
			first, second := a, b
			if i%2 == 1 {
				first, second = b, a
			}
			return s.InTx(ctx, func(ctx context.Context) error {
				if err := store.LockMachines(s, ctx, first.Row); err != nil {
					return err
				}
				time.Sleep(5 * time.Millisecond)
				if err := store.LockMachines(s, ctx, second.Row); err != nil {
					return err
				}
				return s.Append(ctx, audit.Entry{Actor: "cli:test", Action: "test", Object: fmt.Sprint(i)})
			})
		})
		for _, err := range errs {
			must(t, err)
		}
		if n, err := one.VerifyAudit(ctx); err != nil || n != 8 {
			t.Errorf("%d entries, %v", n, err)
		}
	})
}

func TestDiskFullIsToldAndPasses(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := context.Background()
	var pages int
	must(t, s.Writer().QueryRow("PRAGMA page_count").Scan(&pages))
	_, err := s.Writer().Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	must(t, err)
	wantKey(t, s.SetBlob(ctx, "big", make([]byte, 1<<20)), apperr.Unavailable, "store.disk-full")
	_, err = s.Writer().Exec("PRAGMA max_page_count = 1000000")
	must(t, err)
	must(t, s.SetBlob(ctx, "big", make([]byte, 1<<20)))
}

func TestPostgresRestart(t *testing.T) {
	server := storetest.NewServer(t)
	s := storetest.Open(t, store.Config{DatabaseURL: server.URL(t, "vigia")})
	ctx := context.Background()
	for round, crash := range []bool{false, true} {
		acknowledged := make(chan int)
		go func() {
			defer close(acknowledged)
			for i := range 400 {
				object := fmt.Sprintf("%d/%d", round, i)
				if s.Append(ctx, audit.Entry{Actor: "cli:test", Action: "test", Object: object}) == nil {
					acknowledged <- i
				} else {
					time.Sleep(50 * time.Millisecond)
				}
			}
		}()
		told := map[string]bool{}
		for i := range acknowledged {
			told[fmt.Sprintf("%d/%d", round, i)] = true
			if i == 50 {
				server.Stop(t, crash)
				wantKey(t, s.Ping(ctx), apperr.Unavailable, "store.unavailable")
				server.Start(t)
			}
		}
		must(t, s.Ping(ctx))
		if len(told) < 51 || !told[fmt.Sprintf("%d/399", round)] {
			t.Errorf("crash %v: only %d entries were acknowledged, or none after the restart", crash, len(told))
		}
		kept := map[string]bool{}
		entries, err := s.AuditEntries(ctx, 1, 1000)
		must(t, err)
		for _, e := range entries {
			if kept[e.Object] {
				t.Errorf("%s is there twice", e.Object)
			}
			kept[e.Object] = true
		}
		for object := range told {
			if !kept[object] {
				t.Errorf("crash %v: %s was acknowledged and lost", crash, object)
			}
		}
		if _, err := s.VerifyAudit(ctx); err != nil {
			t.Error(err)
		}
	}
}
