package web

import (
	"context"
	"strconv"

	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
)

// siteList declares the list of sites, which are few: one page has them all.
func (c *console) siteList() *listOf[org.SiteRow] {
	return &listOf[org.SiteRow]{
		name: "sites", path: "/sites", section: "administration", title: "sites.title", about: "sites.about", search: "sites.search", count: "sites.count",
		empty: "sites.empty", emptyHelp: "sites.empty.help", order: "name", filters: []filter{{name: "active", label: "state", quick: true, closed: true, offer: words("org.active", "true", "false")}},
		columns: []column[org.SiteRow]{
			{key: "name", heading: "site.name", show: func(p *Page, x org.SiteRow) cell { return cell{Text: x.Name, URL: sitePath(x)} }},
			{key: "kind", heading: "site.kind", show: func(p *Page, x org.SiteRow) cell { return cell{Text: p.siteKind(x.Remote)} }},
			{key: "zone", heading: "site.zone", show: func(p *Page, x org.SiteRow) cell { return p.zoneCell(x.Zone) }},
			{key: "people", heading: "people.title", number: true, show: func(p *Page, x org.SiteRow) cell {
				return p.countCell(x.People, "/people?active=true&site="+urlValue(x.Name))
			}},
			{key: "machines", heading: "nav.machines", number: true, show: func(p *Page, x org.SiteRow) cell {
				return p.countCell(x.Machines, "/machines?site="+urlValue(x.Name))
			}},
			{key: "active", heading: "state", show: func(p *Page, x org.SiteRow) cell { return p.tagCell("org.active", !x.Inactive) }},
		},
		page: func(ctx context.Context, n narrowing, _ paging.Order) (paging.Page[org.SiteRow], error) {
			rows, err := c.People.SiteRows(ctx)
			return onePage(rows, n, func(x org.SiteRow) (string, bool) { return x.Name + " " + x.Zone, !x.Inactive }), err
		},
		total: func(ctx context.Context, _ narrowing, _ int) (int, error) {
			rows, err := c.People.SiteRows(ctx)
			return len(rows), err
		},
		key: func(x org.SiteRow) string { return strconv.FormatInt(x.ID, 10) }, label: func(x org.SiteRow) string { return x.Name },
		tabs: directoryTabs, done: "org.done", links: newLinks("/sites/new", "site.new"),
	}
}

// sitesInUse offers the sites that are not out of use.
func (c *console) sitesInUse(ctx context.Context, _ *Page) ([]choice, error) {
	sites, err := c.Directory.Sites(ctx)
	var list []choice
	for _, s := range sites {
		if !s.Inactive {
			list = append(list, choice{s.Name, s.Name})
		}
	}
	return list, err
}

func sitePath(x org.SiteRow) string { return "/sites/" + strconv.FormatInt(x.ID, 10) }

func (p Page) siteKind(remote bool) string {
	if remote {
		return p.T("site.remote")
	}
	return p.T("site.office")
}

func (p *Page) zoneCell(zone string) cell {
	if zone == "" {
		return cell{Text: p.T("site.company-zone"), Quiet: true}
	}
	return cell{Text: zone}
}
