package web

import (
	"context"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

// softwareList declares the list of every program of the company, with on how many
// machines it is.
func (c *console) softwareList() *listOf[fleet.TitleRow] {
	filterOf := func(n narrowing) fleet.TitleFilter {
		return fleet.TitleFilter{Query: n.Text, Source: n.get("source")}
	}
	return &listOf[fleet.TitleRow]{
		name: "software", path: "/software", section: "software", title: "nav.software", about: "software.about", search: "programs.search", count: "count.programs",
		empty: "programs.empty", emptyHelp: "machines.empty.help", order: "name", tabs: programTabs,
		columns: []column[fleet.TitleRow]{
			{key: "program", heading: "program", sort: "name", show: func(p *Page, t fleet.TitleRow) cell { return p.textCell(t.Name) }},
			{key: "version", heading: "version", sort: "version", show: func(p *Page, t fleet.TitleRow) cell { return p.textCell(t.Version) }},
			{key: "publisher", heading: "publisher", sort: "publisher", show: func(p *Page, t fleet.TitleRow) cell { return p.textCell(t.Publisher) }},
			{key: "source", heading: "source", sort: "source", show: func(p *Page, t fleet.TitleRow) cell { return cell{Text: p.Name("source", t.Source)} }},
			{key: "machines", heading: "nav.machines", sort: "installs", down: true, number: true, show: func(p *Page, t fleet.TitleRow) cell { return p.countCell(t.Installs, "") }},
			{key: "seen", heading: "program.seen", sort: "seen", down: true, show: func(p *Page, t fleet.TitleRow) cell { return p.sinceCell(t.FirstSeen) }},
		},
		filters: []filter{{name: "source", label: "source", quick: true, offer: names("source", programSources()...),
			say: func(_ context.Context, p *Page, v string) (string, error) { return p.Name("source", v), nil }}},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[fleet.TitleRow], error) {
			return c.Inventory.TitlePage(ctx, filterOf(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Inventory.CountTitles(ctx, filterOf(n), most)
		},
	}
}

// names offers values of an open group, in words where there are any.
func names(group string, values ...string) func(context.Context, *Page) ([]choice, error) {
	return func(_ context.Context, p *Page) ([]choice, error) {
		var list []choice
		for _, v := range values {
			list = append(list, choice{v, p.Name(group, v)})
		}
		return list, nil
	}
}

// programSources are where programs come from, as filters offer them.
func programSources() []string {
	return []string{"registry", "appx", "deb", "rpm", "snap", "flatpak", "file"}
}
