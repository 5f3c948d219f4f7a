package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

// day is how long filters count.
const oneDay = 24 * time.Hour

// agentList declares the list of agents.
func (c *console) agentList() *listOf[fleet.AgentRow] {
	return &listOf[fleet.AgentRow]{
		name: "agents", path: "/agents", section: "administration", title: "admin.agents", about: "admin.agents.about", search: "machines.search", count: "agents.count",
		empty: "agents.empty", emptyHelp: "agents.empty.help", order: "hostname",
		columns: agentColumns(), filters: c.agentFilters(),
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[fleet.AgentRow], error) {
			f, err := c.agentFilter(ctx, n)
			if err != nil {
				return paging.Page[fleet.AgentRow]{}, err
			}
			return c.Agents.AgentPage(ctx, f, o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			f, err := c.agentFilter(ctx, n)
			if err != nil {
				return 0, err
			}
			return c.Agents.CountAgents(ctx, f, most)
		},
		key: func(a fleet.AgentRow) string { return a.ID }, label: func(a fleet.AgentRow) string { return a.Hostname },
		actions: []bulkAction{{Path: "/agents/report", Icon: "refresh", text: "machines.ask", right: access.ChangeMachines}},
	}
}

func (c *console) agentFilters() []filter {
	return []filter{
		{name: "link", label: "agent.link", quick: true, closed: true, offer: words("agent.link", "now", "not", "never")},
		{name: "certificate", label: "agent.certificate", quick: true, closed: true, offer: words("agent.ends", "30", "ended", "behind")},
		{name: "silent", label: "machine.seen", quick: true, closed: true, offer: words("agent.silent", "3", "7", "30")},
		{name: "sources", label: "sources.title", quick: true, closed: true, offer: words("machines.sources", "failing")},
		{name: "spool", label: "list.spooled", quick: true, closed: true, offer: words("agent.spool", "waiting")},
		{name: "version", label: "machine.agent", offer: c.versionChoices},
		{name: "site", label: "machine.site", offer: c.siteChoices},
		{name: "collector", label: "agent.collector", offer: c.collectorChoices},
	}
}

// otherVersions in the address asks for all versions but the most frequent.
const otherVersions = "other"

func (c *console) versionChoices(ctx context.Context, p *Page) ([]choice, error) {
	list, err := c.Agents.Versions(ctx)
	var out []choice
	for i, v := range list {
		if i == 1 {
			out = append(out, choice{otherVersions, p.T("agent.other-version", "Version", list[0].Version)})
		}
		out = append(out, choice{v.Version, v.Version + " (" + p.Number64(v.Machines) + ")"})
	}
	return out, err
}

func (c *console) collectorChoices(ctx context.Context, _ *Page) ([]choice, error) {
	list, err := c.Agents.Collectors(ctx)
	var out []choice
	for _, k := range list {
		out = append(out, choice{k.ID, k.Host + " (" + k.Listens + ")"})
	}
	return out, err
}

func (c *console) agentFilter(ctx context.Context, n narrowing) (fleet.AgentFilter, error) {
	f := fleet.AgentFilter{MachineFilter: fleet.MachineFilter{Query: n.Text, Site: n.get("site"), Failing: n.get("sources") == "failing"},
		Connection: n.get("link"), Spooled: n.get("spool") == "waiting", Version: n.get("version"), Collector: n.get("collector")}
	if days, err := strconv.Atoi(n.get("silent")); err == nil {
		f.SilentSince = c.Now().Add(-time.Duration(days) * oneDay)
	}
	switch n.get("certificate") {
	case "30":
		f.EndsBefore = c.Now().Add(30 * oneDay)
	case "ended":
		f.EndsBefore = c.Now()
	case "behind":
		f.Behind = c.Agents.Trusted()[0]
	}
	if f.Version == otherVersions {
		list, err := c.Agents.Versions(ctx)
		if err != nil || len(list) == 0 {
			return f, err
		}
		f.Version, f.NotVersion = "", list[0].Version
	}
	return f, nil
}

func agentColumns() []column[fleet.AgentRow] {
	return []column[fleet.AgentRow]{
		{key: "machine", heading: "machine", sort: "hostname", show: func(p *Page, a fleet.AgentRow) cell {
			return cell{Text: a.Hostname, URL: "/machines/" + a.ID + "/agent"}
		}},
		{key: "link", heading: "agent.link", sort: "connected", down: true, show: agentLink},
		{key: "version", heading: "machine.agent", sort: "agent", show: func(p *Page, a fleet.AgentRow) cell { return p.textCell(a.Machine.Agent) }},
		{key: "seen", heading: "machine.seen", sort: "seen", down: true, show: func(p *Page, a fleet.AgentRow) cell { return machineSeen(p, a.Machine) }},
		{key: "ends", heading: "agent.certificate-ends", sort: "ends", show: agentEnds},
		{key: "spooled", heading: "list.spooled", sort: "spooled", down: true, number: true, show: func(p *Page, a fleet.AgentRow) cell { return p.countCell(a.Spooled, "") }},
		{key: "failing", heading: "agent.failing", sort: "failing", down: true, number: true, show: func(p *Page, a fleet.AgentRow) cell { return p.countCell(a.Failing, "/machines/"+a.ID) }},
		{key: "oldest", heading: "agent.oldest", sort: "oldest", off: true, show: func(p *Page, a fleet.AgentRow) cell { return p.dateCell(a.Link.SpoolOldest) }},
		{key: "collector", heading: "agent.collector", off: true, show: func(p *Page, a fleet.AgentRow) cell { return p.textCell(a.Link.Host) }},
		{key: "protocol", heading: "agent.protocol", sort: "protocol", number: true, off: true, show: func(p *Page, a fleet.AgentRow) cell { return p.countCell(a.Link.Protocol, "") }},
		{key: "site", heading: "machine.site", sort: "site", off: true, show: func(p *Page, a fleet.AgentRow) cell { return p.textCell(a.Site) }},
		{key: "state", heading: "state", sort: "state", off: true, show: func(p *Page, a fleet.AgentRow) cell { return p.tagCell("machine.state", a.State) }},
		{key: "certificate", heading: "agent.serial", off: true, show: func(p *Page, a fleet.AgentRow) cell { return p.textCell(a.Link.Certificate) }},
	}
}

func agentLink(p *Page, a fleet.AgentRow) cell {
	switch {
	case a.Link.ConnectedAt.IsZero():
		return cell{Text: p.Word("agent.link", "never"), Quiet: true}
	case a.Link.Connected:
		return cell{Tags: []tag{p.Tag("agent.link", "now")}}
	}
	return cell{Tags: []tag{p.Tag("agent.link", "not")}}
}

// agentEnds is when the certificate in use ends, with a word where that is soon.
func agentEnds(p *Page, a fleet.AgentRow) cell {
	if a.Link.EndsAt.IsZero() {
		return p.textCell("")
	}
	c := cell{Text: p.Date(a.Link.EndsAt), Time: a.Link.EndsAt}
	if left := a.Link.EndsAt.Sub(p.Now); left <= 0 {
		c.Tags = []tag{p.Tag("certificate.state", fleet.CertificateExpired)}
	} else if left < renewalMissed {
		c.Tags = []tag{p.Tag("agent.ends", "soon")}
	}
	return c
}

// renewalMissed is how long before its end a certificate should have been renewed: they
// live 90 days and are renewed at two thirds of that, give or take.
const renewalMissed = 20 * oneDay

// agentReport asks the machines chosen for a whole inventory now.
func (c *console) agentReport(w http.ResponseWriter, r *http.Request) error {
	return c.askChosen(w, r, "/agents")
}
