package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/title"
)

// TestTitlesByTheirForms adds, undoes and removes a rule as a technician does, over a
// real store, and looks at what the lists and the audit log say.
func TestTitlesByTheirForms(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	c := client(t, srv, f, "ana@example.com")
	page, err := s.ShownTitlePage(t.Context(), title.Filter{}, paging.Order{By: "machines", Desc: true})
	if err != nil || len(page.Rows) == 0 {
		t.Fatalf("%d titles, %v", len(page.Rows), err)
	}
	first := page.Rows[0]
	rule := url.Values{"name": {first.Name}, "to_name": {"Renombrado <b>"}, "reason": {"prueba"}}
	if _, body := get(t, c, srv.URL+"/software/rules?look=add&"+rule.Encode(), "es"); !strings.Contains(body, "Renombrado &lt;b&gt;") {
		t.Error("the preview does not tell the new name")
	}
	post := func(path string, v url.Values, want int) {
		t.Helper()
		res, err := c.PostForm(srv.URL+path, v)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Fatalf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
	named := func(want int) {
		t.Helper()
		if n, err := s.CountShownTitles(t.Context(), title.Filter{Query: "renombrado"}, 10); err != nil || n != want {
			t.Fatalf("%d renamed titles, want %d, %v", n, want, err)
		}
	}
	post("/software/rules", url.Values{"name": {first.Name}}, http.StatusUnprocessableEntity)
	named(0)
	post("/software/rules", rule, http.StatusOK)
	named(1)
	post("/software/rules/undo", nil, http.StatusOK)
	named(0)
	post("/software/rules/undo", nil, http.StatusOK)
	named(1)
	post("/software/rules/1/remove", nil, http.StatusOK)
	named(0)
	post("/software/rules/1/remove", nil, http.StatusNotFound)
	list, err := s.AuditList(t.Context(), audit.Filter{Actor: "person:ana@example.com"})
	told := 0
	for _, e := range list {
		if strings.HasPrefix(e.Action, "title.rule-") {
			told++
		}
	}
	if err != nil || told != 4 {
		t.Errorf("%d entries in the audit log, want 4, %v", told, err)
	}
}
