package backup_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/backup"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// maker writes files instead of copies of a database.
type maker struct {
	copies   atomic.Int64
	fail     error         // of Copy
	damaged  error         // of Verify
	why      string        // not restored
	entered  chan struct{} // told when a copy begins
	released chan struct{} // waited for in a copy
}

func (*maker) Extension() string { return ".db" }

func (m *maker) Copy(ctx context.Context, to string) error {
	m.copies.Add(1)
	if m.entered != nil {
		m.entered <- struct{}{}
		select {
		case <-m.released:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := os.WriteFile(to, []byte("a copy"), 0o600); err != nil {
		return err
	}
	return m.fail
}

func (m *maker) Verify(_ context.Context, file string, step func(backup.Step)) (bool, string, error) {
	step(backup.Compares)
	_, err := os.Stat(file)
	return m.why == "", m.why, errors.Join(err, m.damaged)
}

type bench struct {
	*backup.Runner
	m      *maker
	at     *atomic.Int64
	folder string
	keep   int
	off    bool
	since  time.Time
}

func newBench(t *testing.T, s *store.Store, name string) *bench {
	t.Helper()
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{m: &maker{}, at: &atomic.Int64{}, folder: filepath.Join(t.TempDir(), "copies"), keep: 3}
	b.at.Store(time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC).UnixNano()) // 01:00 there
	b.since = b.now().Add(-30 * 24 * time.Hour)
	b.Runner = &backup.Runner{Tx: s, Store: s, Audit: s, Maker: b.m, Host: "srv", Name: name, Now: b.now, NewID: uuid.NewString, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Tick: time.Hour,
		Schedule: func(context.Context) (backup.Schedule, error) {
			at := 2 * time.Hour
			if b.off {
				at = -1
			}
			return backup.Schedule{At: at, Zone: zone, Keep: b.keep, Folder: b.folder, Since: b.since}, nil
		}}
	return b
}

func (b *bench) now() time.Time          { return time.Unix(0, b.at.Load()).UTC() }
func (b *bench) advance(d time.Duration) { b.at.Add(int64(d)) }

func (b *bench) list(t *testing.T) []backup.Record {
	t.Helper()
	list, err := b.Store.Backups(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func admin(t *testing.T) context.Context {
	return actor.With(t.Context(), actor.Actor{Kind: actor.Person, ID: "sofia@example.com", Role: actor.Administrator})
}

func (b *bench) round(t *testing.T) error { return b.Round(t.Context()) }

func TestOneCopyANightAcrossCollectors(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, other := newBench(t, s, "one"), newBench(t, s, "two")
		other.at, other.folder = b.at, b.folder
		for range 3 * 24 * 4 { // three days, a quarter of an hour at a time
			var wg sync.WaitGroup
			for _, x := range []*bench{b, other} {
				wg.Go(func() {
					if err := x.Round(context.Background()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			b.advance(15 * time.Minute)
		}
		list := b.list(t)
		if n := b.m.copies.Load() + other.m.copies.Load(); n != 4 || len(list) != 4 { // the night before it began, too
			t.Fatalf("%d copies, %d records", n, len(list))
		}
		for i, slot := range []string{"daily/2026-11-26", "daily/2026-11-25", "daily/2026-11-24", "daily/2026-11-23"} {
			if r := list[i]; r.Slot != slot || r.State != backup.Verified || r.Bytes != 6 || r.Host != "srv" || r.RemovedAt.IsZero() != (i < 3) {
				t.Errorf("%+v", r)
			}
		}
		if files, _ := filepath.Glob(b.folder + "/*"); len(files) != 3 {
			t.Errorf("kept %v", files)
		}
	})
}

func TestFailuresAreToldTriedAgainAndLeaveNothing(t *testing.T) {
	s := storetest.SQLite(t)
	b := newBench(t, s, "one")
	b.m.fail = errors.New("the disk is full")
	for range 10 {
		_ = b.round(t)
		b.advance(5 * time.Minute)
	}
	list := b.list(t)
	if len(list) != 3 || list[0].State != backup.Failed || !strings.Contains(list[0].Problem, "the disk is full") || list[0].Slot != "daily/2026-11-23/3" {
		t.Fatalf("%+v", list)
	}
	b.m.fail, b.m.damaged = nil, errors.New("page 7 is damaged")
	b.advance(2 * time.Hour)
	if err := b.round(t); err == nil || !strings.Contains(err.Error(), "page 7") {
		t.Errorf("damage is not told: %v", err)
	}
	if files, _ := filepath.Glob(b.folder + "/*"); len(files) != 0 {
		t.Errorf("left over: %v", files)
	}
	b.m.damaged, b.m.why = nil, "may not create databases"
	b.advance(20 * time.Minute)
	if err := b.round(t); err != nil {
		t.Fatal(err)
	}
	if r := b.list(t)[0]; r.State != backup.Readable || r.Problem != "may not create databases" || !r.Kept() {
		t.Errorf("%+v", r)
	}
}

func TestCopyOfACollectorThatDiedIsInterrupted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, "dies")
		b.off = true
		row, err := b.Request(admin(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Request(admin(t)); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("two at once: %v", err)
		}
		if _, err := s.ClaimBackup(t.Context(), "srv\x1fdies", b.now(), b.now().Add(2*time.Minute)); err != nil {
			t.Fatal(err)
		}
		other := newBench(t, s, "other")
		other.off, other.at = true, b.at
		if err := other.round(t); err != nil || b.list(t)[0].State != backup.Running {
			t.Fatalf("%v %+v", err, b.list(t))
		}
		b.advance(3 * time.Minute)
		if err := other.round(t); err != nil {
			t.Fatal(err)
		}
		if r := b.list(t)[0]; r.Row != row || r.State != backup.Failed || r.Problem != "backup.interrupted" || r.StartedBy != "person:sofia@example.com" {
			t.Errorf("%+v", r)
		}
		if mine, err := s.StepBackup(t.Context(), "srv\x1fdies", backup.Record{Row: row, Step: backup.Copies}, b.now()); err != nil || mine {
			t.Errorf("the dead one still holds it: %v %v", mine, err)
		}
	})
}

func TestStoppingInTheMiddleIsInterrupted(t *testing.T) {
	s := storetest.SQLite(t)
	b := newBench(t, s, "one")
	b.off, b.m.entered, b.m.released = true, make(chan struct{}), make(chan struct{})
	if _, err := b.Request(admin(t)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	<-b.m.entered
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not stop")
	}
	if r := b.list(t)[0]; r.State != backup.Failed || r.Problem != "backup.interrupted" {
		t.Errorf("%+v", r)
	}
}

func TestFilesOfCopies(t *testing.T) {
	s := storetest.SQLite(t)
	b := newBench(t, s, "one")
	b.off = true
	row, err := b.Request(admin(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.round(t); err != nil {
		t.Fatal(err)
	}
	path, rec, err := b.File(t.Context(), row)
	if raw, rerr := os.ReadFile(path); err != nil || rerr != nil || string(raw) != "a copy" || rec.SHA256 == "" {
		t.Errorf("%v %v %q", err, rerr, raw)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.File(t.Context(), row); !apperr.Is(err, apperr.NotFound) {
		t.Errorf("a file that is gone: %v", err)
	}
	if _, _, err := b.File(t.Context(), 99); !apperr.Is(err, apperr.NotFound) {
		t.Errorf("unknown: %v", err)
	}
	b.folder = ""
	if _, err := b.Request(admin(t)); !apperr.Is(err, apperr.Invalid) {
		t.Errorf("without a folder: %v", err)
	}
	fresh := newBench(t, storetest.SQLite(t), "new")
	fresh.since = fresh.now()
	if err := fresh.round(t); err != nil || len(fresh.list(t)) != 0 {
		t.Errorf("a new database makes up for the nights before it: %v", err)
	}
}
