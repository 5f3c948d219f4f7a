package web

import (
	"net/http"
	"strconv"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/web/form"
)

type findingListPage struct {
	Page
	List     listing
	Rows     []authorization.Finding
	Mode     authorization.Mode
	Hostname string // of the machine that the list is narrowed to
}

// findingList shows the findings, newest first.
func (c *console) findingList(w http.ResponseWriter, r *http.Request) error {
	p := findingListPage{Page: c.newPage(w, r, "findings")}
	p.Title = p.T("nav.findings")
	state := form.OneOf(r, "state", string(authorization.Open), string(authorization.Gone), string(authorization.Authorized))
	machine, after := form.Text(r, "machine"), form.Number(r, "after", 1<<60)
	p.List = listing{Path: "/findings", Query: form.Text(r, "q"), Filters: []string{"state", state, "machine", machine}}
	p.List.Filtered = p.List.Query+state+machine != ""
	rows, err := c.Findings.Findings(r.Context(), authorization.FindingFilter{
		Query: p.List.Query, Machine: machine, State: authorization.FindingState(state), After: after, Limit: pageSize + 1,
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
	if err := c.findingChips(r, &p, state, machine); err != nil {
		return err
	}
	list, err := c.Allowlist.CurrentAllowlist(r.Context())
	if err != nil {
		return err
	}
	p.Mode = list.Mode
	return c.render(w, r, "finding_list", p)
}

func (c *console) findingChips(r *http.Request, p *findingListPage, state, machine string) error {
	for _, s := range []authorization.FindingState{authorization.Open, authorization.Gone, authorization.Authorized} {
		ch := chip{Text: p.Word("finding.state", string(s)), URL: p.List.with("state", string(s)), Current: string(s) == state}
		if ch.Current {
			ch.URL = p.List.with("state", "")
		}
		p.List.Chips = append(p.List.Chips, ch)
	}
	if machine == "" {
		return nil
	}
	m, err := c.Machines.Machine(r.Context(), machine)
	if apperr.Is(err, apperr.NotFound) {
		return apperr.Wrap(err, apperr.NotFound, "web.no-machine", nil)
	} else if err != nil {
		return err
	}
	p.Hostname = m.Hostname
	p.List.Chips = append(p.List.Chips, chip{Text: m.Hostname, URL: p.List.with("machine", ""), Current: true})
	return nil
}
