package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/calendar"
	"vigia/collector/internal/web/form"
)

// Calendar is what pages ask about working days; calendar.Service has it.
type Calendar interface {
	Exceptions(ctx context.Context, site string) ([]calendar.Exception, error)
	Save(ctx context.Context, e calendar.Exception) error
	Remove(ctx context.Context, site string, day calendar.Day) error
}

type calendarPage struct {
	Page
	Crumbs      []headLink
	Site        string // "": what holds for every site
	Sites       []string
	Year        int
	Last, Next  string // addresses of the years beside
	Days        []calendarDay
	Saved       string
	May         bool
	New         calendar.Exception
	Typed       string // the day, as it was
	Problem     string
	ProblemWith string // name of the field
}

// calendarDay is a day of the year that the week alone does not decide.
type calendarDay struct {
	Day     calendar.Day
	Date    string
	Why     string
	Site    string // of an exception; "" with Own false: every site
	Law     bool
	Working bool
	Removes bool // the form takes it away
}

// calendarShow shows a year's days of rest, by law and by exception.
func (c *console) calendarShow(w http.ResponseWriter, r *http.Request) error {
	return c.calendarForm(w, r, form.Text(r, "site"), int(form.Number(r, "year", 2100)), calendarPage{})
}

func (c *console) calendarForm(w http.ResponseWriter, r *http.Request, site string, year int, p calendarPage) error {
	p.Page = c.newPage(w, r, "administration")
	p.Title, p.Crumbs, p.May = p.T("admin.calendar"), p.crumbs("/administration", "nav.administration"), access.May(p.actor, access.ChangeSettings)
	sites, err := c.Directory.Sites(r.Context())
	if err != nil {
		return err
	}
	for _, s := range sites {
		p.Sites = append(p.Sites, s.Name)
	}
	if p.Site = site; site != "" && !slices.Contains(p.Sites, site) {
		return apperr.New(apperr.NotFound, "calendar.bad.site", apperr.Args{"value": site})
	}
	if p.Year = year; year < 2000 {
		p.Year = p.Now.Year()
	}
	p.Last, p.Next = calendarPath(site, p.Year-1), calendarPath(site, p.Year+1)
	if done := form.OneOf(r, "done", "saved", "removed"); done != "" {
		p.Saved = p.Word("calendar.done", done)
	}
	list, err := c.Calendar.Exceptions(r.Context(), site)
	if err != nil {
		return err
	}
	p.Days = p.daysOf(list)
	status := http.StatusOK
	if p.Problem != "" {
		status = http.StatusUnprocessableEntity
	}
	return c.execute(w, status, "calendar", "layout", p)
}

// daysOf puts the law's days and the exceptions of the year into order.
func (p *calendarPage) daysOf(list []calendar.Exception) (days []calendarDay) {
	for _, h := range calendar.Statutory(p.Year) {
		days = append(days, calendarDay{Day: h.Day, Date: p.Page.Day(h.Day.String()), Why: p.T("holiday." + h.Key), Law: true})
	}
	for _, e := range list {
		if e.Day.Year() == p.Year {
			days = append(days, calendarDay{Day: e.Day, Date: p.Page.Day(e.Day.String()), Why: e.Name, Site: e.Site, Working: e.Working, Removes: p.May && e.Site == p.Site})
		}
	}
	slices.SortStableFunc(days, func(a, b calendarDay) int { return int(a.Day - b.Day) })
	return days
}

func calendarPath(site string, year int) string {
	return form.Link("/calendar", "site", site, "year", strconv.Itoa(year))
}

// calendarSave adds an exception, or changes the one of the day.
func (c *console) calendarSave(w http.ResponseWriter, r *http.Request) error {
	typed := posted(r, "day", 10)
	day, ok := calendar.ParseDay(typed)
	e := calendar.Exception{Site: posted(r, "site", maxName), Day: day, Working: r.PostFormValue("working") == "yes", Name: posted(r, "name", maxName)}
	err := c.Calendar.Save(r.Context(), e)
	if !ok && (err == nil || apperr.Is(err, apperr.Invalid)) {
		err = apperr.New(apperr.Invalid, "calendar.bad.day", apperr.Args{"field": "day", "value": typed})
	}
	if apperr.Is(err, apperr.Invalid) {
		p := calendarPage{New: e, Typed: typed, Problem: c.newPage(w, r, "").Error(err), ProblemWith: wrongField(err)}
		year := 0
		if ok {
			year = day.Year()
		}
		return c.calendarForm(w, r, e.Site, year, p)
	} else if err != nil {
		return err
	}
	return c.calendarDone(w, r, e.Site, day, "saved")
}

// calendarRemove takes an exception away.
func (c *console) calendarRemove(w http.ResponseWriter, r *http.Request) error {
	site := posted(r, "site", maxName)
	day, ok := calendar.ParseDay(posted(r, "day", 10))
	if !ok {
		return apperr.New(apperr.NotFound, "calendar.unknown", apperr.Args{"day": posted(r, "day", 10)})
	}
	if err := c.Calendar.Remove(r.Context(), site, day); err != nil {
		return err
	}
	return c.calendarDone(w, r, site, day, "removed")
}

// calendarDone goes back to the year of a day, which says what was done.
func (c *console) calendarDone(w http.ResponseWriter, r *http.Request, site string, day calendar.Day, what string) error {
	http.Redirect(w, r, form.Link("/calendar", "site", site, "year", strconv.Itoa(day.Year()), "done", what), http.StatusSeeOther)
	return nil
}

// wrongField is the field that an error names.
func wrongField(err error) string {
	var e *apperr.Error
	if !errors.As(err, &e) {
		return ""
	}
	name, _ := e.Args["field"].(string)
	return name
}
