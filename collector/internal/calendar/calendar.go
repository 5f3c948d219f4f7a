// Package calendar owns working days: which days a site works, by the week, the law and
// its own exceptions, and when a number of working days is over. It refuses to keep
// anything and to know what the days are counted for.
package calendar

import (
	"context"
	"time"
)

// Exception makes one day of a site a day of rest, or a working day.
type Exception struct {
	Site    string // empty: every site that has no exception of its own for the day
	Day     Day
	Working bool
	Name    string // why, in the words of who added it
}

// Store keeps exceptions. Writes join the transaction in ctx.
type Store interface {
	// Exceptions returns those of a site and those of every site, by day.
	Exceptions(ctx context.Context, site string) ([]Exception, error)
	SaveException(ctx context.Context, e Exception) error // one for each site and day
	RemoveException(ctx context.Context, site string, day Day) error
}

// Calendar tells a site's working days. The zero value works Monday to Friday, UTC.
type Calendar struct {
	Zone       *time.Location // nil: UTC
	Saturdays  bool           // Saturdays are worked
	Exceptions map[Day]bool   // days that are worked, or not, whatever the week and the law say
}

// New returns a site's calendar. Of two exceptions for a day the site's own holds.
func New(zone *time.Location, saturdays bool, site string, list []Exception) Calendar {
	c := Calendar{Zone: zone, Saturdays: saturdays, Exceptions: map[Day]bool{}}
	for _, own := range []bool{false, true} {
		for _, e := range list {
			if (e.Site != "") == own && (!own || e.Site == site) {
				c.Exceptions[e.Day] = e.Working
			}
		}
	}
	return c
}

// Works reports whether a day is worked.
func (c Calendar) Works(d Day) bool {
	if works, known := c.Exceptions[d]; known {
		return works
	}
	switch d.Weekday() {
	case time.Sunday:
		return false
	case time.Saturday:
		if !c.Saturdays {
			return false
		}
	}
	for _, h := range Statutory(d.Year()) {
		if h.Day == d {
			return false
		}
	}
	return true
}

// longest bounds a search for working days, so that a calendar without any ends it.
const longest = 3660

// Deadline is the end of the n-th working day after the day of start: what begins on a
// Friday and has one day, ends when Monday does. n of 0 or less ends with the day of
// start itself. Where no day is worked, days are counted as they come.
func (c Calendar) Deadline(start time.Time, n int) time.Time {
	zone := c.zone()
	first := DayOf(start, zone)
	d := first
	for i := 0; n > 0 && i < longest; i++ {
		if d++; c.Works(d) {
			n--
		}
	}
	if n > 0 {
		d = first + Day(n)
	}
	return (d + 1).Start(zone).UTC()
}

// Before is the first moment of the working day on which a deadline ends: when somebody
// can still act.
func (c Calendar) Before(deadline time.Time) time.Time {
	return DayOf(deadline.Add(-time.Nanosecond), c.zone()).Start(c.zone()).UTC()
}

func (c Calendar) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}
