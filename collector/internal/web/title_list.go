package web

import (
	"context"
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/title"
)

// Titles is what pages ask about programs under the names that rules give them;
// title.Service has it.
type Titles interface {
	Title(ctx context.Context, id int64) (title.Row, error)
	Page(ctx context.Context, f title.Filter, o paging.Order) (paging.Page[title.Row], error)
	Count(ctx context.Context, f title.Filter, most int) (int, error)
	Versions(ctx context.Context, id int64, most int) ([]title.Version, error)
	Machines(ctx context.Context, id int64, o paging.Order) (paging.Page[title.Place], error)
	Rules(ctx context.Context) (title.Ruleset, error)
	PreviewAdd(ctx context.Context, r title.Rule) (title.Preview, error)
	PreviewRemove(ctx context.Context, id int64) (title.Preview, error)
	Add(ctx context.Context, r title.Rule) (title.Ruleset, error)
	Remove(ctx context.Context, id int64) (title.Ruleset, error)
	Undo(ctx context.Context) (title.Ruleset, error)
}

// titleRulesPath is where the rules of titles are.
const titleRulesPath = "/software/rules"

// titleList declares the list of titles: one line for a program in all its versions.
func (c *console) titleList() *listOf[title.Row] {
	filterOf := func(n narrowing) title.Filter { return title.Filter{Query: n.Text, Merged: n.get("merged") != ""} }
	return &listOf[title.Row]{
		name: "titles", path: "/software/titles", section: "software", title: "titles.title", about: "titles.about", search: "programs.search", count: "count.titles",
		empty: "programs.empty", emptyHelp: "machines.empty.help", order: "name", tabs: programTabs,
		columns: []column[title.Row]{
			{key: "program", heading: "program", sort: "name", show: func(p *Page, t title.Row) cell { return cell{Text: p.orNothing(t.Name), URL: titlePath(t.ID)} }},
			{key: "publisher", heading: "publisher", sort: "publisher", show: func(p *Page, t title.Row) cell { return p.textCell(t.Publisher) }},
			{key: "machines", heading: "nav.machines", sort: "machines", down: true, number: true, show: func(p *Page, t title.Row) cell { return p.countCell(t.Machines, titlePath(t.ID)) }},
			{key: "versions", heading: "title.versions", number: true, show: func(p *Page, t title.Row) cell { return p.countCell(t.Versions, "") }},
			{key: "names", heading: "title.names", number: true, off: true, show: func(p *Page, t title.Row) cell { return p.countCell(t.Names, "") }},
			{key: "seen", heading: "program.seen", sort: "seen", down: true, show: func(p *Page, t title.Row) cell { return p.sinceCell(t.FirstSeen) }},
		},
		filters: []filter{{name: "merged", label: "title.merged", quick: true, closed: true, offer: words("title.merged", "true")}},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[title.Row], error) {
			return c.Titles.Page(ctx, filterOf(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Titles.Count(ctx, filterOf(n), most)
		},
	}
}

func titlePath(id int64) string { return "/software/titles/" + strconv.FormatInt(id, 10) }

// programTabs lead from one view of the programs to another.
func programTabs(p *Page) []headLink {
	list := []headLink{{URL: "/software", Text: p.T("title.tab.versions")}, {URL: "/software/titles", Text: p.T("titles.title")}, {URL: titleRulesPath, Text: p.T("title.rules")}}
	if access.May(p.actor, access.SeeAllowlist) {
		list = append(list, headLink{URL: allowlistPath, Text: p.T("allowlist.title")})
	}
	return list
}

// titleShow shows one title: its versions and the machines that have it.
func (c *console) titleShow(w http.ResponseWriter, r *http.Request) error {
	id, err := number(r, "n", "title.unknown")
	if err != nil {
		return err
	}
	p := titlePage{Page: c.newPage(w, r, "software")}
	if p.Row, err = c.Titles.Title(r.Context(), id); err != nil {
		return err
	}
	p.Page.Title = p.orNothing(p.Row.Name)
	p.Crumbs = []headLink{{URL: "/software/titles", Text: p.T("titles.title")}}
	if p.Versions, err = c.Titles.Versions(r.Context(), id, shownVersions); err != nil {
		return err
	}
	p.More = p.Row.Versions - len(p.Versions)
	after, err := paging.Parse(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	places, err := c.Titles.Machines(r.Context(), id, paging.Order{After: after, Limit: pageSize})
	if err != nil {
		return err
	}
	p.Places, p.List = places.Rows, listing{Path: titlePath(id)}
	if !after.IsZero() {
		p.List.First = p.List.Path
	}
	if !places.Next.IsZero() {
		p.List.Next = p.List.url("after", places.Next.String())
	}
	if p.Says, err = c.titleVerdicts(r.Context(), &p.Page, id); err != nil {
		return err
	}
	return c.render(w, r, "title_show", p)
}

// shownVersions is how many versions a title's page lists.
const shownVersions = 200

type titlePage struct {
	Page
	Crumbs   []headLink
	Row      title.Row
	Versions []title.Version
	More     int // versions that are not listed
	Places   []title.Place
	List     listing
	Says     []placeLine
}

// Findings is the address of the findings about the title; "" where it has several
// reported names, since findings know those only.
func (p titlePage) Findings() string {
	if p.Row.Names != 1 || len(p.Versions) == 0 {
		return ""
	}
	return "/findings?q=" + urlValue(p.Versions[0].Name)
}
