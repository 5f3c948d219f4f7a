package nonconformity_test

import (
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	nc "vigia/collector/internal/nonconformity"
)

var noon = time.Date(2026, 11, 27, 18, 0, 0, 0, time.UTC)

// at returns a record in a state, with the milestones that lead there.
func at(state nc.State, contained, notified bool) nc.Nonconformity {
	n := nc.Nonconformity{Number: "NC-2026-0001", Programs: []nc.Program{{Name: "uTorrent", State: "present"}}}
	n.Begin(noon)
	set := func(m *time.Time) { *m = noon.Add(time.Hour) }
	if notified {
		set(&n.NotifiedAt)
	}
	if contained {
		set(&n.ContainedAt)
		n.Programs[0].State = "gone"
	}
	order := []nc.State{nc.CauseAnalysed, nc.ActionPlanned, nc.Implemented, nc.Verified}
	for i, m := range []*time.Time{&n.CauseAt, &n.PlannedAt, &n.ImplementedAt, &n.VerifiedAt} {
		for _, s := range order[i:] {
			if state == s || state == nc.Closed {
				set(m)
			}
		}
	}
	if state.Ended() {
		set(&n.EndedAt)
	}
	n.State = state
	return n
}

// The table a second time, pair by pair: a column for each state, + after it where all
// programs are gone; a line for each move. A dot is "cannot happen".
const life = `
          open notified contained+ cause cause+ plan plan+ impl impl+ verified+ closed+ withdrawn concession concession+
notify    n    .        .          .     .      .    .     .    .     .         .       .         .          .
contain   c    c        .          A     .      P    .     I    .     .         .       .         K          .
uncontain .    .        n          .     A      .    P     .    I     I         I       .         .          K
return    .    .        o          .     o      .    o     .    o     o         o       .         .          .
repeat    o    n        .          A     .      P    .     I    .     .         .       .         K          .
analyse   A    A        A          A     A      P    P     .    .     .         .       .         .          .
plan      .    .        .          P     P      P    P     .    .     .         .       .         .          .
implement .    .        .          .     .      I    I     .    .     .         .       .         .          .
verify    .    .        .          .     .      .    .     .    V     .         .       .         .          .
close     .    .        .          .     .      .    .     .    .     C         .       .         .          .
withdraw  W    W        W          W     W      W    W     W    W     W         .       .         .          .
concede   K    K        K          K     K      K    K     K    K     K         .       .         .          .
lapse     .    .        .          .     .      .    .     .    .     .         .       .         o          o
`

func TestTableOfTransitions(t *testing.T) {
	letters := map[string]nc.State{"o": nc.Open, "n": nc.Notified, "c": nc.Contained, "A": nc.CauseAnalysed, "P": nc.ActionPlanned, "I": nc.Implemented, "V": nc.Verified,
		"C": nc.Closed, "W": nc.Withdrawn, "K": nc.Concession}
	names := map[string]nc.State{"open": nc.Open, "notified": nc.Notified, "contained": nc.Contained, "cause": nc.CauseAnalysed, "plan": nc.ActionPlanned, "impl": nc.Implemented,
		"verified": nc.Verified, "closed": nc.Closed, "withdrawn": nc.Withdrawn, "concession": nc.Concession}
	lines := strings.Split(strings.TrimSpace(life), "\n")
	columns := strings.Fields(lines[0])
	if len(lines)-1 != len(nc.Moves()) {
		t.Fatalf("%d lines for %d moves", len(lines)-1, len(nc.Moves()))
	}
	who := map[nc.Move]string{nc.Notify: nc.PartSystem, nc.Contain: nc.PartAgent, nc.Uncontain: nc.PartAgent, nc.Return: nc.PartAgent, nc.Repeat: nc.PartAgent,
		nc.Analyse: nc.PartManager, nc.Plan: nc.PartManager, nc.Implement: nc.PartManager, nc.Verify: nc.PartSystem, nc.Close: nc.PartIT, nc.Withdraw: nc.PartIT,
		nc.Concede: nc.PartIT, nc.Lapse: nc.PartSystem}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		move := nc.Move(cells[0])
		for i, cell := range cells[1:] {
			name, contained := strings.CutSuffix(columns[i], "+")
			n := at(names[name], contained, name != "open")
			before := n
			err := n.Apply(move, who[move], noon.Add(2*time.Hour))
			if cell == "." {
				if err == nil || !apperr.Is(err, apperr.Conflict) || n.State != before.State {
					t.Errorf("%s from %s: %v", move, columns[i], err)
				}
				continue
			}
			if err != nil || n.State != letters[cell] {
				t.Errorf("%s from %s: %s, %v, want %s", move, columns[i], n.State, err, letters[cell])
			}
			if gone := !n.ContainedAt.IsZero(); gone != (contained || move == nc.Contain) && move != nc.Uncontain && move != nc.Return && move != nc.Lapse {
				t.Errorf("%s from %s: contained %v", move, columns[i], gone)
			}
			if n.State.Ended() == n.EndedAt.IsZero() {
				t.Errorf("%s from %s: ended at %s", move, columns[i], n.EndedAt)
			}
		}
	}
}

// Nobody but those named may bring a move about.
func TestWhoMay(t *testing.T) {
	may := map[nc.Move]string{nc.Notify: "system it", nc.Contain: "agent system", nc.Uncontain: "agent system", nc.Return: "agent", nc.Repeat: "agent",
		nc.Analyse: "area-manager it", nc.Plan: "area-manager it", nc.Implement: "area-manager it", nc.Verify: "system it", nc.Close: "it", nc.Withdraw: "it",
		nc.Concede: "it", nc.Lapse: "system"}
	for move, parts := range may {
		for _, part := range []string{nc.PartUser, nc.PartManager, nc.PartHR, nc.PartIT, nc.PartManagement, nc.PartAgent, nc.PartSystem, ""} {
			allowed := false
			for _, s := range nc.States() {
				for _, contained := range []bool{false, true} {
					n := at(s, contained, s != nc.Open)
					err := n.Apply(move, part, noon)
					allowed = allowed || err == nil
					if err == nil && !apperr.Is(n.Apply(move, "nobody", noon), apperr.Forbidden) {
						t.Errorf("%s by nobody", move)
					}
				}
			}
			if want := part != "" && strings.Contains(" "+parts+" ", " "+part+" "); allowed != want {
				t.Errorf("%s by %q: %v", move, part, allowed)
			}
		}
	}
}

// Containment may come at any moment: the end is the same.
func TestContainmentComesAtAnyMoment(t *testing.T) {
	people := []struct {
		move nc.Move
		part string
	}{{nc.Notify, nc.PartSystem}, {nc.Analyse, nc.PartManager}, {nc.Plan, nc.PartManager}, {nc.Implement, nc.PartManager}}
	for when := range len(people) + 1 {
		n := at(nc.Open, false, false)
		for i := range len(people) + 1 {
			if i == when {
				if err := n.Apply(nc.Contain, nc.PartAgent, noon); err != nil {
					t.Fatal(err)
				}
			}
			if i < len(people) {
				if err := n.Apply(people[i].move, people[i].part, noon); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n.State != nc.Implemented || n.ContainedAt.IsZero() || n.NotifiedAt.IsZero() {
			t.Errorf("contained as number %d: %s", when, n.State)
		}
	}
}

func TestReturnBeginsARoundAnew(t *testing.T) {
	n := at(nc.Closed, true, true)
	if err := n.Apply(nc.Return, nc.PartAgent, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n.State != nc.Open || n.Round != 2 || n.Recurrences != 1 || !n.RoundAt.Equal(noon.Add(time.Hour)) || !n.OpenedAt.Equal(noon) {
		t.Errorf("%+v", n)
	}
	for _, s := range nc.Line()[1:] {
		if !n.Reached(s).IsZero() {
			t.Errorf("%s is still reached", s)
		}
	}
}
