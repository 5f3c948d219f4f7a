package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/paging"
)

// countDays counts what a filter lets through by spans of 24 hours from a moment on,
// by the moment that expr is.
func countDays(ctx context.Context, q querier, from string, w where, expr string, start time.Time, days int) ([]int, error) {
	out := make([]int, days)
	w.add(expr+" >= ?", micros(start))
	w.add(expr+" < ?", micros(start.Add(time.Duration(days)*24*time.Hour)))
	// Numbers in the text: parameters must stand in the order of their numbers.
	day := fmt.Sprintf("(%s - %d) / %d", expr, micros(start), (24 * time.Hour).Microseconds())
	_, err := rows(ctx, q, "SELECT "+day+", count(*)"+from+w.clause()+" GROUP BY 1", w.args, func(r *sql.Rows, _ *struct{}) error {
		var day, n int
		err := r.Scan(&day, &n)
		if err == nil && day >= 0 && day < days {
			out[day] = n
		}
		return err
	})
	return out, err
}

// FindingDays counts the findings that f lets through by the day they were found.
func (s *Store) FindingDays(ctx context.Context, f authorization.FindingFilter, start time.Time, days int) ([]int, error) {
	out, err := countDays(ctx, s.on(ctx), findingReadFrom, findingWhere(f), "f.found_at", start, days)
	return out, s.mapError("counting findings by day", err)
}

// Days counts the records that f lets through by the day they were opened.
func (n *Nonconformities) Days(ctx context.Context, f nonconformity.Filter, start time.Time, days int) ([]int, error) {
	out, err := countDays(ctx, n.store.on(ctx), nonconformityFrom, nonconformityWhere(f), "n.opened_at", start, days)
	return out, n.store.mapError("counting nonconformities by day", err)
}

// MachineDays counts the machines that f lets through by the day they were "enrolled",
// came into their "state", or were last "seen".
func (s *Store) MachineDays(ctx context.Context, f fleet.MachineFilter, by string, start time.Time, days int) ([]int, error) {
	expr := map[string]string{"enrolled": "enrolled_at", "state": "state_at", "seen": "coalesce(nullif(last_seen, 0), enrolled_at)"}[by]
	if expr == "" {
		return nil, paging.Unknown(by)
	}
	var w where
	none, err := s.machineWhere(ctx, f, &w, true)
	if none || err != nil {
		return make([]int, days), s.mapError("counting machines by day", err)
	}
	out, err := countDays(ctx, s.on(ctx), machinePlaces, w, expr, start, days)
	return out, s.mapError("counting machines by day", err)
}
