package web_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/calendar"
)

// fakeCalendar keeps exceptions in memory.
type fakeCalendar struct {
	f    *fake
	list []calendar.Exception
}

func (c *fakeCalendar) Exceptions(_ context.Context, site string) ([]calendar.Exception, error) {
	var out []calendar.Exception
	for _, e := range append(c.list, calendar.Exception{Day: calendar.Date(now.Year(), 12, 24), Name: "Nochebuena " + markup}) {
		if e.Site == "" || e.Site == site {
			out = append(out, e)
		}
	}
	return out, c.f.broken
}

func (c *fakeCalendar) Save(_ context.Context, e calendar.Exception) error {
	if e.Name == "" {
		return apperr.New(apperr.Invalid, "calendar.bad.name", apperr.Args{"field": "name", "value": ""})
	}
	c.list = append(c.list, e)
	return c.f.broken
}

func (c *fakeCalendar) Remove(_ context.Context, site string, day calendar.Day) error {
	c.list = slices.DeleteFunc(c.list, func(e calendar.Exception) bool { return e.Site == site && e.Day == day })
	return c.f.broken
}

func TestCalendarByForms(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "sofia@example.com")
	code, body := postForm(t, c, srv.URL+"/calendar?lang=es", url.Values{"day": {"2026-06-19"}, "name": {"Aniversario"}, "working": {"yes"}})
	if code != http.StatusOK || !strings.Contains(body, "El día se guardó") || !strings.Contains(body, "Aniversario") || !strings.Contains(body, "Se trabaja") || !strings.Contains(body, "Natalicio de Benito Juárez") {
		t.Errorf("%d\n%s", code, body)
	}
	for field, form := range map[string]url.Values{"day": {"day": {"never"}, "name": {"Feria"}}, "name": {"day": {"2026-06-20"}, "name": {""}}} {
		code, body := postForm(t, c, srv.URL+"/calendar?lang=es", form)
		if code != http.StatusUnprocessableEntity || !strings.Contains(body, `value="`+form.Get("day")+`"`) || !strings.Contains(body, `id="`+field+`"`) || !strings.Contains(body, `aria-describedby="calendar-problem"`) {
			t.Errorf("%s: %d\n%s", field, code, body)
		}
	}
	if code, body := postForm(t, c, srv.URL+"/calendar/remove?lang=es", url.Values{"day": {"2026-06-19"}}); code != http.StatusOK || strings.Contains(body, "Aniversario") || !strings.Contains(body, "se quitó") {
		t.Errorf("%d\n%s", code, body)
	}
	if res, _ := get(t, c, srv.URL+"/calendar?site=Atlantis", "es"); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown site: %d", res.StatusCode)
	}
	if _, body := get(t, client(t, srv, f, "ivan@example.com"), srv.URL+"/calendar", "en"); strings.Count(body, `method="post"`) > 1 || !strings.Contains(body, "Constitution Day") {
		t.Error("the auditor's page")
	}
}
