package web

import (
	"net/http"
	"strconv"

	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/web/form"
)

type nonconformityListPage struct {
	Page
	List listing
	Rows []nonconformity.Nonconformity
}

// nonconformityList shows the records, newest first.
func (c *console) nonconformityList(w http.ResponseWriter, r *http.Request) error {
	p := nonconformityListPage{Page: c.newPage(w, r, "nonconformities")}
	p.Title = p.T("nav.nonconformities")
	state, after := form.OneOf(r, "state", string(nonconformity.Open), string(nonconformity.Contained)), form.Number(r, "after", 1<<60)
	p.List = listing{Path: "/nonconformities", Query: form.Text(r, "q"), Filters: []string{"state", state}}
	p.List.Filtered = p.List.Query+state != ""
	rows, err := c.Nonconformities.List(r.Context(), nonconformity.Filter{
		Query: p.List.Query, State: nonconformity.State(state), After: after, Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	rows, next := more(rows)
	p.Rows = rows
	if next {
		p.List.Next = p.List.url("after", strconv.FormatInt(rows[len(rows)-1].Row, 10))
	}
	if after > 0 {
		p.List.First = p.List.url()
	}
	for _, s := range []nonconformity.State{nonconformity.Open, nonconformity.Contained} {
		ch := chip{Text: p.Word("nc.state", string(s)), URL: p.List.with("state", string(s)), Current: string(s) == state}
		if ch.Current {
			ch.URL = p.List.with("state", "")
		}
		p.List.Chips = append(p.List.Chips, ch)
	}
	return c.render(w, r, "nonconformity_list", p)
}
