package store_test

import (
	"slices"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

func TestTrendsCountByDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seedLists(t, s) // machines and records: four an hour from noon on, 47 in all
		ctx := t.Context()
		start := noon.Add(-24 * time.Hour)
		want := []int{0, 47, 0}
		for _, by := range []string{"enrolled", "state"} {
			got, err := s.MachineDays(ctx, fleet.MachineFilter{}, by, start, 3)
			if must(t, err); !slices.Equal(got, want) {
				t.Errorf("machines by %s: %v, want %v", by, got, want)
			}
		}
		got, err := s.Nonconformities().Days(ctx, nonconformity.Filter{}, start, 3)
		if must(t, err); !slices.Equal(got, want) {
			t.Errorf("records: %v, want %v", got, want)
		}
		got, err = s.Nonconformities().Days(ctx, nonconformity.Filter{}, noon.Add(time.Hour), 1) // without the first four
		if must(t, err); !slices.Equal(got, []int{43}) {
			t.Errorf("records after an hour: %v", got)
		}
		got, err = s.FindingDays(ctx, authorization.FindingFilter{State: authorization.Open}, time.UnixMicro(5), 1) // found in microseconds 0 to 9 of 1970
		if must(t, err); !slices.Equal(got, []int{7}) {
			t.Errorf("findings: %v", got)
		}
		got, err = s.MachineDays(ctx, fleet.MachineFilter{Site: "nowhere"}, "seen", start, 2)
		if must(t, err); !slices.Equal(got, []int{0, 0}) {
			t.Errorf("machines of no site: %v", got)
		}
		if _, err := s.MachineDays(ctx, fleet.MachineFilter{}, "x", start, 1); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("by nothing known: %v", err)
		}
	})
}
