package e2e

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestFoundWithinSeconds installs real packages and measures from dpkg's return to the
// finding that is stored on the collector: at most 3 s for 95 of 100.
func TestFoundWithinSeconds(t *testing.T) {
	const rounds, limit = 20, 3 * time.Second
	c := newCollector(t)
	c.allow(allowNothing)
	a := newAgent(t).enroll(c)
	began := time.Now()
	a.start()
	a.reported(began)
	var took []time.Duration
	for n := range rounds {
		name := fmt.Sprintf("sample-noticed-%d", n)
		at := installed(t, pack(t, name, "1.0"), name)
		eventually(t, "the finding of "+name, patience, func() bool { return c.finding(name) != nil }, a.log, c.log)
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	p95 := took[(rounds*95+99)/100-1]
	t.Logf("from dpkg's return to the finding: median %v, p95 %v, worst %v", took[rounds/2], p95, took[rounds-1])
	if p95 > limit {
		t.Errorf("p95 is %v, want at most %v: %v", p95, limit, took)
	}
}

// TestRecordFromInstallToContainment follows one program: installed, record opened;
// removed, contained; back again, a recurrence.
func TestRecordFromInstallToContainment(t *testing.T) {
	const name = "sample-contained"
	c := newCollector(t)
	c.allow(allowNothing)
	a := newAgent(t).enroll(c)
	began := time.Now()
	a.start()
	a.reported(began)
	// What is there already is authorized, so that the record is about one program.
	c.allow("mode: enforce\nbaseline: true\nrules:\n" +
		"  - {name: what was there, effect: allow, match: {name: \"*\"}, reason: sample}\n" +
		"  - {name: not this one, effect: deny, match: {name: " + name + "}, reason: sample}\n")
	deb := pack(t, name, "1.0")
	installed(t, deb, name)
	var record nonconformityRow
	one := func() bool {
		rows := list[nonconformityRow](c, "nonconformity", "list")
		if len(rows) == 1 {
			record = rows[0]
		}
		return len(rows) == 1
	}
	eventually(t, "the record", patience, one, a.log, c.log)
	year := time.Now().UTC().Year()
	if want := fmt.Sprintf("NC-%d-0001", year); record.Number != want || len(record.Programs) != 1 || record.Programs[0].Name != name || len(record.Evidence) == 0 {
		t.Fatalf("want record %s about %s with evidence, got %+v", want, name, record)
	}
	if e := record.Evidence[0]; e.Report == "" || e.Program != name || e.Source != "deb" || e.At.Before(began) {
		t.Errorf("odd evidence %+v", e)
	}
	f := c.finding(name)
	if f == nil || f.NonConformity != record.Number || f.Verdict != "denied" || f.Version != "1.0" {
		t.Fatalf("odd finding %+v", f)
	}

	dpkg(t, "--purge", name)
	eventually(t, "containment", patience, func() bool { return one() && record.ContainedAt != nil }, a.log, c.log)
	if f := c.finding(name); f == nil || f.State != "gone" {
		t.Errorf("after removal the finding is %+v", f)
	}
	if last := record.Evidence[len(record.Evidence)-1]; last.Kind != "gone" || last.Report == record.Evidence[0].Report {
		t.Errorf("containment is not proven by a later report: %+v", record.Evidence)
	}

	dpkg(t, "--install", deb)
	eventually(t, "the recurrence", patience, func() bool {
		f := c.finding(name)
		return f != nil && f.State == "open" && one() && slices.ContainsFunc(record.Evidence, func(e struct {
			Kind    string    `json:"kind"`
			Report  string    `json:"report"`
			At      time.Time `json:"at"`
			Program string    `json:"program"`
			Source  string    `json:"source"`
		}) bool {
			return e.Kind == "returned"
		})
	}, a.log, c.log)
}

// TestOffline stops the collector, changes the machine, kills the agent, and expects
// everything that happened, once, when both are back.
func TestOffline(t *testing.T) {
	const kept, passing = "sample-offline-kept", "sample-offline-passing"
	c := newCollector(t)
	c.allow(allowNothing)
	a := newAgent(t).enroll(c)
	began := time.Now()
	a.start()
	a.reported(began)
	before := list[machineRow](c, "machine", "list")[0]

	c.end(syscall.SIGKILL)
	spooled := func(n int) func() bool {
		return func() bool { return waiting(t, a) >= n }
	}
	installed(t, pack(t, passing, "1.0"), passing)
	eventually(t, "the first report in the spool", patience, spooled(1), a.log)
	dpkg(t, "--purge", passing)
	eventually(t, "the second report in the spool", patience, spooled(2), a.log)
	at := installed(t, pack(t, kept, "1.0"), kept)
	eventually(t, "the third report in the spool", patience, spooled(3), a.log)
	a.end(syscall.SIGKILL)

	c.start()
	restarted := time.Now()
	a.start()
	eventually(t, "the finding of "+kept, 2*patience, func() bool { return c.finding(kept) != nil }, a.log, c.log)
	f := c.finding(kept)
	if f.State != "open" || !f.FirstSeen.Before(restarted) || f.FirstSeen.Before(at.Add(-time.Minute)) {
		t.Errorf("%s was seen while offline, at about %v; the finding says %+v", kept, at, f)
	}
	if f := c.finding(passing); f == nil || f.State != "gone" {
		t.Errorf("what came and went while offline is not told: %+v", f)
	}
	if after := list[machineRow](c, "machine", "list")[0]; after.Programs != before.Programs+1 {
		t.Errorf("%d programs before, %d after one came", before.Programs, after.Programs)
	}
	if n := waiting(t, a); n > 0 {
		eventually(t, "an empty spool", patience, func() bool { return waiting(t, a) == 0 }, a.log)
	}
}
