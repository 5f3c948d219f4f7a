package fleetsim

import (
	"testing"

	"vigia/internal/inventory"
)

func generator(t testing.TB, seed uint64) *Generator {
	t.Helper()
	g, err := NewGenerator(seed)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func digest(s *inventory.Snapshot) inventory.Digest { return inventory.CombineDigests(s.Digests()) }

func TestSameSeedSameMachines(t *testing.T) {
	a, b, other := generator(t, 1), generator(t, 1), generator(t, 2)
	for _, i := range []int{7, 0, 3} { // the order does not matter
		x, y := a.Machine(i), b.Machine(i)
		if digest(x) != digest(y) {
			t.Errorf("machine %d differs from itself", i)
		}
		if digest(x) == digest(other.Machine(i)) {
			t.Errorf("machine %d is the same for another seed", i)
		}
		before := digest(x)
		p, q := a.Change(a.Change(x, 3), 3), b.Change(b.Change(y, 3), 3)
		if digest(p) != digest(q) {
			t.Errorf("machine %d changes in two ways", i)
		}
		if digest(x) != before {
			t.Errorf("changing machine %d changed what was there before", i)
		}
	}
}

// TestFleetLooksLikeACompany holds the generator to what real fleets are like: about
// 900 programs each, most of them on many machines, hundreds of titles on a single one,
// several versions of what is updated.
func TestFleetLooksLikeACompany(t *testing.T) {
	const machines = 300
	g := generator(t, 1)
	on := map[string]int{}                   // machines by title
	versions := map[string]map[string]bool{} // by title
	serials := map[string]bool{}
	programs, common := 0, 0
	for i := range machines {
		s := g.Machine(i)
		if len(s.Software) < 700 || len(s.Software) > 1100 {
			t.Errorf("machine %d has %d programs, want about %d", i, len(s.Software), DefaultPrograms)
		}
		programs += len(s.Software)
		serials[s.Machine.Serial], serials[s.Machine.UUID], serials[s.Hardware.Networks[0].MAC] = true, true, true
		seen := map[string]bool{}
		for _, p := range s.Software {
			if !seen[p.Name] {
				seen[p.Name] = true
				on[p.Name]++
			}
			if versions[p.Name] == nil {
				versions[p.Name] = map[string]bool{}
			}
			versions[p.Name][p.Version] = true
		}
	}
	if len(serials) != 3*machines {
		t.Errorf("%d serial numbers, UUIDs and MAC addresses, want %d different", len(serials), 3*machines)
	}
	single, spread := 0, 0
	for name, n := range on {
		switch {
		case n == 1:
			single++
		case n > machines/2:
			common += n
		}
		if len(versions[name]) > 1 {
			spread++
		}
	}
	mean, share := programs/machines, float64(common)/float64(programs)
	t.Logf("%d programs a machine, %d titles, %.0f %% of installs are of titles that most machines have, %d titles on one machine only, %d titles in several versions",
		mean, len(on), 100*share, single, spread)
	if mean < 850 || mean > 950 {
		t.Errorf("%d programs a machine, want 900 or so", mean)
	}
	if share < 0.55 || share > 0.9 {
		t.Errorf("%.2f of installs are of titles that most machines have, want 0.55 to 0.9", share)
	}
	if single < machines || spread < 100 {
		t.Errorf("%d titles on one machine only, want at least %d; %d titles in several versions, want at least 100", single, machines, spread)
	}
}

func TestChangeChangesAsManyAsAsked(t *testing.T) {
	g := generator(t, 3)
	s := g.Machine(5)
	for round := range 50 {
		next := g.Change(s, 3)
		d := inventory.Diff(s.Software, next.Software)
		if n := max(len(d.Set), len(d.Removed)); n < 2 || n > 3 {
			t.Fatalf("round %d: %d came, %d went, want 3 programs changed", round, len(d.Set), len(d.Removed))
		}
		if !next.TakenAt.After(s.TakenAt) {
			t.Fatalf("round %d: taken at %s, before that %s", round, next.TakenAt, s.TakenAt)
		}
		s = next
	}
}

func TestRevisions(t *testing.T) {
	for v, want := range map[string]string{"1.2-3": "1.2-3+deb12u1", "1.2-3+deb12u1": "1.2-3+deb12u2", "1.2-3+deb12u9": "1.2-3+deb12u10",
		"1+deb12ux": "1+deb12ux+deb12u1", "": "+deb12u1"} {
		if got := nextVersion(v); got != want {
			t.Errorf("nextVersion(%q) = %q, want %q", v, got, want)
		}
	}
	if got := olderVersions("5-1+deb12u3"); len(got) != 2 || got[0] != "5-1+deb12u2" || got[1] != "5-1+deb12u1" {
		t.Errorf("olderVersions = %q", got)
	}
}

func TestCatalogueTellsWhatIsWrong(t *testing.T) {
	for _, text := range []string{"", "common\ta\t1", "common\ta\t1\tx\tall\tb\ntail\tb\t1\tx\tall\t\n"} {
		if _, err := parseCatalogue(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func BenchmarkMachine(b *testing.B) {
	g := generator(b, 1)
	for i := range b.N {
		g.Machine(i)
	}
}
