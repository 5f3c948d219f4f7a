package web

import (
	"context"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

// tokenList declares the list of enrollment tokens, newest first.
func (c *console) tokenList() *listOf[fleet.Token] {
	var states []string
	for _, s := range fleet.TokenStates() {
		states = append(states, string(s))
	}
	trusted := c.Agents.Trusted()
	return &listOf[fleet.Token]{
		name: "tokens", path: "/tokens", section: "administration", title: "admin.tokens", about: "admin.tokens.about", search: "tokens.search", count: "tokens.count",
		empty: "tokens.empty", emptyHelp: "tokens.empty.help", order: "-made", links: tokenLinks,
		filters: []filter{
			{name: "state", label: "state", quick: true, closed: true, offer: words("token.state", states...)},
			{name: "site", label: "machine.site", offer: c.siteChoices},
		},
		columns: []column[fleet.Token]{
			{key: "token", heading: "token.one", sort: "made", down: true, show: func(p *Page, t fleet.Token) cell {
				return cell{Text: t.ID, URL: "/tokens/" + t.ID, Sub: t.Note}
			}},
			{key: "state", heading: "state", show: func(p *Page, t fleet.Token) cell {
				return p.tagCell("token.state", t.StateAt(p.Now, trusted))
			}},
			{key: "site", heading: "machine.site", show: func(p *Page, t fleet.Token) cell { return p.textCell(t.Site) }},
			{key: "area", heading: "machine.area", show: func(p *Page, t fleet.Token) cell { return p.textCell(t.Area) }},
			{key: "left", heading: "token.left", sort: "left", down: true, number: true, show: func(p *Page, t fleet.Token) cell { return p.countCell(t.UsesLeft, "") }},
			{key: "uses", heading: "token.uses", number: true, off: true, show: func(p *Page, t fleet.Token) cell { return p.countCell(t.Uses, "") }},
			{key: "expires", heading: "token.expires", sort: "expires", down: true, show: func(p *Page, t fleet.Token) cell { return p.dateCell(t.ExpiresAt) }},
			{key: "serials", heading: "token.serials", off: true, show: func(p *Page, t fleet.Token) cell {
				if len(t.Serials) == 0 {
					return cell{Text: p.T("token.any-serial"), Quiet: true}
				}
				return cell{Text: strings.Join(t.Serials, ", ")}
			}},
			{key: "by", heading: "token.by", show: func(p *Page, t fleet.Token) cell { return cell{Text: p.Actor(t.CreatedBy)} }},
			{key: "made", heading: "token.made", show: func(p *Page, t fleet.Token) cell { return p.sinceCell(t.CreatedAt) }},
		},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[fleet.Token], error) {
			return c.Agents.TokenPage(ctx, tokenFilter(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Agents.CountTokens(ctx, tokenFilter(n), most)
		},
		key: func(t fleet.Token) string { return t.ID }, label: func(t fleet.Token) string { return t.ID },
	}
}

func tokenFilter(n narrowing) fleet.TokenFilter {
	return fleet.TokenFilter{Query: n.Text, State: fleet.TokenState(n.get("state")), Site: n.get("site")}
}

func tokenLinks(p *Page) []headLink {
	if !access.May(p.actor, access.ChangeMachines) {
		return nil
	}
	return []headLink{{URL: "/tokens/new", Text: p.T("token.new"), Icon: "plus"}}
}
