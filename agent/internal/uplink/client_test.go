package uplink

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/agent/internal/spool"
	"vigia/internal/inventory"
	"vigia/internal/pki"
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

func TestPolicyCommandAndSchedule(t *testing.T) {
	c := newCollector(t)
	doc := []byte(`{"rules":[` + strings.Repeat(`{"name":"x"},`, 60_000) + `{}]}`)
	packed, err := c.codec.Pack([]byte(strings.Repeat(" ", 1) + string(doc)))
	if err != nil {
		t.Fatal(err)
	}
	broken, err := c.codec.Pack([]byte("not json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(wire.Split([]byte("v7"), packed), wire.Split([]byte("v8"), broken)...) {
		c.greeting = append(c.greeting, &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Policy{Policy: p}})
	}
	for _, kind := range []string{"report-now", "dance"} {
		c.greeting = append(c.greeting, &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Command{Command: &vigiav1.Command{Id: kind, Kind: kind}}})
	}
	schedule := make(chan time.Duration, 1)
	a := start(t, enrolled(t, c), func(o *Options) {
		o.OnPolicy = func(version string, d []byte) error {
			if version != "v7" || len(d) != len(doc)+1 {
				return fmt.Errorf("policy %s of %d bytes", version, len(d))
			}
			return nil
		}
		o.OnCommand = func(_ context.Context, k Command) error {
			if k.Kind != "report-now" {
				return errors.New("unknown command")
			}
			return nil
		}
		o.OnSchedule = func(d time.Duration) { schedule <- d }
	}).run(t)
	c.eventually(t, "results of the commands", func() bool { return len(c.results) == 2 })
	c.eventually(t, "the status with the policy", func() bool { return c.statuses[len(c.statuses)-1].PolicyVersion == "v7" })
	c.locked(func() {
		for _, r := range c.results {
			if r.Ok != (r.Id == "report-now") {
				t.Errorf("result %v", r)
			}
		}
	})
	if d := <-schedule; d != time.Hour {
		t.Errorf("schedule %s", d)
	}
	if version, stored, err := LoadPolicy(a.dir); err != nil || version != "v7" || len(stored) != len(doc) {
		t.Errorf("stored %s, %d bytes, %v", version, len(stored), err)
	}
	a.close()
	c.locked(func() { c.greeting = nil })
	start(t, a.dir).run(t)
	c.eventually(t, "Hello with the policy held", func() bool { return c.hellos[len(c.hellos)-1].PolicyVersion == "v7" })
}

func TestRenewal(t *testing.T) {
	c := newCollector(t)
	c.issued = pki.MachineLife * 8 / 10 // enrolled with a certificate past two thirds of its life
	a := start(t, enrolled(t, c)).run(t)
	c.eventually(t, "a connection with the new certificate", func() bool {
		return c.renewals == 1 && len(c.serials) >= 2 && c.serials[0] != c.serials[1]
	})
	a.report(t, snapshot(1))
	a.drained(t)
	a.close()
	id, err := LoadIdentity(a.dir)
	if err != nil || id.Previous != nil || pki.SerialText(id.Current.Cert) != c.serials[1] {
		t.Fatalf("%+v, %v", id, err)
	}
}

func TestRenewalThatDoesNotWorkFallsBack(t *testing.T) {
	c := newCollector(t)
	c.issued, c.revokeNew = pki.MachineLife*8/10, true
	a := start(t, enrolled(t, c))
	a.report(t, snapshot(1))
	a.run(t)
	c.eventually(t, "the old certificate again", func() bool { return c.renewals >= 2 && len(c.serials) >= 2 && c.serials[1] == c.serials[0] })
	c.locked(func() { c.revokeNew = false })
	a.drained(t)
	c.holds(t, snapshot(1))
	c.eventually(t, "a certificate that works", func() bool { return c.serials[len(c.serials)-1] != c.serials[0] })
}

func TestTrustUpdate(t *testing.T) {
	c := newCollector(t)
	next, err := pki.NewCA("Next", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	both, err := pki.NewTrust(next.Cert, c.ca.Cert)
	if err != nil {
		t.Fatal(err)
	}
	c.trust.Store(both)
	update := func(ders ...[]byte) *vigiav1.FromCollector {
		return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Trust{Trust: &vigiav1.TrustUpdate{CaDer: ders}}}
	}
	dir := enrolled(t, c)
	c.greeting = []*vigiav1.FromCollector{update(both.DER()...), update(next.Cert.Raw), update()} // the last two would cut it off
	a := start(t, dir)
	a.report(t, snapshot(1))
	a.run(t).drained(t)
	a.close()
	id, err := LoadIdentity(dir)
	if err != nil || !reflect.DeepEqual(id.Trust.Fingerprints(), both.Fingerprints()) {
		t.Fatalf("%v, %v", id.Trust.Fingerprints(), err)
	}
	c.cert.Set(next, nil) // the collector moves to the new CA, the agent follows
	b := start(t, dir).run(t)
	b.report(t, snapshot(2))
	b.drained(t)
}

func TestStatusTellsWhatToDo(t *testing.T) {
	c := newCollector(t)
	dir := enrolled(t, c)
	problem := func(t *testing.T, a *agent) Status {
		t.Helper()
		a.run(t)
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if st := a.client.Status(); st.Problem != "" {
				a.close()
				return st
			}
		}
		t.Fatal("no problem was told")
		return Status{}
	}
	later := func(d time.Duration) func(*Options) {
		return func(o *Options) { o.Now = func() time.Time { return time.Now().Add(d) } }
	}
	if st := problem(t, start(t, dir, later(100*24*time.Hour))); !strings.Contains(st.Problem, "certificate ended") || !strings.Contains(st.Remedy, "enroll --token") {
		t.Errorf("expired: %+v", st)
	}
	if st := problem(t, start(t, dir, later(-48*time.Hour))); !strings.Contains(st.Problem, "clock") {
		t.Errorf("clock: %+v", st)
	}
	if st := problem(t, start(t, t.TempDir())); !strings.Contains(st.Problem, "not enrolled") || !strings.Contains(st.Remedy, "enroll --token") {
		t.Errorf("not enrolled: %+v", st)
	}
	id, err := LoadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	c.locked(func() { c.revoked[pki.SerialText(id.Current.Cert)] = true })
	if st := problem(t, start(t, dir)); !strings.Contains(st.Problem, "does not accept") || !strings.Contains(st.Remedy, "enroll --token") {
		t.Errorf("revoked: %+v", st)
	}
	c.stop()
	if st := problem(t, start(t, dir)); !strings.Contains(st.Problem, "cannot be reached") || !strings.Contains(st.Remedy, "firewalls") || st.Connected {
		t.Errorf("unreachable: %+v", st)
	}
}

func TestBackoff(t *testing.T) {
	for name, r := range map[string]float64{"low": 0, "high": 0.9999} {
		b := backoff{random: func() float64 { return r }}
		for i := range 40 {
			limit := backoffCap
			if i < 9 {
				limit = min(limit, time.Second<<i)
			}
			if d := b.next(); d < time.Duration(r*float64(limit))-time.Millisecond || d > limit {
				t.Errorf("%s: wait %d is %s, bound %s", name, i, d, limit)
			}
		}
		b.reset()
		if d := b.next(); d > backoffBase {
			t.Errorf("%s: %s after a reset", name, d)
		}
	}
	if later(0, 0) != backoffBase || later(10_000, 0.5) != 12500*time.Millisecond || later(2_000, 0.5) != 3500*time.Millisecond || later(1<<31, 0) != laterCap {
		t.Error("later")
	}
}

func TestWaitsGrowWhileTheCollectorIsAway(t *testing.T) {
	c := newCollector(t)
	dir := enrolled(t, c)
	c.stop()
	waits := make(chan time.Duration)
	a := start(t, dir, func(o *Options) {
		o.Random = func() float64 { return 0.999999 }
		o.Sleep = func(ctx context.Context, d time.Duration) error {
			select {
			case waits <- d.Round(time.Millisecond):
			case <-ctx.Done():
			}
			return nil
		}
	}).run(t)
	var got []time.Duration
	for range 10 {
		got = append(got, (<-waits).Round(time.Second))
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300}
	for i := range want {
		if got[i] != want[i]*time.Second {
			t.Fatalf("waits %v", got)
		}
	}
	a.close()
}
