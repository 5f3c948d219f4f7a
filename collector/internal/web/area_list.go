package web

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

// areaList declares the list of areas, which are few: one page has them all.
func (c *console) areaList() *listOf[org.AreaRow] {
	return &listOf[org.AreaRow]{
		name: "areas", path: "/areas", section: "administration", title: "areas.title", about: "areas.about", search: "areas.search", count: "areas.count",
		empty: "areas.empty", emptyHelp: "areas.empty.help", order: "name", filters: []filter{{name: "active", label: "state", quick: true, closed: true, offer: words("org.active", "true", "false")}},
		columns: []column[org.AreaRow]{
			{key: "name", heading: "area.name", show: func(p *Page, x org.AreaRow) cell {
				return cell{Text: x.Name, URL: areaPath(x)}
			}},
			{key: "manager", heading: "area.manager", show: func(p *Page, x org.AreaRow) cell {
				if x.Manager == "" {
					return cell{Text: p.T("area.nobody"), Quiet: true}
				}
				if x.ManagerName == "" {
					return cell{Text: x.Manager}
				}
				return cell{Text: x.ManagerName, Sub: x.Manager}
			}},
			{key: "people", heading: "people.title", number: true, show: func(p *Page, x org.AreaRow) cell {
				return p.countCell(x.People, "/people?active=true&area="+urlValue(x.Name))
			}},
			{key: "machines", heading: "nav.machines", number: true, show: func(p *Page, x org.AreaRow) cell {
				return p.countCell(x.Machines, "/machines?area="+urlValue(x.Name))
			}},
			{key: "active", heading: "state", show: func(p *Page, x org.AreaRow) cell { return p.tagCell("org.active", !x.Inactive) }},
		},
		page: func(ctx context.Context, n narrowing, _ paging.Order) (paging.Page[org.AreaRow], error) {
			rows, err := c.People.AreaRows(ctx)
			return onePage(rows, n, func(x org.AreaRow) (string, bool) { return x.Name + " " + x.ManagerName + " " + x.Manager, !x.Inactive }), err
		},
		total: func(ctx context.Context, _ narrowing, _ int) (int, error) {
			rows, err := c.People.AreaRows(ctx)
			return len(rows), err
		},
		key: func(x org.AreaRow) string { return strconv.FormatInt(x.ID, 10) }, label: func(x org.AreaRow) string { return x.Name },
		tabs: directoryTabs, done: "org.done", links: newLinks("/areas/new", "area.new"),
	}
}

func areaPath(x org.AreaRow) string { return "/areas/" + strconv.FormatInt(x.ID, 10) }

// onePage narrows rows by search and state; text is what a row is searched by.
func onePage[T any](rows []T, n narrowing, text func(T) (string, bool)) paging.Page[T] {
	var page paging.Page[T]
	for _, x := range rows {
		s, active := text(x)
		if want := n.get("active"); want != "" && want != strconv.FormatBool(active) {
			continue
		}
		if strings.Contains(policy.Fold(s), policy.Fold(n.Text)) {
			page.Rows = append(page.Rows, x)
		}
	}
	return page
}

// areasInUse offers the areas that are not out of use.
func (c *console) areasInUse(ctx context.Context, _ *Page) ([]choice, error) {
	areas, err := c.Directory.Areas(ctx)
	var list []choice
	for _, a := range areas {
		if !a.Inactive {
			list = append(list, choice{a.Name, a.Name})
		}
	}
	return list, err
}

func urlValue(s string) string { return url.QueryEscape(s) }
