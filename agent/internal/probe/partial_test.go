package probe

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vigia/internal/inventory"
)

// TestPartialResultIsBetterThanNoneAndWorseThanTheWhole follows a source that is read
// in part, first without and then with an earlier whole result.
func TestPartialResultIsBetterThanNoneAndWorseThanTheWhole(t *testing.T) {
	broken := true
	r := NewRunner([]Probe{{Source: "deb", Section: inventory.SectionSoftware,
		Collect: func(_ context.Context, _ *Env, part *inventory.Snapshot) (int, error) {
			part.Software = []inventory.Program{{Name: "a", Source: "deb"}}
			if broken {
				return 1, fmt.Errorf("%w: line 7", ErrPartial)
			}
			part.Software = append(part.Software, inventory.Program{Name: "b", Source: "deb"})
			return 2, nil
		}}}, Options{})
	env := &Env{Root: "/", Now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}
	look := func(prev *inventory.Snapshot, outcome inventory.Outcome, programs int) *inventory.Snapshot {
		t.Helper()
		s := r.Run(t.Context(), env, Filter{})
		inventory.Carry(prev, s)
		if len(s.Software) != programs || s.Sources[0].Outcome != outcome {
			t.Errorf("%d programs, %+v; want %d, %s", len(s.Software), s.Sources[0], programs, outcome)
		}
		return s
	}
	first := look(nil, inventory.OutcomeFailed, 1)
	second := look(first, inventory.OutcomeFailed, 1)
	broken = false
	whole := look(second, inventory.OutcomeOK, 2)
	broken = true
	look(look(whole, inventory.OutcomeStale, 2), inventory.OutcomeStale, 2)
}
