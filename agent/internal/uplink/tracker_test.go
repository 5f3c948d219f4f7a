package uplink

import (
	"os"
	"testing"

	"vigia/internal/inventory"
	"vigia/internal/wire"
)

func combined(s *inventory.Snapshot) inventory.Digest { return inventory.CombineDigests(s.Digests()) }

// TestCrashBetweenSpoolAndTracker restores the file of the tracker to before the last
// reports, as a crash right after the spool's sync would leave it.
func TestCrashBetweenSpoolAndTracker(t *testing.T) {
	for _, before := range []int{0, 1, 3} { // reports that the file knows
		c := newCollector(t)
		dir := enrolled(t, c)
		a := start(t, dir)
		var file []byte
		for n := range 4 {
			if n == before && n > 0 {
				var err error
				if file, err = os.ReadFile(a.tracker.path()); err != nil {
					t.Fatal(err)
				}
			}
			a.report(t, snapshot(n))
		}
		a.close()
		if before == 0 {
			if err := os.Remove(a.tracker.path()); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(a.tracker.path(), file, 0o600); err != nil {
			t.Fatal(err)
		}
		b := start(t, dir)
		if b.tracker.Last() == nil || combined(b.tracker.Last()) != combined(snapshot(3)) {
			t.Fatalf("%d known: the spooled reports were not taken up", before)
		}
		if b.report(t, snapshot(3)) {
			t.Fatalf("%d known: the same inventory was spooled again", before)
		}
		b.report(t, snapshot(4))
		b.run(t).drained(t)
		c.holds(t, snapshot(4))
		c.locked(func() {
			if len(c.order) != 5 || c.needs != 0 {
				t.Fatalf("%d known: %d reports, needs %d", before, len(c.order), c.needs)
			}
		})
	}
}

func TestDamagedTrackerFileCostsAWholeReport(t *testing.T) {
	c := newCollector(t)
	dir := enrolled(t, c)
	a := start(t, dir).run(t)
	a.report(t, snapshot(1))
	a.drained(t)
	a.close()
	if err := os.WriteFile(a.tracker.path(), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := start(t, dir)
	if b.tracker.Last() != nil {
		t.Fatal("something was read from a damaged file")
	}
	b.report(t, snapshot(2))
	b.run(t).drained(t)
	c.holds(t, snapshot(2))
	c.locked(func() {
		if last := c.order[len(c.order)-1]; len(last.Sections) != 6 {
			t.Fatalf("%d sections", len(last.Sections))
		}
	})
}

func TestDroppedReportsAreToldOnce(t *testing.T) {
	c := newCollector(t)
	dir := enrolled(t, c)
	a := start(t, dir)
	old := snapshot(1)
	old.TakenAt = old.TakenAt.AddDate(-1, 0, 0) // too old for the spool's clock at once
	a.report(t, old)
	if _, err := a.spool.Peek(); err == nil {
		t.Fatal("an old report is still there")
	}
	a.report(t, snapshot(2))
	a.run(t).drained(t)
	a.report(t, snapshot(3))
	a.drained(t)
	c.holds(t, snapshot(3))
	c.locked(func() {
		var told []wire.Dropped
		for _, r := range c.order {
			told = append(told, r.Dropped...)
		}
		if len(told) != 1 || told[0].Reason != wire.DroppedAge || told[0].Reports != 1 || !told[0].Oldest.Equal(old.TakenAt) {
			t.Fatalf("told %+v", told)
		}
	})
}
