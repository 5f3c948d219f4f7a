package uplink

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

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

// TestTheCertificateFollowsTheCA: an agent told of a new CA has its certificate renewed
// within the time given, though it is young, and tells which CAs it trusts.
func TestTheCertificateFollowsTheCA(t *testing.T) {
	c := newCollector(t)
	old := c.ca
	dir := enrolled(t, c)
	next, err := pki.NewCA("Example", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	both, err := pki.NewTrust(next.Cert, old.Cert)
	if err != nil {
		t.Fatal(err)
	}
	c.trust.Store(both)
	c.ca = next
	c.cert.Set(old, nil, next)
	c.greeting = []*vigiav1.FromCollector{{Kind: &vigiav1.FromCollector_Trust{Trust: &vigiav1.TrustUpdate{CaDer: both.DER(), RenewWithinMs: 50}}}}
	a := start(t, dir).run(t)
	c.eventually(t, "a connection with a certificate of the new CA", func() bool {
		return c.renewals == 1 && len(c.serials) >= 2 && c.serials[0] != c.serials[1]
	})
	fp := next.Fingerprint()
	c.eventually(t, "told which CAs are trusted", func() bool {
		for _, st := range c.statuses {
			if len(st.CaFingerprints) == 2 && string(st.CaFingerprints[0]) == string(fp[:]) {
				return true
			}
		}
		return false
	})
	a.report(t, snapshot(1))
	a.drained(t)
	a.close()
	id, err := LoadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	if issuer, ok := id.Trust.Issuer(id.Current.Cert); !ok || issuer != next.Fingerprint() || c.renewals != 1 {
		t.Errorf("issuer %s, %d renewals", issuer, c.renewals)
	}
	// Another that was away all the time is told why it is refused, and what to do.
	c.cert.Set(next, nil)
	c.ca = old
	stale := enrolledOld(t, dir, old)
	b := start(t, stale).run(t)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if st := b.client.Status(); st.Problem != "" {
			if !strings.Contains(st.Problem, "does not know") || !strings.Contains(st.Remedy, "enroll --token TOKEN --replace") {
				t.Errorf("%+v", st)
			}
			return
		}
	}
	t.Error("no problem was told")
}

// enrolledOld is the identity of dir as one that trusts old only has it.
func enrolledOld(t *testing.T, dir string, old *pki.CA) string {
	t.Helper()
	id, err := LoadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	if id.Trust, err = pki.NewTrust(old.Cert); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	if err := SaveIdentity(to, id); err != nil {
		t.Fatal(err)
	}
	return to
}
