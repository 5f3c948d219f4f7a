package app

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/calendar"
)

// calendars is the use-case of working days.
func (d *desk) calendars() *calendar.Service {
	return &calendar.Service{Deps: calendar.Deps{InTx: d.store.InTx, Store: d.store, Audit: d.store, Now: d.now,
		Sites: func(ctx context.Context) (names []string, err error) {
			list, err := d.store.Sites(ctx)
			for _, s := range list {
				names = append(names, s.Name)
			}
			return names, err
		}}}
}

type calendarCmds struct {
	List   calendarListCmd   `cmd:"" help:"List a year's days that the week alone does not decide: the law's, and those added."`
	Add    calendarAddCmd    `cmd:"" help:"Make a day one of rest, or a worked one, for every site or for one."`
	Remove calendarRemoveCmd `cmd:"" help:"Take a day off the calendar again."`
}

// calendarRow is one day in JSON.
type calendarRow struct {
	Day     string `json:"day"`
	Working bool   `json:"working"`
	Reason  string `json:"reason"`
	Site    string `json:"site"` // empty: every site
	Law     bool   `json:"law"`
}

type calendarListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Site       string `help:"Of this site; what holds for every site unless given." placeholder:"SITE"`
	Year       int    `help:"Of this year; this one unless given." placeholder:"YEAR"`
}

// Help implements kong.HelpProvider.
func (calendarListCmd) Help() string {
	return examples("calendar list", "calendar list --site Querétaro --year 2027 --output json")
}

// Run implements the command.
func (c *calendarListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		year := cmp.Or(c.Year, d.now().Year())
		list, err := d.calendars().Exceptions(ctx, c.Site)
		if err != nil {
			return err
		}
		rows := []calendarRow{}
		for _, h := range calendar.Statutory(year) {
			rows = append(rows, calendarRow{Day: h.Day.String(), Reason: h.Key, Law: true})
		}
		for _, e := range list {
			if e.Day.Year() == year {
				rows = append(rows, calendarRow{Day: e.Day.String(), Working: e.Working, Reason: e.Name, Site: e.Site})
			}
		}
		slices.SortStableFunc(rows, func(a, b calendarRow) int { return cmp.Compare(a.Day, b.Day) })
		return show(s, c.Output, rows, []string{"DAY", "WORKED", "REASON", "SITE", "BY LAW"}, func(r calendarRow) []string {
			return []string{r.Day, strconv.FormatBool(r.Working), r.Reason, r.Site, strconv.FormatBool(r.Law)}
		})
	})
}

type calendarAddCmd struct {
	dataFlags `embed:""`
	Day       string `arg:"" help:"The day: 2026-12-24."`
	Reason    string `arg:"" help:"Why."`
	Site      string `help:"For this site only." placeholder:"SITE"`
	Working   bool   `help:"The day is worked, though the week or the law say no."`
}

// Help implements kong.HelpProvider.
func (calendarAddCmd) Help() string {
	return examples("calendar add 2026-12-24 'Nochebuena'", "calendar add 2026-11-21 'Sábado trabajado' --working --site Querétaro")
}

// Run implements the command.
func (c *calendarAddCmd) Run(s *streams) error {
	day, err := calendarDayOf(c.Day)
	if err != nil {
		return err
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		return d.calendars().Save(ctx, calendar.Exception{Site: c.Site, Day: day, Working: c.Working, Name: c.Reason})
	})
}

type calendarRemoveCmd struct {
	dataFlags `embed:""`
	Day       string `arg:"" help:"The day: 2026-12-24."`
	Site      string `help:"Of this site." placeholder:"SITE"`
}

// Help implements kong.HelpProvider.
func (calendarRemoveCmd) Help() string { return examples("calendar remove 2026-12-24") }

// Run implements the command.
func (c *calendarRemoveCmd) Run(s *streams) error {
	day, err := calendarDayOf(c.Day)
	if err != nil {
		return err
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error { return d.calendars().Remove(ctx, c.Site, day) })
}

func calendarDayOf(text string) (calendar.Day, error) {
	day, ok := calendar.ParseDay(text)
	if !ok {
		return 0, apperr.New(apperr.Invalid, "calendar.bad.day", apperr.Args{"field": "day", "value": text})
	}
	return day, nil
}
