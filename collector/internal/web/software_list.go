package web

import (
	"net/http"
	"strconv"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/web/form"
)

type softwareListPage struct {
	Page
	List listing
	Rows []fleet.TitleRow
}

// softwareList shows every program of the company, with on how many machines it is.
func (c *console) softwareList(w http.ResponseWriter, r *http.Request) error {
	p := softwareListPage{Page: c.newPage(w, r, "software")}
	p.Title = p.T("nav.software")
	source, after := form.Text(r, "source"), form.Number(r, "after", 1<<40)
	p.List = listing{Path: "/software", Query: form.Text(r, "q"), Filters: []string{"source", source}}
	p.List.Filtered = p.List.Query+source != ""
	rows, err := c.Inventory.Titles(r.Context(), fleet.TitleFilter{Query: p.List.Query, Source: source, After: after, Limit: pageSize + 1})
	if err != nil {
		return err
	}
	rows, next := more(rows)
	p.Rows = rows
	if next {
		p.List.Next = p.List.url("after", strconv.FormatInt(after+int64(len(rows)), 10))
	}
	if after > 0 {
		p.List.First = p.List.url()
	}
	known := source == ""
	for _, s := range []string{"deb", "snap", "flatpak", "file"} {
		known = known || s == source
		p.List.Chips = append(p.List.Chips, p.sourceChip(s, source))
	}
	if !known {
		p.List.Chips = append(p.List.Chips, p.sourceChip(source, source))
	}
	return c.render(w, r, "software_list", p)
}

func (p *softwareListPage) sourceChip(source, current string) chip {
	ch := chip{Text: p.Name("source", source), URL: p.List.with("source", source), Current: source == current}
	if ch.Current {
		ch.URL = p.List.with("source", "")
	}
	return ch
}
