package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"vigia/collector/internal/web/form"
)

// allColumns in the address takes a choice of columns back.
const allColumns = "default"

// columnChoice is a column as a box of the form of columns.
type columnChoice struct {
	Key, Text string
	Shown     bool
	Fixed     bool // the first column names the row: always shown
}

func columnKeys[T any](columns []column[T]) []string {
	keys := make([]string, len(columns))
	for i, c := range columns {
		keys[i] = c.key
	}
	return keys
}

// columnsCookie keeps a person's choice for one list. It says nothing else.
func columnsCookie(list string) string { return "vigia-columns-" + list }

// chosen returns the columns of a request, and them as the address has them: those in
// the address, else those that the person chose earlier, else the list's own.
func (l *listOf[T]) chosen(r *http.Request) (string, []column[T]) {
	if columns := l.named(r.URL.Query().Get("cols")); len(columns) > 0 {
		return strings.Join(columnKeys(columns), "."), columns
	}
	if k, err := r.Cookie(columnsCookie(l.name)); err == nil {
		if columns := l.named(k.Value); len(columns) > 0 {
			return "", columns
		}
	}
	return "", slices.DeleteFunc(slices.Clone(l.columns), func(c column[T]) bool { return c.off })
}

// named returns the list's columns whose keys stand in s, in the list's order, the
// first always; none when s names none.
func (l *listOf[T]) named(s string) []column[T] {
	keys := strings.Split(s, ".")
	columns := slices.DeleteFunc(slices.Clone(l.columns), func(c column[T]) bool { return !slices.Contains(keys, c.key) })
	if len(columns) > 0 && columns[0].key != l.columns[0].key {
		columns = slices.Insert(columns, 0, l.columns[0])
	}
	return columns
}

// chooseColumns answers the form of columns: it keeps the choice for a year and goes on
// to the list. It reports whether it has answered.
func (c *console) chooseColumns(w http.ResponseWriter, r *http.Request, name, path string, known []string) bool {
	q := r.URL.Query()
	picked := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !slices.Contains(q["col"], k) })
	reset := q.Get("cols") == allColumns
	if len(picked) == 0 && !reset {
		return false
	}
	cookie := &http.Cookie{Name: columnsCookie(name), Value: strings.Join(picked, "."), Path: "/", MaxAge: 365 * 24 * 3600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if reset {
		cookie.Value, cookie.MaxAge = "", -1
	}
	http.SetCookie(w, cookie)
	kept := url.Values{}
	for k, v := range q {
		if k != "col" && k != "cols" && len(v) > 0 && v[0] != "" {
			kept.Set(k, v[0])
		}
	}
	if !reset {
		kept.Set("cols", cookie.Value)
	}
	to := path
	if len(kept) > 0 {
		to += "?" + kept.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return true
}

// columnsMenu offers the columns.
func (v *listView[T]) columnsMenu(page *listPage) {
	shown := columnKeys(v.columns)
	own := true
	for i, col := range v.list.columns {
		is := slices.Contains(shown, col.key)
		own = own && is == !col.off
		page.Columns = append(page.Columns, columnChoice{Key: col.key, Text: v.p.T(col.heading), Shown: is, Fixed: i == 0})
	}
	if !own {
		page.Reset = form.Link(page.List.Path, append([]string{"q", page.List.Query}, append(without(page.List.Filters, "cols"), "cols", allColumns)...)...)
	}
}

// without returns pairs of name and value but those of name.
func without(pairs []string, name string) []string {
	var list []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != name {
			list = append(list, pairs[i], pairs[i+1])
		}
	}
	return list
}

// Carried returns what the form of columns must carry on: everything but columns.
func (page *listPage) Carried() [][2]string {
	list := [][2]string{{"q", page.List.Query}}
	for _, pair := range page.List.Hidden() {
		if pair[0] != "cols" {
			list = append(list, pair)
		}
	}
	return list
}
