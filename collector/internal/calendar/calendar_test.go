package calendar_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/collector/internal/calendar"
)

// The days as the Secretaría del Trabajo published them.
func TestStatutoryDays(t *testing.T) {
	for year, want := range map[int]string{
		2023: "01-01 02-06 03-20 05-01 09-16 11-20 12-25",
		2024: "01-01 02-05 03-18 05-01 06-02 09-16 10-01 11-18 12-25",
		2025: "01-01 02-03 03-17 05-01 09-16 11-17 12-25",
		2026: "01-01 02-02 03-16 05-01 09-16 11-16 12-25",
		2027: "01-01 02-01 03-15 05-01 06-06 09-16 11-15 12-25",
		2030: "01-01 02-04 03-18 05-01 06-02 09-16 10-01 11-18 12-25",
	} {
		var got []string
		for _, h := range calendar.Statutory(year) {
			got = append(got, h.Day.String()[5:])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d: %v, want %s", year, got, want)
		}
	}
}

func day(t *testing.T, s string) calendar.Day {
	t.Helper()
	d, ok := calendar.ParseDay(s)
	if !ok {
		t.Fatal(s)
	}
	return d
}

func TestDeadlines(t *testing.T) {
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		t.Fatal(err)
	}
	c := calendar.New(zone, false, "Querétaro", []calendar.Exception{
		{Day: day(t, "2026-12-24")}, {Site: "Querétaro", Day: day(t, "2026-12-24"), Working: true}, // the site's own holds
		{Site: "León", Day: day(t, "2026-11-30")}, {Day: day(t, "2026-12-05"), Working: true},
	})
	for _, x := range []struct {
		start string
		days  int
		end   string // the last day
	}{
		{"2026-11-27 10:00", 1, "2026-11-30"}, // Friday to Monday; León's day of rest is not ours
		{"2026-11-27 10:00", 0, "2026-11-27"},
		{"2026-11-13 10:00", 1, "2026-11-17"}, // 16 November is a holiday
		{"2026-12-04 23:59", 1, "2026-12-05"}, // a Saturday worked by exception
		{"2026-12-23 00:00", 1, "2026-12-24"},
		{"2026-12-24 09:00", 1, "2026-12-28"},
		{"2026-12-30 09:00", 2, "2027-01-04"},
	} {
		start, err := time.ParseInLocation("2006-01-02 15:04", x.start, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Deadline(start, x.days).Add(-time.Second).In(zone).Format(time.DateOnly + " 15:04:05"); got != x.end+" 23:59:59" {
			t.Errorf("%s + %d: %s, want the end of %s", x.start, x.days, got, x.end)
		}
		if got := c.Before(c.Deadline(start, x.days)).In(zone).Format(time.DateOnly + " 15:04"); got != x.end+" 00:00" {
			t.Errorf("the last day of %s + %d begins %s", x.start, x.days, got)
		}
	}
	if c := (calendar.Calendar{Zone: zone, Saturdays: true}); !c.Works(day(t, "2026-11-28")) || c.Works(day(t, "2026-11-29")) {
		t.Error("Saturdays are worked and Sundays are not")
	}
}

func TestDeadlinesGrowAndEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := calendar.Calendar{Saturdays: rapid.Bool().Draw(t, "saturdays"), Exceptions: map[calendar.Day]bool{}}
		start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 5*365*24).Draw(t, "hours")) * time.Hour)
		first := calendar.DayOf(start, time.UTC)
		for range rapid.IntRange(0, 20).Draw(t, "exceptions") {
			c.Exceptions[first+calendar.Day(rapid.IntRange(0, 30).Draw(t, "day"))] = rapid.Bool().Draw(t, "working")
		}
		n := rapid.IntRange(1, 40).Draw(t, "n")
		end := c.Deadline(start, n)
		worked := 0
		for d := first + 1; d.Start(time.UTC).Before(end); d++ {
			if c.Works(d) {
				worked++
			}
		}
		if last := calendar.DayOf(end.Add(-time.Second), time.UTC); worked != n || !c.Works(last) || !end.After(start) {
			t.Errorf("%d working days to %s, want %d", worked, last, n)
		}
	})
	never := calendar.Calendar{Exceptions: map[calendar.Day]bool{}}
	for d := calendar.Date(2026, 1, 1); d < calendar.Date(2037, 1, 1); d++ {
		never.Exceptions[d] = false
	}
	if end := never.Deadline(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 3); end.Format(time.DateOnly) != "2026-01-05" {
		t.Errorf("where nobody works: %s", end)
	}
}
