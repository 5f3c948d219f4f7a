package uplink

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"vigia/agent/internal/spool"
	"vigia/internal/inventory"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// agent is one machine for the tests: enrolled, with spool, tracker and client.
type agent struct {
	dir     string
	spool   *spool.Spool
	tracker *Tracker
	client  *Client
	options Options
	stop    func()
}

func enrolled(t *testing.T, c *collector) string {
	dir := filepath.Join(t.TempDir(), "state")
	if _, err := Enroll(t.Context(), enrollOptions(t, c, dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start opens an agent in dir. It does not connect before run.
func start(t *testing.T, dir string, change ...func(*Options)) *agent {
	t.Helper()
	a := &agent{dir: dir, stop: func() {}}
	var err error
	if a.spool, err = spool.Open(filepath.Join(dir, "spool"), spool.Options{Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) }}); err != nil {
		t.Fatal(err)
	}
	codec := wire.NewCodec(wire.Limits{})
	if a.tracker, err = OpenTracker(TrackerOptions{StateDir: dir, Spool: a.spool, Codec: codec, Version: "test", Now: time.Now, Random: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	a.options = Options{StateDir: dir, Spool: a.spool, Tracker: a.tracker, Codec: codec, Version: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Now: time.Now, Random: mathrand.New(mathrand.NewPCG(1, 2)).Float64, Entropy: rand.Reader,
		Sleep: func(ctx context.Context, d time.Duration) error { return sleep(ctx, time.Millisecond) }}
	for _, f := range change {
		f(&a.options)
	}
	if a.client, err = New(a.options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return a
}

func (a *agent) run(t *testing.T) *agent {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := a.client.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	a.stop = func() { cancel(); done.Wait() }
	return a
}

func (a *agent) close() { a.stop(); a.stop = func() {}; a.spool.Close() }

func (a *agent) report(t *testing.T, s *inventory.Snapshot) (spooled bool) {
	t.Helper()
	spooled, err := a.tracker.Report(s, wire.CauseSchedule)
	if err != nil {
		t.Fatal(err)
	}
	return spooled
}

func (a *agent) drained(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if err := a.client.WaitDrained(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestReportsTravelAndOnlyChangesDo(t *testing.T) {
	c := newCollector(t)
	a := start(t, enrolled(t, c)).run(t)
	if !a.report(t, snapshot(1)) {
		t.Fatal("the first inventory is news")
	}
	a.drained(t)
	c.holds(t, snapshot(1))
	a.report(t, snapshot(2))
	a.drained(t)
	c.holds(t, snapshot(2))
	same := snapshot(2)
	same.Sources[0].DurationMS = 99
	if a.report(t, same) {
		t.Fatal("an unchanged inventory was spooled")
	}
	a.drained(t)
	c.locked(func() {
		if len(c.order) != 2 || len(c.order[0].Sections) != 6 || c.unchanged != 1 || c.needs != 0 {
			t.Fatalf("%d reports, unchanged %d, needs %d", len(c.order), c.unchanged, c.needs)
		}
		second := c.order[1]
		if len(second.Sections) != 1 || second.Sections[0].Body != wire.BodyDelta || len(second.Sections[0].Delta.Set) > 4 {
			t.Fatalf("second report: %+v", second.Sections)
		}
		if len(c.hellos) != 1 || len(c.hellos[0].BootNonce) != 16 || len(c.statuses) == 0 {
			t.Fatalf("hellos %v, statuses %v", c.hellos, c.statuses)
		}
	})
	if st := a.client.Status(); !st.Connected || st.LastAck.IsZero() || st.MachineID != machineID || st.Problem != "" || st.Spooled != 0 {
		t.Fatalf("status %+v", st)
	}
	a.close()
	b := start(t, a.dir).run(t) // after a restart nothing comes again
	b.drained(t)
	b.report(t, snapshot(3))
	b.drained(t)
	c.holds(t, snapshot(3))
	c.locked(func() {
		if len(c.order) != 3 || c.order[2].Sections[0].Body != wire.BodyDelta || c.needs != 0 {
			t.Fatalf("%d reports, needs %d", len(c.order), c.needs)
		}
	})
}

func TestNeedIsAnsweredWithTheWhole(t *testing.T) {
	c := newCollector(t)
	a := start(t, enrolled(t, c)).run(t)
	a.report(t, snapshot(1))
	a.drained(t)
	c.locked(func() { c.held.Software = nil }) // lost while connected
	a.report(t, snapshot(2))
	a.drained(t)
	c.holds(t, snapshot(2))
	c.locked(func() { c.held.System.Name = "other" })
	a.report(t, snapshot(2)) // Unchanged, and it is not
	a.drained(t)
	c.holds(t, snapshot(2))
	c.locked(func() {
		if c.needs != 2 || c.order[len(c.order)-1].Cause != wire.CauseNeed || len(c.order[len(c.order)-1].Sections) != 6 {
			t.Fatalf("needs %d", c.needs)
		}
	})
}

func TestCollectorRestoredFromBackupGetsEverything(t *testing.T) {
	c := newCollector(t)
	a := start(t, enrolled(t, c)).run(t)
	a.report(t, snapshot(1))
	a.drained(t)
	backup := *c.held
	a.report(t, snapshot(2))
	a.drained(t)
	a.close()
	c.locked(func() { c.held = &backup })
	b := start(t, a.dir)
	b.report(t, snapshot(3)) // spooled as a delta on what was acknowledged
	b.run(t).drained(t)
	c.holds(t, snapshot(3))
	c.locked(func() {
		if c.needs != 0 {
			t.Errorf("%d needs: Welcome told enough", c.needs)
		}
		c.held = nil
	})
	b.close()
	d := start(t, a.dir).run(t)
	c.eventually(t, "the whole, for a collector that lost everything", func() bool { return c.held != nil })
	d.drained(t)
	c.holds(t, snapshot(3))
}

func TestLater(t *testing.T) {
	c := newCollector(t)
	c.judge = func(n int, _ *wire.Report) verdict {
		if n == 1 {
			return wait
		}
		return commit
	}
	a := start(t, enrolled(t, c))
	begin := time.Now()
	a.report(t, snapshot(1))
	a.run(t).drained(t)
	c.holds(t, snapshot(1))
	if took := time.Since(begin); took < backoffBase {
		t.Errorf("came back after %s", took)
	}
	c.locked(func() {
		if len(c.hellos) != 1 {
			t.Errorf("%d connections", len(c.hellos))
		}
	})
}

func TestLaterForTheConnection(t *testing.T) {
	c := newCollector(t)
	c.first = &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Later{Later: &vigiav1.Later{RetryAfterMs: 120_000, Reason: "quarantined"}}}
	waits := make(chan time.Duration, 10)
	a := start(t, enrolled(t, c), func(o *Options) {
		o.Sleep = func(_ context.Context, d time.Duration) error {
			waits <- d
			c.locked(func() { c.first = nil })
			return nil
		}
	})
	a.report(t, snapshot(1))
	a.run(t).drained(t)
	if d := <-waits; d < 2*time.Minute || d > 3*time.Minute {
		t.Errorf("waited %s", d)
	}
}

func TestLostAcknowledgementsHaveNoSecondEffect(t *testing.T) {
	c := newCollector(t)
	c.judge = func(n int, _ *wire.Report) verdict {
		if n%2 == 1 {
			return commitMute
		}
		return commit
	}
	a := start(t, enrolled(t, c)).run(t)
	for n := range 20 {
		a.report(t, snapshot(n))
	}
	a.drained(t)
	c.holds(t, snapshot(19))
	c.locked(func() {
		if len(c.order) != 20 || c.arrivals <= 20 || c.needs != 0 {
			t.Errorf("%d reports in %d arrivals, needs %d", len(c.order), c.arrivals, c.needs)
		}
	})
}

func TestReportThatCannotBeReadDoesNotBlock(t *testing.T) {
	c := newCollector(t)
	a := start(t, enrolled(t, c))
	a.report(t, snapshot(1))
	a.report(t, snapshot(2))
	poison := a.tracker.lastID
	c.judge = func(_ int, r *wire.Report) verdict {
		if r.ID == poison {
			return unreadable
		}
		return commit
	}
	a.report(t, snapshot(3))
	a.run(t).drained(t)
	c.holds(t, snapshot(3))
	c.locked(func() {
		if c.arrivals != 4 || c.effects[poison] != 0 { // 1, the bad one twice, the whole
			t.Errorf("%d arrivals", c.arrivals)
		}
	})
}

func TestWaitDrainedEndsAtOnceWhereWaitingDoesNotHelp(t *testing.T) {
	a := start(t, t.TempDir()).run(t)
	if err := a.client.WaitDrained(t.Context()); !errors.Is(err, ErrNotEnrolled) {
		t.Fatalf("got %v", err)
	}
}

func TestThousandReportsThroughAFlappingCollector(t *testing.T) {
	c := newCollector(t)
	random := mathrand.New(mathrand.NewPCG(3, 4))
	c.judge = func(int, *wire.Report) verdict {
		switch random.IntN(40) {
		case 0:
			return commitMute
		case 1:
			return breakOff
		case 2:
			if random.IntN(5) == 0 {
				return crash
			}
		}
		return commit
	}
	a := start(t, enrolled(t, c)).run(t)
	const reports = 1000
	var made []wire.ID
	for n := range reports {
		a.report(t, snapshot(n))
		made = append(made, a.tracker.lastID)
		if n == 300 || n == 600 { // the agent restarts too
			a.close()
			a = start(t, a.dir).run(t)
		}
	}
	a.drained(t)
	c.holds(t, snapshot(reports-1))
	c.locked(func() {
		var got []wire.ID
		for _, r := range c.order {
			got = append(got, r.ID)
		}
		if !reflect.DeepEqual(got, made) || c.needs != 0 {
			t.Errorf("%d reports made, %d committed, needs %d", len(made), len(got), c.needs)
		}
		if c.arrivals == reports || len(c.hellos) < 10 {
			t.Errorf("nothing flapped: %d arrivals, %d connections", c.arrivals, len(c.hellos))
		}
		t.Logf("%d arrivals over %d connections", c.arrivals, len(c.hellos))
	})
}
