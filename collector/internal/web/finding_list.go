package web

import (
	"context"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/paging"
)

// findingList declares the list of findings, newest first.
func (c *console) findingList() *listOf[authorization.Finding] {
	filterOf := func(n narrowing) authorization.FindingFilter {
		return authorization.FindingFilter{Query: n.Text, Machine: n.get("machine"), State: authorization.FindingState(n.get("state")), Verdict: n.get("verdict"), Source: n.get("source"),
			Severity: authorization.Severity(n.get("severity")), Category: authorization.Category(n.get("category")), Alone: n.get("along") == "no"}
	}
	return &listOf[authorization.Finding]{
		name: "findings", path: "/findings", section: "findings", title: "nav.findings", about: "findings.about", search: "findings.search", count: "list.findings",
		empty: "findings.empty", order: "-number", columns: findingColumns(), filters: c.findingFilters(),
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[authorization.Finding], error) {
			return c.Findings.FindingPage(ctx, filterOf(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Findings.CountFindings(ctx, filterOf(n), most)
		},
		links: func(p *Page) []headLink {
			var links []headLink
			if access.May(p.actor, access.ReviewFindings) {
				links = append(links, headLink{URL: reviewPath, Text: p.T("review.title"), Icon: "clipboard-text"})
			}
			if access.May(p.actor, access.SeeAllowlist) {
				links = append(links, headLink{URL: allowlistPath, Text: p.T("allowlist.title"), Icon: "shield-check"})
			}
			return append(links, severityLinks(p)...)
		},
		note: func(ctx context.Context) (authorization.Mode, error) {
			list, err := c.Allowlist.CurrentAllowlist(ctx)
			return list.Mode, err
		},
	}
}

func (c *console) findingFilters() []filter {
	return []filter{
		{name: "state", label: "state", quick: true, closed: true,
			offer: words("finding.state", string(authorization.Open), string(authorization.Gone), string(authorization.Authorized))},
		{name: "verdict", label: "list.verdict", quick: true, closed: true, offer: words("verdict", "denied")},
		{name: "severity", label: "severity", quick: true, closed: true, offer: words("severity", severityNames()...)},
		{name: "along", label: "finding.along", quick: true, closed: true, offer: words("finding.along", "no")},
		{name: "category", label: "severity.category", closed: true, offer: words("category", categoryNames()...)},
		{name: "source", label: "source", offer: names("source", programSources()...)},
		{name: "machine", label: "machine", say: c.machineName},
	}
}

// machineName is the name of the machine that a list is narrowed to.
func (c *console) machineName(ctx context.Context, _ *Page, id string) (string, error) {
	m, err := c.Machines.Machine(ctx, id)
	if apperr.Is(err, apperr.NotFound) {
		return "", apperr.Wrap(err, apperr.NotFound, "web.no-machine", nil)
	}
	return m.Hostname, err
}

func findingColumns() []column[authorization.Finding] {
	type finding = authorization.Finding
	return []column[finding]{
		{key: "program", heading: "program", sort: "program", show: func(p *Page, f finding) cell {
			c := cell{Text: f.Program, URL: "/findings/" + strconv.FormatInt(f.Row, 10)}
			if f.Along > 0 {
				c.Sub = p.N("finding.along.with", f.Along)
			}
			return c
		}},
		{key: "severity", heading: "severity", sort: "severity", down: true, show: severityCell},
		{key: "version", heading: "version", sort: "version", show: func(p *Page, f finding) cell { return p.textCell(f.Version) }},
		{key: "publisher", heading: "publisher", sort: "publisher", off: true, show: func(p *Page, f finding) cell { return p.textCell(f.Publisher) }},
		{key: "machine", heading: "machine", sort: "machine", show: func(p *Page, f finding) cell {
			return p.linkCell(f.Hostname, "/machines/"+f.Machine, "see-machines")
		}},
		{key: "source", heading: "source", sort: "source", show: func(p *Page, f finding) cell { return cell{Text: p.Name("source", f.Source)} }},
		{key: "user", heading: "scope", off: true, show: func(p *Page, f finding) cell {
			if f.User != "" {
				return cell{Text: f.User}
			}
			return cell{Text: p.Word("scope", f.Scope)}
		}},
		{key: "category", heading: "severity.category", off: true, show: func(p *Page, f finding) cell { return cell{Text: p.categoryName(f.Category)} }},
		{key: "spread", heading: "finding.spread", number: true, off: true, show: func(p *Page, f finding) cell { return p.countCell(f.Spread, "") }},
		{key: "path", heading: "path", off: true, show: func(p *Page, f finding) cell {
			c := p.textCell(f.Path)
			c.Mono = true
			return c
		}},
		{key: "state", heading: "state", sort: "state", show: func(p *Page, f finding) cell {
			c := p.tagCell("finding.state", f.State)
			if f.Verdict == "denied" {
				c.Tags = append(c.Tags, p.Tag("verdict", f.Verdict))
			}
			return c
		}},
		{key: "since", heading: "finding.since", sort: "since", down: true, show: func(p *Page, f finding) cell { return p.sinceCell(f.FirstSeen) }},
		{key: "gone", heading: "finding.gone", sort: "gone", down: true, off: true, show: func(p *Page, f finding) cell { return p.dateCell(f.GoneAt) }},
		{key: "recurrences", heading: "finding.recurrences", sort: "recurrences", down: true, off: true, number: true, show: func(p *Page, f finding) cell { return p.countCell(f.Recurrences, "") }},
		{key: "nonconformity", heading: "nonconformity", sort: "nonconformity", show: func(p *Page, f finding) cell {
			if f.Nonconformity == "" {
				return cell{Text: p.T("list.none"), Quiet: true}
			}
			return p.linkCell(f.Nonconformity, "/nonconformities/"+f.Nonconformity, "see-nonconformities")
		}},
	}
}
