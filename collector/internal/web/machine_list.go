package web

import (
	"context"
	"net/http"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/web/form"
)

// maxScan bounds how many machines one page of a scanned filter looks at.
const maxScan = 20_000

type machineListPage struct {
	Page
	List listing
	Rows []machineRow
}

type machineRow struct {
	fleet.Machine
	Silent bool
}

// machineList shows the machines, by search, state, site and silence.
func (c *console) machineList(w http.ResponseWriter, r *http.Request) error {
	p := machineListPage{Page: c.newPage(w, r, "machines")}
	p.Title = p.T("nav.machines")
	state := form.OneOf(r, "state", string(fleet.Active), string(fleet.Quarantined), string(fleet.Revoked), string(fleet.Archived))
	site, seen, after := form.Text(r, "site"), form.OneOf(r, "seen", "silent"), form.Text(r, "after")
	p.List = listing{Path: "/machines", Query: form.Text(r, "q"), Filters: []string{"state", state, "site", site, "seen", seen}}
	p.List.Filtered = p.List.Query+state+site+seen != ""
	f := fleet.MachineFilter{Query: p.List.Query, Site: site, State: fleet.State(state), After: after, Limit: pageSize + 1}
	rows, next, err := c.someMachines(r.Context(), f, seen == "silent", p.Now.Add(-silentAfter))
	if err != nil {
		return err
	}
	for _, m := range rows {
		p.Rows = append(p.Rows, machineRow{m, silent(m, p.Now.Add(-silentAfter))})
	}
	if next != "" {
		p.List.Next = p.List.url("after", next)
	}
	if after != "" {
		p.List.First = p.List.url()
	}
	if err := c.machineChips(r.Context(), &p, state, site, seen); err != nil {
		return err
	}
	return c.render(w, r, "machine_list", p)
}

// someMachines returns one page and the cursor of the next. Silence is looked for by
// reading on until the page is full.
func (c *console) someMachines(ctx context.Context, f fleet.MachineFilter, onlySilent bool, since time.Time) ([]fleet.Machine, string, error) {
	if !onlySilent {
		rows, err := c.Machines.Machines(ctx, f)
		if rows, ok := more(rows); ok {
			return rows, rows[len(rows)-1].ID, err
		}
		return rows, "", err
	}
	f.Limit = 1000
	var found []fleet.Machine
	for range maxScan / f.Limit {
		rows, err := c.Machines.Machines(ctx, f)
		if err != nil {
			return nil, "", err
		}
		for _, m := range rows {
			f.After = m.ID
			if silent(m, since) {
				found = append(found, m)
			}
			if len(found) == pageSize {
				return found, f.After, nil
			}
		}
		if len(rows) < f.Limit {
			return found, "", nil
		}
	}
	return found, f.After, nil
}

func (c *console) machineChips(ctx context.Context, p *machineListPage, state, site, seen string) error {
	toggle := func(name, value, current, text string) {
		url := p.List.with(name, value)
		if value == current {
			url = p.List.with(name, "")
		}
		p.List.Chips = append(p.List.Chips, chip{Text: text, URL: url, Current: value == current})
	}
	for _, s := range []fleet.State{fleet.Active, fleet.Quarantined, fleet.Revoked, fleet.Archived} {
		toggle("state", string(s), state, p.Word("machine.state", string(s)))
	}
	toggle("seen", "silent", seen, p.T("machines.silent"))
	sites, err := c.Directory.Sites(ctx)
	if err != nil {
		return err
	}
	known := site == ""
	for _, s := range sites {
		if len(p.List.Chips) < 20 || s.Name == site {
			toggle("site", s.Name, site, s.Name)
		}
		known = known || s.Name == site
	}
	if !known {
		toggle("site", site, site, site)
	}
	return nil
}
