package calendar

import "time"

// Day is a date without a time: the number of days since 1970-01-01.
type Day int

// Date returns the day of a date.
func Date(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// DayOf returns the day that it is at t in zone.
func DayOf(t time.Time, zone *time.Location) Day {
	y, m, d := t.In(zone).Date()
	return Date(y, m, d)
}

// ParseDay reads "2026-11-28".
func ParseDay(s string) (Day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, false
	}
	return Day(t.Unix() / 86400), true
}

func (d Day) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String is "2026-11-28".
func (d Day) String() string { return d.utc().Format(time.DateOnly) }

// Year is the day's year.
func (d Day) Year() int { return d.utc().Year() }

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return d.utc().Weekday() }

// Start is the first moment of the day in zone.
func (d Day) Start(zone *time.Location) time.Time {
	y, m, day := d.utc().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, zone)
}

// Holiday is a day of rest with the key of its name.
type Holiday struct {
	Day Day
	Key string // of the catalogues, under "holiday."
}

// Statutory lists the mandatory days of rest of a year in Mexico, in order: Ley Federal
// del Trabajo, article 74. Days of local elections are not known by rule: they are added
// to a site's calendar.
func Statutory(year int) []Holiday {
	list := []Holiday{
		{Date(year, time.January, 1), "new-year"},
		{nth(year, time.February, time.Monday, 1), "constitution"}, // commemorates 5 February
		{nth(year, time.March, time.Monday, 3), "juarez"},          // commemorates 21 March
		{Date(year, time.May, 1), "labour"},
	}
	if year >= 2024 && (year-2024)%3 == 0 { // ordinary federal elections: first Sunday of June, LGIPE art. 22
		list = append(list, Holiday{nth(year, time.June, time.Sunday, 1), "election"})
	}
	list = append(list, Holiday{Date(year, time.September, 16), "independence"})
	if year >= 2024 && (year-2024)%6 == 0 {
		list = append(list, Holiday{Date(year, time.October, 1), "executive"}) // the federal executive changes
	}
	return append(list,
		Holiday{nth(year, time.November, time.Monday, 3), "revolution"}, // commemorates 20 November
		Holiday{Date(year, time.December, 25), "christmas"})
}

// nth is the n-th of a day of the week in a month.
func nth(year int, month time.Month, day time.Weekday, n int) Day {
	first := Date(year, month, 1)
	return first + Day((int(day)-int(first.Weekday())+7)%7) + Day(7*(n-1))
}
