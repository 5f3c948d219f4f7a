package web

import (
	"context"
	"strings"

	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/paging"
)

// nonconformityList declares the list of records, newest first.
func (c *console) nonconformityList() *listOf[nonconformity.Nonconformity] {
	filterOf := func(n narrowing) nonconformity.Filter {
		f := nonconformity.Filter{Query: n.Text, State: nonconformity.State(n.get("state")), Awaited: n.get("awaited"), Machine: n.get("machine"), Person: n.get("person"), Area: n.get("area"), Site: n.get("site")}
		if f.State == "live" {
			f.State, f.Live = "", true
		}
		if n.get("due") == "overdue" {
			f.Overdue = c.Now()
		}
		return f
	}
	return &listOf[nonconformity.Nonconformity]{
		name: "nonconformities", path: "/nonconformities", section: "nonconformities", title: "nav.nonconformities", about: "ncs.about", search: "ncs.search", count: "list.nonconformities",
		links: recordLinks, empty: "ncs.empty", emptyHelp: "ncs.empty.help", order: "-number", columns: nonconformityColumns(),
		filters: []filter{
			{name: "state", label: "state", quick: true, closed: true, offer: words("nc.state", recordStates()...)},
			{name: "due", label: "nc.due", quick: true, closed: true, offer: words("nc.due", "overdue")},
			{name: "awaited", label: "nc.awaited", closed: true, offer: words("party", nonconformity.PartUser, nonconformity.PartManager, nonconformity.PartHR, nonconformity.PartIT)},
			{name: "site", label: "machine.site", offer: c.siteChoices},
			{name: "area", label: "machine.area", offer: c.areaChoices},
			{name: "person", label: "nc.person"},
			{name: "machine", label: "machine", say: c.machineName},
		},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[nonconformity.Nonconformity], error) {
			return c.Nonconformities.Page(ctx, filterOf(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Nonconformities.Count(ctx, filterOf(n), most)
		},
	}
}

// recordLinks lead to the analysis and the register.
func recordLinks(p *Page) []headLink {
	return []headLink{{URL: "/nonconformities/analysis", Text: p.T("analysis.title"), Icon: "info-circle"}}
}

// recordStates are those that a list can be narrowed to.
func recordStates() []string {
	list := []string{"live"}
	for _, s := range nonconformity.States() {
		list = append(list, string(s))
	}
	return list
}

func nonconformityColumns() []column[nonconformity.Nonconformity] {
	type record = nonconformity.Nonconformity
	return []column[record]{
		{key: "number", heading: "nc.number", sort: "number", down: true, show: func(p *Page, n record) cell {
			return cell{Text: n.Number, URL: "/nonconformities/" + n.Number}
		}},
		{key: "state", heading: "state", sort: "state", show: func(p *Page, n record) cell { return p.tagCell("nc.state", n.State) }},
		{key: "person", heading: "nc.person", sort: "person", show: func(p *Page, n record) cell {
			switch {
			case n.PersonName != "":
				return cell{Text: n.PersonName}
			case n.Person != "":
				return cell{Text: n.Person}
			}
			return cell{Text: p.T("machine.nobody"), Quiet: true}
		}},
		{key: "machine", heading: "machine", sort: "machine", show: func(p *Page, n record) cell {
			c := p.textCell(n.Hostname)
			if may, err := p.MayOf("see-machines", n.Person); err == nil && may {
				c.URL = "/machines/" + n.Machine
			}
			return c
		}},
		{key: "area", heading: "machine.area", sort: "area", show: func(p *Page, n record) cell { return p.textCell(n.Area) }},
		{key: "site", heading: "machine.site", sort: "site", off: true, show: func(p *Page, n record) cell { return p.textCell(n.Site) }},
		{key: "programs", heading: "nc.programs", show: recordPrograms},
		{key: "severity", heading: "severity", sort: "severity", off: true, show: func(p *Page, n record) cell { return p.tagCell("severity", n.Severity) }},
		{key: "awaited", heading: "nc.awaited", sort: "awaited", show: func(p *Page, n record) cell {
			if n.Awaited == "" {
				return cell{}
			}
			return p.textCell(p.Word("party", n.Awaited))
		}},
		{key: "due", heading: "nc.due", sort: "due", show: func(p *Page, n record) cell {
			c := p.dateCell(n.DueAt)
			if !n.DueAt.IsZero() && n.DueAt.Before(p.Now) {
				c.Tags = []tag{p.Tag("nc.due", "overdue")}
			}
			return c
		}},
		{key: "opened", heading: "nc.opened", sort: "opened", down: true, show: func(p *Page, n record) cell { return p.sinceCell(n.OpenedAt) }},
		{key: "contained", heading: "nc.contained", sort: "contained", down: true, off: true, show: func(p *Page, n record) cell { return p.dateCell(n.ContainedAt) }},
		{key: "recurrences", heading: "finding.recurrences", sort: "recurrences", down: true, off: true, number: true, show: func(p *Page, n record) cell { return p.countCell(n.Recurrences, "") }},
	}
}

// recordPrograms names the first three programs of a record.
func recordPrograms(p *Page, n nonconformity.Nonconformity) cell {
	var names []string
	for i, program := range n.Programs {
		if i == 3 {
			break
		}
		names = append(names, program.Name)
	}
	c := p.textCell(strings.Join(names, ", "))
	if rest := len(n.Programs) - len(names); rest > 0 {
		c.Text += " " + p.N("nc.more-programs", rest)
	}
	return c
}
