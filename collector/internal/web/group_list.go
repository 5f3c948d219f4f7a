package web

import (
	"context"
	"net/url"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

// groupList declares the list of groups of machines, which are few: one page has all.
func (c *console) groupList() *listOf[fleet.GroupRow] {
	return &listOf[fleet.GroupRow]{
		name: "groups", path: "/groups", section: "machines", title: "groups.title", about: "groups.about", search: "groups.search", count: "groups.count",
		empty: "groups.empty", emptyHelp: "groups.empty.help", order: "name", done: "group.done",
		filters: []filter{{name: "kind", label: "group.kind", quick: true, closed: true, offer: words("group.by", "rule", "hand")}},
		columns: []column[fleet.GroupRow]{
			{key: "name", heading: "group.name", show: func(p *Page, g fleet.GroupRow) cell { return cell{Text: g.Name, URL: groupPath(g.Name)} }},
			{key: "kind", heading: "group.kind", show: func(p *Page, g fleet.GroupRow) cell { return cell{Text: p.Word("group.by", groupKind(&g.Group))} }},
			{key: "rule", heading: "group.rule", show: func(p *Page, g fleet.GroupRow) cell {
				if !g.ByRule() {
					return cell{Text: p.T("group.no-rule"), Quiet: true}
				}
				return cell{Text: p.ruleText(&g.Rule)}
			}},
			{key: "machines", heading: "nav.machines", number: true, show: func(p *Page, g fleet.GroupRow) cell {
				return p.countCell(g.Machines, "/machines?group="+url.QueryEscape(g.Name))
			}},
			{key: "about", heading: "group.about", show: func(p *Page, g fleet.GroupRow) cell {
				if g.About == "" {
					return cell{Text: p.T("org.none"), Quiet: true}
				}
				return cell{Text: g.About}
			}},
			{key: "changed", heading: "group.changed", off: true, show: func(p *Page, g fleet.GroupRow) cell { return p.dateCell(g.ChangedAt) }},
		},
		page: func(ctx context.Context, n narrowing, _ paging.Order) (paging.Page[fleet.GroupRow], error) {
			rows, err := c.Groups.GroupRows(ctx)
			var page paging.Page[fleet.GroupRow]
			for _, g := range rows {
				if kind := n.get("kind"); (kind == "" || kind == groupKind(&g.Group)) && strings.Contains(policy.Fold(g.Name+" "+g.About), policy.Fold(n.Text)) {
					page.Rows = append(page.Rows, g)
				}
			}
			return page, err
		},
		total: func(ctx context.Context, _ narrowing, _ int) (int, error) {
			rows, err := c.Groups.GroupRows(ctx)
			return len(rows), err
		},
		key: func(g fleet.GroupRow) string { return g.Name }, label: func(g fleet.GroupRow) string { return g.Name },
		tabs: machineTabs,
		links: func(p *Page) []headLink {
			if !access.May(p.actor, access.ChangeMachines) {
				return nil
			}
			return []headLink{{URL: "/groups/new", Text: p.T("group.new"), Icon: "plus"}}
		},
	}
}

func groupPath(name string) string { return "/groups/of/" + url.PathEscape(name) }

func groupKind(g *fleet.Group) string {
	if g.ByRule() {
		return "rule"
	}
	return "hand"
}

// ruleText says a rule in one sentence: what machines must be.
func (p *Page) ruleText(r *fleet.Rule) string {
	var parts []string
	for _, f := range ruleFields(r) {
		if len(*f.values) > 0 {
			parts = append(parts, p.T("group.says", "Field", p.T(f.label), "Values", strings.Join(*f.values, " "+p.T("group.or")+" ")))
		}
	}
	return strings.Join(parts, "; ")
}

// ruleField is one field of a rule.
type ruleField struct {
	name, label string
	pattern     bool
	values      *[]string
}

// ruleFields are those of r, in the order in which they are shown.
func ruleFields(r *fleet.Rule) []ruleField {
	return []ruleField{
		{"sites", "machine.site", false, &r.Sites}, {"areas", "machine.area", false, &r.Areas}, {"os", "machine.os", true, &r.OS},
		{"models", "hw.model", true, &r.Models}, {"hostnames", "machine", true, &r.Hostnames}, {"tags", "machine.tag-one", false, &r.Tags},
	}
}
