package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collector/internal/jobs"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

type leases struct{ *store.Store }

func (l leases) Turn(ctx context.Context) error { return l.Lock(ctx) }

func runner(s *store.Store, name string, now func() time.Time) *jobs.Runner {
	return &jobs.Runner{Store: leases{s}, Name: name, Now: now, Log: slog.New(slog.DiscardHandler), Tick: 5 * time.Millisecond}
}

func TestOnceAcrossCollectors(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var clock atomic.Int64
		now := func() time.Time { return time.Unix(1_800_000_000, clock.Load()) }
		var runs, at atomic.Int64
		job := jobs.Job{Name: "tidy", Every: time.Hour, Run: func(context.Context) error {
			if at.Add(1) > 1 {
				t.Error("two at a time")
			}
			time.Sleep(20 * time.Millisecond)
			at.Add(-1)
			runs.Add(1)
			return errors.New("a failure does not end the runner")
		}}
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for _, name := range []string{"a", "b", "c"} {
			all.Go(func() { _ = runner(s, name, now).Run(ctx, []jobs.Job{job}) })
		}
		wait := func(n int64) {
			t.Helper()
			for end := time.Now().Add(20 * time.Second); runs.Load() < n; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d runs, want %d", runs.Load(), n)
				}
			}
			time.Sleep(100 * time.Millisecond)
			if runs.Load() != n {
				t.Errorf("%d runs, want %d", runs.Load(), n)
			}
		}
		wait(1)
		clock.Store(int64(time.Hour + time.Second))
		wait(2)
		cancel()
		all.Wait()
	})
}

func TestALostLeaseIsTakenOver(t *testing.T) {
	s := storetest.SQLite(t)
	if err := s.SetBlob(context.Background(), "job/tidy", []byte(`{"holder":"dead","until":"2026-11-23T12:00:00Z","due":"2026-11-23T11:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		at   time.Time
		want int
	}{{time.Date(2026, 11, 23, 11, 59, 0, 0, time.UTC), 0}, {time.Date(2026, 11, 23, 12, 1, 0, 0, time.UTC), 1}} {
		ran := make(chan struct{}, 10)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		go func() {
			_ = runner(s, "alive", func() time.Time { return x.at }).Run(ctx, []jobs.Job{{Name: "tidy", Every: time.Hour, Run: func(context.Context) error { ran <- struct{}{}; return nil }}})
		}()
		got := 0
		select {
		case <-ran:
			got = 1
		case <-time.After(time.Duration(200+19_000*x.want) * time.Millisecond):
		}
		cancel()
		if got != x.want {
			t.Errorf("at %s: %d runs, want %d", x.at, got, x.want)
		}
	}
}
