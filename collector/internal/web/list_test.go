package web_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

var (
	rowPattern  = regexp.MustCompile(`(?s)<tr>(.*?)</tr>`)
	cellPattern = regexp.MustCompile(`(?s)<t[hd][^>]*>(.*?)</t[hd]>`)
	tagPattern  = regexp.MustCompile(`<[^>]*>`)
)

// shownRows are the texts of the rows of a page's table, without its headings.
func shownRows(body string) [][]string {
	_, table, _ := strings.Cut(body, "<tbody>")
	table, _, _ = strings.Cut(table, "</tbody>")
	var rows [][]string
	for _, m := range rowPattern.FindAllStringSubmatch(table, -1) {
		var cells []string
		for _, c := range cellPattern.FindAllStringSubmatch(m[1], -1) {
			if strings.Contains(c[1], `name="row"`) {
				continue
			}
			cells = append(cells, strings.TrimSpace(html.UnescapeString(tagPattern.ReplaceAllString(c[1], ""))))
		}
		rows = append(rows, cells)
	}
	return rows
}

// allShown follows a list to its end.
func allShown(t *testing.T, c *http.Client, base, path string) [][]string {
	t.Helper()
	var rows [][]string
	for range 50 {
		res, body := get(t, c, base+path, "es")
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", path, res.StatusCode)
		}
		sound(t, path, body)
		rows = append(rows, shownRows(body)...)
		m := regexp.MustCompile(`<a href="([^"]*)" rel="next">`).FindStringSubmatch(body)
		if m == nil {
			return rows
		}
		path = html.UnescapeString(m[1])
	}
	t.Fatalf("%s does not end", path)
	return nil
}

// file returns the rows of a list's file, without headings.
func file(t *testing.T, c *http.Client, url string) [][]string {
	t.Helper()
	res, body := get(t, c, url, "es")
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment; filename=") {
		t.Fatalf("%s: %d %q", url, res.StatusCode, res.Header.Get("Content-Disposition"))
	}
	if !strings.Contains(url, ".xlsx") {
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows[1:]
	}
	book, err := excelize.OpenReader(bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	width := len(rows[0])
	for i := range rows {
		for len(rows[i]) < width { // GetRows leaves out empty cells at the end
			rows[i] = append(rows[i], "")
		}
	}
	return rows[1:]
}

// A file holds the rows of every page of the same address, in the same order, with the
// same columns.
func TestFilesHoldWhatIsShown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seed(t, s)
		f := newFake()
		d := f.deps(t)
		d.Machines, d.Inventory, d.Findings, d.Nonconformities, d.Directory, d.Allowlist = s, s, s, s.Nonconformities(), s, s
		srv := console(t, d)
		c := client(t, srv, f, "ana@example.com")
		for _, l := range []struct{ path, query, cols string }{ // columns whose cells say the same in both; times say how long ago on the page
			{"/machines", "", "machine.state.site.area.person.os.serial.agent"},
			{"/machines", "sort=-findings&state=active", "machine.programs.findings.spooled"},
			{"/software", "", "program.version.publisher.source.machines"},
			{"/software", "q=LIBRE&sort=-version", "program.version"},
			{"/findings", "", "program.version.publisher.machine.source.user.path.nonconformity.recurrences"},
			{"/findings", "state=open&sort=program", "program.state"},
			{"/nonconformities", "sort=-person", "number.state.person.machine.area.site.programs"},
		} {
			query := l.query + "&cols=" + l.cols
			shown := allShown(t, c, srv.URL, l.path+"?"+query)
			if len(shown) == 0 || len(shown[0]) != len(strings.Split(l.cols, ".")) {
				t.Fatalf("%s?%s shows %d rows: this proves nothing", l.path, query, len(shown))
			}
			for _, format := range []string{".csv", ".xlsx"} {
				got := file(t, c, srv.URL+l.path+format+"?"+query)
				if len(got) != len(shown) {
					t.Errorf("%s%s?%s: %d rows, %d are shown", l.path, format, query, len(got), len(shown))
					continue
				}
				for i := range got {
					if !sameCells(got[i], shown[i]) {
						t.Errorf("%s%s?%s row %d:\n%q\nshown:\n%q", l.path, format, query, i, got[i], shown[i])
					}
				}
			}
		}
		if n := len(allShown(t, c, srv.URL, "/software")); n < 151 {
			t.Errorf("%d programs over all pages, want more than three pages", n)
		}
	})
}

// sameCells compares a row of a file with one of a page: nothing told is empty in files,
// numbers have no separators, states stand one after another.
func sameCells(file, shown []string) bool {
	plain := func(s string) string {
		switch s {
		case "No informado", "Sin responsable asignado", "Ninguna", "Todavía no", "nunca":
			return ""
		}
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,\n'", r) }), "")
	}
	return slices.EqualFunc(file, shown, func(a, b string) bool { return plain(a) == plain(b) })
}

func TestFilesAreNotFormulas(t *testing.T) {
	f := newFake()
	f.machines = []fleet.Machine{{ID: laptop, Hostname: `=cmd|' /C calc'!A0`, Site: "@SUM(A1)", OS: "+1", Person: "-2", State: fleet.Active}}
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	for _, format := range []string{".csv", ".xlsx"} {
		rows := file(t, c, srv.URL+"/machines"+format+"?cols=machine.site.os.person")
		if want := []string{`'=cmd|' /C calc'!A0`, "'@SUM(A1)", "'-2", "'+1"}; len(rows) != 1 || !slices.Equal(rows[0], want) {
			t.Errorf("%s: %q", format, rows)
		}
	}
}

func TestChoiceOfColumnsIsKept(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	heads := func(path string) string {
		_, body := get(t, c, srv.URL+path, "es")
		_, head, _ := strings.Cut(body, "<thead>")
		head, _, _ = strings.Cut(head, "</thead>")
		return strings.Join(strings.Fields(tagPattern.ReplaceAllString(head, " ")), " ")
	}
	usual := heads("/machines")
	if !strings.Contains(usual, "Sitio") || strings.Contains(usual, "Número de serie") {
		t.Fatalf("usual columns %q", usual)
	}
	if got := heads("/machines?cols=serial.machine"); got != "Equipo Número de serie" {
		t.Errorf("columns of the address: %q", got)
	}
	if got := heads("/machines"); got != usual {
		t.Errorf("a link changed the person's own columns: %q", got)
	}
	res, _ := get(t, c, srv.URL+"/machines?q=pc&state=active&col=machine&col=agent&col=nada", "es") // the form
	if got := res.Request.URL.RequestURI(); got != "/machines?cols=machine.agent&q=pc&state=active" {
		t.Errorf("the form leads to %q", got)
	}
	if got := heads("/machines?state=active"); got != "Equipo Versión del agente" {
		t.Errorf("columns after the choice: %q", got)
	}
	if got := heads("/findings"); !strings.Contains(got, "Programa") || strings.Contains(got, "agente") {
		t.Errorf("another list: %q", got)
	}
	get(t, c, srv.URL+"/machines?cols=default", "es")
	if got := heads("/machines"); got != usual {
		t.Errorf("columns after going back: %q", got)
	}
}

func TestHeadingsSortAndTurnRound(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	for path, want := range map[string][]string{
		"/machines":                    {`aria-sort="ascending"><a href="/machines?sort=-hostname">`, `<a href="/machines?sort=-seen">`, `<a href="/machines?sort=site">`},
		"/machines?sort=-seen&q=pc":    {`aria-sort="descending"><a href="/machines?q=pc&amp;sort=seen">`, `<a href="/machines?q=pc">Equipo`},
		"/machines?sort=site":          {`aria-sort="ascending"><a href="/machines?sort=-site">`},
		"/machines?sort=nada":          {`aria-sort="ascending"><a href="/machines?sort=-hostname">`},
		"/findings":                    {`<a href="/findings?sort=program">`},
		"/nonconformities":             {`aria-sort="descending"><a href="/nonconformities?sort=number">`},
		"/nonconformities?sort=number": {`aria-sort="ascending"><a href="/nonconformities">`},
	} {
		_, body := get(t, c, srv.URL+path, "es")
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %s", path, w)
			}
		}
	}
}

func TestFiltersAreChipsOfTheAddress(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	_, body := get(t, c, srv.URL+"/machines?state=active&site=Quer%C3%A9taro&sort=-seen&q=pc", "es")
	for _, want := range []string{
		`<a href="/machines?q=pc&amp;site=Quer%C3%A9taro&amp;sort=-seen" aria-current="true">Activo`, // takes the state away
		`aria-current="true">Sitio: Querétaro`,
		`href="/machines?q=pc&amp;state=quarantined&amp;site=Quer%C3%A9taro&amp;sort=-seen"`,
		`<input type="hidden" name="state" value="active">`, `<option value="Querétaro" selected>`,
		`href="/machines.csv?q=pc&amp;state=active&amp;site=Quer%C3%A9taro&amp;sort=-seen&amp;cols=machine.`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("lacks %s", want)
		}
	}
	_, body = get(t, c, srv.URL+"/machines?state=no-such&site=Marte", "es")
	if _, list, _ := strings.Cut(body, `id="list"`); !strings.Contains(list, "Sitio: Marte") || strings.Contains(list, "no-such") {
		t.Error("a site that is not there is a chip, a state that is none is not")
	}
}

func TestWrongPlacesAreToldAsSuch(t *testing.T) {
	srvFake := newFake()
	srv := console(t, srvFake.deps(t))
	c := client(t, srv, srvFake, "ana@example.com")
	for _, path := range []string{"/machines?after=x", "/findings?after=%00.%ff", "/software.csv?after=x", fmt.Sprint("/machines?after=", strings.Repeat("a", 9000))} {
		res, body := get(t, c, srv.URL+path, "es")
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Abra la lista de nuevo") {
			t.Errorf("%.40s: %d", path, res.StatusCode)
		}
	}
}

func TestTooLongFilesSaySo(t *testing.T) {
	f := newFake()
	f.machines = make([]fleet.Machine, 200_001)
	srv := console(t, f.deps(t))
	res, body := get(t, client(t, srv, f, "ana@example.com"), srv.URL+"/machines.csv", "es")
	if res.StatusCode != http.StatusTooManyRequests || !strings.Contains(body, "200,000") || res.Header.Get("Content-Disposition") != "" {
		t.Errorf("%d %q", res.StatusCode, res.Header)
	}
}

func TestReportsAreAskedOfTheRowsChosen(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	c := client(t, srv, f, "ana@example.com")
	post := func(c *http.Client, values url.Values) (*http.Response, string) {
		t.Helper()
		res, err := c.PostForm(srv.URL+"/machines/report", values)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(b)
	}
	res, body := post(c, url.Values{"row": {laptop, server, "no-such"}, "back": {"/machines?q=pc"}}) // the server is in quarantine
	if res.StatusCode != http.StatusOK || res.Request.URL.RequestURI() != "/machines?q=pc" || !strings.Contains(body, "Se pidió un informe a 1 equipo.") {
		t.Errorf("%d at %s", res.StatusCode, res.Request.URL)
	}
	if want := []string{laptop + " report-now"}; !slices.Equal(f.asked, want) {
		t.Errorf("asked %q, want %q", f.asked, want)
	}
	if _, body = get(t, c, srv.URL+"/machines", "es"); strings.Contains(body, "Se pidió") || !strings.Contains(body, `name="row" value="`+laptop+`"`) {
		t.Error("the notice is said twice, or rows cannot be chosen")
	}
	for _, back := range []string{"https://example.com/", "//example.com", "/machinesx", "/signout"} {
		if res, _ := post(c, url.Values{"row": {laptop}, "back": {back}}); res.Request.URL.RequestURI() != "/machines" || res.Request.URL.Host != strings.TrimPrefix(srv.URL, "https://") {
			t.Errorf("%q leads to %s", back, res.Request.URL)
		}
	}
	if res, body := post(c, nil); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "No eligió ningún renglón") {
		t.Errorf("nothing chosen: %d", res.StatusCode)
	}
	if res, _ := post(c, url.Values{"row": make([]string, 201)}); res.StatusCode != http.StatusBadRequest {
		t.Errorf("too many chosen: %d", res.StatusCode)
	}
	auditor := client(t, srv, f, "ivan@example.com")
	f.asked = nil
	if res, _ := post(auditor, url.Values{"row": {laptop}}); res.StatusCode != http.StatusForbidden || f.asked != nil {
		t.Errorf("an auditor: %d", res.StatusCode)
	}
	if _, body := get(t, auditor, srv.URL+"/machines", "es"); strings.Contains(body, `name="row"`) {
		t.Error("an auditor is offered to choose rows")
	}
}
