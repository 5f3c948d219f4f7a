package inventory

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// anyProgram draws programs, odd ones included, from a small world so that entries collide.
func anyProgram() *rapid.Generator[Program] {
	return rapid.Custom(func(t *rapid.T) Program {
		return Program{
			Name:        rapid.SampledFrom([]string{"vim", "Vim", " vim ", "", "a\x00b", "caf\xe9", "ñandú", strings.Repeat("x", 2000)}).Draw(t, "name"),
			Version:     rapid.SampledFrom([]string{"1", "2", "1:2.3-4"}).Draw(t, "version"),
			Source:      rapid.SampledFrom([]string{"deb", "snap", "file"}).Draw(t, "source"),
			Scope:       rapid.SampledFrom([]string{"machine", "user", "", "odd"}).Draw(t, "scope"),
			User:        rapid.SampledFrom([]string{"", "ana"}).Draw(t, "user"),
			Requested:   rapid.Bool().Draw(t, "requested"),
			SHA256:      rapid.SampledFrom([]string{"", "zz", strings.Repeat("A", 64)}).Draw(t, "sha"),
			InstalledAt: rapid.SampledFrom([]time.Time{{}, t0, t0.Add(time.Hour), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)}).Draw(t, "at"),
		}
	})
}

func anyList(t *rapid.T, label string) []Program {
	list, _ := NormalizePrograms(rapid.SliceOfN(anyProgram(), 0, 30).Draw(t, label))
	return list
}

func TestNormalizeIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := anyList(t, "list")
		again, remarks := NormalizePrograms(append([]Program{}, once...))
		if !reflect.DeepEqual(once, again) && len(once)+len(again) > 0 {
			t.Fatalf("changed again:\n%+v\n%+v", once, again)
		}
		if len(remarks) != 0 {
			t.Fatalf("remarks on a normal list: %+v", remarks)
		}
	})
}

func TestDeltaTurnsBaseIntoNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, next := anyList(t, "base"), anyList(t, "next")
		d := Diff(base, next)
		got, err := Apply(base, d)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, next) && len(got)+len(next) > 0 {
			t.Fatalf("got %+v\nwant %+v", got, next)
		}
		if d.Empty() != (DigestSoftware(base) == DigestSoftware(next)) {
			t.Fatalf("empty %v, but digests say otherwise", d.Empty())
		}
	})
}

func TestApplyRefusesAnotherBaseAndAnotherResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, other, next := anyList(t, "base"), anyList(t, "other"), anyList(t, "next")
		d := Diff(base, next)
		if DigestSoftware(other) != d.Base {
			if _, err := Apply(other, d); !errors.Is(err, ErrBaseMismatch) {
				t.Fatalf("another base: %v", err)
			}
		}
		if !d.Empty() {
			d.Result = d.Result.Add(Digest{1})
			if _, err := Apply(base, d); !errors.Is(err, ErrResultMismatch) {
				t.Fatalf("another result: %v", err)
			}
		}
	})
}

func TestDigestIgnoresOrderAndSubtracts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := anyList(t, "list")
		whole := DigestSoftware(list)
		if got := DigestSoftware(rapid.Permutation(list).Draw(t, "order")); got != whole {
			t.Fatal("order changed the digest")
		}
		d := whole
		for i := range list {
			d = d.Sub(EntryHash(list[i].Key(), list[i].InstalledAt))
		}
		if !d.IsZero() {
			t.Fatal("taking every entry away does not end in nothing")
		}
	})
}

func TestEveryFieldOfAProgramIsPartOfItsKeyOrItsHash(t *testing.T) {
	base := Program{Name: "n", Source: "s", Scope: ScopeMachine}
	typ := reflect.TypeFor[Program]()
	for i := range typ.NumField() {
		p := base
		switch f := reflect.ValueOf(&p).Elem().Field(i); f.Interface().(type) {
		case string:
			f.SetString(f.String() + "x")
		case bool:
			f.SetBool(true)
		case time.Time:
			f.Set(reflect.ValueOf(t0))
		default:
			t.Fatalf("field %s has a type this test does not know", typ.Field(i).Name)
		}
		if EntryHash(p.Key(), p.InstalledAt) == EntryHash(base.Key(), base.InstalledAt) {
			t.Errorf("a change of %s does not change the digest", typ.Field(i).Name)
		}
	}
}

func TestOddEntriesCostNobodyElse(t *testing.T) {
	s := Snapshot{
		TakenAt: t0,
		System:  System{OS: "beos", BootedAt: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), SupportEnds: "2000-0-0"},
		Hardware: Hardware{
			CPUs:     []CPU{{Model: "x\x00y", Cores: -4}},
			Networks: []Network{{Name: "eth0", MAC: "AA:BB", Addresses: []string{"nonsense", "192.0.2.1/24"}}},
		},
		Software: []Program{
			{Name: "good", Source: "deb", Scope: ScopeMachine},
			{Name: "bad\xff\xfe", Source: "deb", Scope: "galaxy"},
			{Name: "", Source: "deb"},
			{Name: strings.Repeat("é", 1<<20), Source: "deb", Scope: ScopeMachine},
		},
		Antivirus: []Antivirus{{Product: "ClamAV", State: "dreaming", LastScanInfected: -1}},
		Sources:   []Source{{Source: "deb", Outcome: "splendid", Entries: -3}},
	}
	remarks := s.Normalize()
	if len(s.Software) != 3 || s.Software[1].Name != "good" && s.Software[0].Name != "good" {
		t.Errorf("kept %d programs: %+v", len(s.Software), s.Software)
	}
	for _, p := range s.Software {
		if len(p.Name) > MaxText || !strings.HasPrefix(p.Name+"bad", "") || strings.ContainsRune(p.Name, 0) {
			t.Errorf("not normal: %q", p.Name[:min(len(p.Name), 40)])
		}
	}
	if got := s.Hardware.Networks[0].Addresses; len(got) != 1 || got[0] != "192.0.2.1/24" {
		t.Errorf("addresses: %v", got)
	}
	if s.System.OS != "" || !s.System.BootedAt.IsZero() || s.Antivirus[0].State != "unknown" || s.Sources[0].Outcome != OutcomeFailed {
		t.Errorf("odd values stayed: %+v %+v %+v", s.System, s.Antivirus, s.Sources)
	}
	told := map[string]bool{}
	for _, r := range remarks {
		told[r.Problem] = true
		if len(r.Value) > maxRemarkText || len(r.Entry) > maxRemarkText {
			t.Errorf("a remark of %d bytes", len(r.Value))
		}
	}
	for _, p := range []string{ProblemBadText, ProblemTooLong, ProblemBadTime, ProblemNoName, ProblemUnknown, ProblemNegative} {
		if !told[p] {
			t.Errorf("nothing told of %s: %+v", p, remarks)
		}
	}
	if before := s.Digests(); s.Normalize() == nil && !reflect.DeepEqual(before, s.Digests()) {
		t.Error("normalizing again changed digests")
	}
}

func TestTooManyProgramsAreCutAndTold(t *testing.T) {
	list := make([]Program, 100_000)
	for i := range list {
		list[i] = Program{Name: "p" + strings.Repeat("0", i%7) + time.Duration(i).String(), Source: "deb", Scope: ScopeMachine}
	}
	kept, remarks := NormalizePrograms(list)
	if len(kept) != MaxPrograms {
		t.Errorf("kept %d", len(kept))
	}
	if len(remarks) != 1 || remarks[0].Problem != ProblemTooMany || remarks[0].Value != "50000" {
		t.Errorf("remarks: %+v", remarks)
	}
}

func TestRemarksAreBounded(t *testing.T) {
	list := make([]Program, 1000)
	_, remarks := NormalizePrograms(list)
	if len(remarks) != MaxRemarks || remarks[MaxRemarks-1].Problem != ProblemMore {
		t.Errorf("%d remarks, last %+v", len(remarks), remarks[len(remarks)-1])
	}
}

func TestDurationsAreNotDigested(t *testing.T) {
	a := Snapshot{Sources: []Source{{Source: "deb", Outcome: OutcomeOK, DurationMS: 1}}}
	b := Snapshot{Sources: []Source{{Source: "deb", Outcome: OutcomeOK, DurationMS: 2}}}
	a.Normalize()
	b.Normalize()
	if CombineDigests(a.Digests()) != CombineDigests(b.Digests()) {
		t.Error("how long a source took changed the digest")
	}
	b.Sources[0].Entries = 5
	if CombineDigests(a.Digests()) == CombineDigests(b.Digests()) {
		t.Error("a changed source did not change the digest")
	}
}

func TestFailedSourceKeepsWhatItTold(t *testing.T) {
	prev := &Snapshot{
		Software:  []Program{{Name: "a", Source: "snap", Scope: ScopeMachine}, {Name: "b", Source: "deb", Scope: ScopeMachine}},
		Hardware:  Hardware{Model: "X1", Volumes: []Volume{{Mount: "/", FreePct: 50}}},
		Antivirus: []Antivirus{{Product: "clamav", State: "on"}},
		Sources: []Source{{Source: "snap", Outcome: OutcomeOK, Entries: 1}, {Source: "deb", Outcome: OutcomeOK, Entries: 1},
			{Source: "hardware", Outcome: OutcomeOK, Entries: 1}, {Source: "clamav", Outcome: OutcomeStale, Entries: 1}},
	}
	next := &Snapshot{
		Software: []Program{{Name: "b", Source: "deb", Scope: ScopeMachine}},
		Sources: []Source{{Source: "snap", Outcome: OutcomeFailed, Error: "timeout"}, {Source: "deb", Outcome: OutcomeOK, Entries: 1},
			{Source: "hardware", Outcome: OutcomeFailed}, {Source: "clamav", Outcome: OutcomeFailed}, {Source: "flatpak", Outcome: OutcomeFailed}},
	}
	prev.Normalize()
	next.Normalize()
	Carry(prev, next)
	next.Normalize()
	if len(next.Software) != 2 || next.Hardware.Model != "X1" || len(next.Antivirus) != 1 {
		t.Errorf("not kept: %+v", next)
	}
	want := map[string]Outcome{"snap": OutcomeStale, "deb": OutcomeOK, "hardware": OutcomeStale, "clamav": OutcomeStale, "flatpak": OutcomeFailed}
	for _, s := range next.Sources {
		if s.Outcome != want[s.Source] {
			t.Errorf("%s is %s, want %s", s.Source, s.Outcome, want[s.Source])
		}
	}
}

func TestJitterIsNoChange(t *testing.T) {
	prev := &Snapshot{System: System{BootedAt: t0}, Hardware: Hardware{Volumes: []Volume{{Mount: "/", FreePct: 50}}}}
	for _, c := range []struct {
		boot time.Duration
		free int
		same bool
	}{{time.Minute, 55, true}, {-time.Minute, 45, true}, {time.Hour, 50, false}, {0, 40, false}} {
		next := &Snapshot{System: System{BootedAt: t0.Add(c.boot)}, Hardware: Hardware{Volumes: []Volume{{Mount: "/", FreePct: c.free}}}}
		Carry(prev, next)
		if got := CombineDigests(prev.Digests()) == CombineDigests(next.Digests()); got != c.same {
			t.Errorf("boot moved %v, free %d %%: same = %v, want %v", c.boot, c.free, got, c.same)
		}
	}
}
