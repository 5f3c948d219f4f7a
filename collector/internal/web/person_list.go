package web

import (
	"context"
	"strconv"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
)

// personList declares the list of people.
func (c *console) personList() *listOf[org.PersonRow] {
	return &listOf[org.PersonRow]{
		name: "people", path: "/people", section: "administration", title: "people.title", about: "people.about", search: "people.search", count: "people.count",
		empty: "people.empty", emptyHelp: "people.empty.help", order: "name", columns: c.personColumns(), filters: c.personFilters(),
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[org.PersonRow], error) {
			return c.People.PersonPage(ctx, personFilter(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.People.CountPeople(ctx, personFilter(n), most)
		},
		key: func(p org.PersonRow) string { return strconv.FormatInt(p.ID, 10) }, label: func(p org.PersonRow) string { return p.Name },
		tabs: directoryTabs, done: "org.done", links: newLinks("/people/new", "person.new"),
	}
}

func personFilter(n narrowing) org.PersonFilter {
	return org.PersonFilter{Query: n.Text, Area: n.get("area"), Site: n.get("site"), Role: actor.Role(n.get("role")),
		Active: n.get("active") == "true", Inactive: n.get("active") == "false"}
}

func (c *console) personFilters() []filter {
	return []filter{
		{name: "active", label: "state", quick: true, closed: true, offer: words("person.active", "true", "false")},
		{name: "role", label: "person.role", closed: true, offer: func(_ context.Context, p *Page) ([]choice, error) { return roleChoices(p), nil }},
		{name: "area", label: "machine.area", offer: c.areaChoices},
		{name: "site", label: "machine.site", offer: c.siteChoices},
	}
}

func (c *console) personColumns() []column[org.PersonRow] {
	return []column[org.PersonRow]{
		{key: "name", heading: "person.name", sort: "name", show: func(p *Page, x org.PersonRow) cell {
			return cell{Text: x.Name, URL: "/people/" + strconv.FormatInt(x.ID, 10)}
		}},
		{key: "email", heading: "person.email", sort: "email", show: func(p *Page, x org.PersonRow) cell { return p.textCell(x.Email) }},
		{key: "role", heading: "person.role", sort: "role", show: func(p *Page, x org.PersonRow) cell { return cell{Text: p.Word("role", string(x.Role))} }},
		{key: "area", heading: "machine.area", sort: "area", show: func(p *Page, x org.PersonRow) cell { return p.textCell(x.Area) }},
		{key: "site", heading: "machine.site", sort: "site", show: func(p *Page, x org.PersonRow) cell { return p.textCell(x.Site) }},
		{key: "machine", heading: "person.machine", sort: "machine", show: func(p *Page, x org.PersonRow) cell { return p.textCell(x.PrimaryMachine) }},
		{key: "machines", heading: "nav.machines", sort: "machines", down: true, number: true, off: true, show: func(p *Page, x org.PersonRow) cell {
			return p.countCell(x.Machines, "/machines?person="+urlValue(x.Email))
		}},
		{key: "active", heading: "state", sort: "active", show: func(p *Page, x org.PersonRow) cell { return p.tagCell("person.active", x.Active) }},
	}
}
