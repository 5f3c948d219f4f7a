package locale

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/number"
)

// Number writes n with separators of thousands.
func (p *Printer) Number(n int64) string { return p.numbers.Sprint(number.Decimal(n)) }

// Percent writes n, which is in hundredths.
func (p *Printer) Percent(n int) string { return p.numbers.Sprint(number.Decimal(n)) + " %" }

// Bytes writes a size in binary units with at most one decimal: "15.5 GiB".
func (p *Printer) Bytes(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v /= 1024
		u++
	}
	return p.numbers.Sprint(number.Decimal(v, number.MaxFractionDigits(1))) + " " + units[u]
}

// Date writes the day of t in the printer's zone: "23 nov 2026", "Nov 23, 2026". The
// zero time is the empty text.
func (p *Printer) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(p.Zone)
	return p.day(t.Year(), t.Month(), t.Day())
}

// DateTime writes t to the minute: "23 nov 2026, 14:05", "Nov 23, 2026, 2:05 PM".
func (p *Printer) DateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	clock := "15:04"
	if p.Lang == English {
		clock = "3:04 PM"
	}
	return p.Date(t) + ", " + t.In(p.Zone).Format(clock)
}

// Day writes an RFC 3339 full-date, or the text itself where it is none.
func (p *Printer) Day(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return p.day(t.Year(), t.Month(), t.Day())
}

func (p *Printer) day(y int, m time.Month, d int) string {
	if p.Lang == English {
		return fmt.Sprintf("%s %d, %d", m.String()[:3], d, y)
	}
	months := strings.Fields("ene feb mar abr may jun jul ago sep oct nov dic")
	return fmt.Sprintf("%d %s %d", d, months[m-1], y)
}

// Ago writes how long before now t was, in one unit: "hace 3 horas". Times in the
// future by a clock's error are "just now"; the zero time is "never".
func (p *Printer) Ago(t, now time.Time) string {
	if t.IsZero() {
		return p.T("ago.never")
	}
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return p.T("ago.now")
	case d < time.Hour:
		return p.N("ago.minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return p.N("ago.hours", int(d/time.Hour))
	case d < 60*24*time.Hour:
		return p.N("ago.days", int(d/(24*time.Hour)))
	case d < 2*365*24*time.Hour:
		return p.N("ago.months", int(d/(30*24*time.Hour)))
	}
	return p.N("ago.years", int(d/(365*24*time.Hour)))
}
