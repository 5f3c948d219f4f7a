package web

import (
	"context"
	"sync"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
)

// How old the home page's figures may be: counts change within seconds of a report,
// trends are of days.
const (
	countsLife = 2 * time.Second
	trendsLife = time.Minute
)

// maxReaders bounds the cache: whoever sees everything shares one entry.
const maxReaders = 1000

// trendDays is how many days a trend shows, today being the last.
const trendDays = 7

// figures is what the home page counts for one reader, with what came on each of the
// last days; nil where there is no history of it.
type figures struct {
	Counts
	tasks
	findings, records, quarantined, silent, enrolled []int
}

// homeCache keeps figures for a moment, so that pages that refresh themselves cost
// little however many are open.
type homeCache struct {
	mu      sync.Mutex
	readers map[string]homeEntry
}

type homeEntry struct {
	counted, drawn time.Time
	figures        figures
}

// figures counts what a sees, now being in the company's zone.
func (c *console) figures(ctx context.Context, a actor.Actor, now time.Time) (figures, error) {
	reader := string(a.Role)
	if access.ReachOf(a, access.SeeMachines) != access.Everything { // sees a part of their own
		reader += ":" + a.ID
	}
	c.home.mu.Lock()
	e := c.home.readers[reader]
	c.home.mu.Unlock()
	if fresh(e.counted, now, countsLife) {
		return e.figures, nil
	}
	var err error
	if e.figures.Counts, err = c.countFor(ctx, a, now.Add(-silentAfter)); err != nil {
		return figures{}, err
	}
	if e.figures.tasks, err = c.tasksFor(ctx, a, now); err != nil {
		return figures{}, err
	}
	e.counted = now
	if !fresh(e.drawn, now, trendsLife) {
		if err := c.trendsFor(ctx, a, now, &e.figures); err != nil {
			return figures{}, err
		}
		e.drawn = now
	}
	c.home.mu.Lock()
	defer c.home.mu.Unlock()
	if c.home.readers == nil || len(c.home.readers) >= maxReaders {
		c.home.readers = map[string]homeEntry{}
	}
	c.home.readers[reader] = e
	return e.figures, nil
}

func fresh(at, now time.Time, life time.Duration) bool {
	age := now.Sub(at)
	return age >= 0 && age < life
}

// countFor counts the whole company for those who may know its figures, else what the
// reader sees.
func (c *console) countFor(ctx context.Context, a actor.Actor, silentSince time.Time) (Counts, error) {
	if access.May(a, access.SeeCounts) {
		return c.Deps.Counts(ctx, silentSince)
	}
	n := Counts{Machines: -1, Silent: -1, Quarantined: -1, FailingMachines: -1, OpenFindings: -1, OpenNonconformities: -1}
	machines := func(f fleet.MachineFilter) func() (int, error) {
		return func() (int, error) { return c.Machines.CountMachines(ctx, f, maxCount) }
	}
	for _, part := range []struct {
		right access.Right
		into  *int
		count func() (int, error)
	}{
		{access.SeeMachines, &n.Machines, machines(fleet.MachineFilter{})},
		{access.SeeMachines, &n.Silent, machines(fleet.MachineFilter{SilentSince: silentSince})},
		{access.SeeFindings, &n.OpenFindings, func() (int, error) {
			return c.Findings.CountFindings(ctx, authorization.FindingFilter{State: authorization.Open}, maxCount)
		}},
		{access.SeeNonconformities, &n.OpenNonconformities, func() (int, error) {
			return c.Nonconformities.Count(ctx, nonconformity.Filter{Live: true}, maxCount)
		}},
	} {
		if !access.May(a, part.right) {
			continue
		}
		var err error
		if *part.into, err = part.count(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// trendsFor counts what came on each of the last days.
func (c *console) trendsFor(ctx context.Context, a actor.Actor, now time.Time, n *figures) error {
	y, m, d := now.Date()
	start := time.Date(y, m, d-trendDays+1, 0, 0, 0, 0, now.Location())
	machines := func(f fleet.MachineFilter, by string, start time.Time) func() ([]int, error) {
		return func() ([]int, error) { return c.Machines.MachineDays(ctx, f, by, start, trendDays) }
	}
	for _, part := range []struct {
		right access.Right
		into  *[]int
		days  func() ([]int, error)
	}{
		{access.SeeFindings, &n.findings, func() ([]int, error) {
			return c.Findings.FindingDays(ctx, authorization.FindingFilter{}, start, trendDays)
		}},
		{access.SeeNonconformities, &n.records, func() ([]int, error) {
			return c.Nonconformities.Days(ctx, nonconformity.Filter{}, start, trendDays)
		}},
		{access.SeeMachines, &n.quarantined, machines(fleet.MachineFilter{State: fleet.Quarantined}, "state", start)},
		{access.SeeMachines, &n.silent, machines(fleet.MachineFilter{State: fleet.Active}, "seen", start.Add(-silentAfter))}, // last heard of a week before
		{access.SeeMachines, &n.enrolled, machines(fleet.MachineFilter{}, "enrolled", start)},
	} {
		if !access.May(a, part.right) || access.May(a, access.SeeCounts) && access.ReachOf(a, part.right) == access.Own {
			continue // no trend of their own beside a figure of the company's
		}
		var err error
		if *part.into, err = part.days(); err != nil {
			return err
		}
	}
	return nil
}
