package web

import (
	"context"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

// machineList declares the list of machines.
func (c *console) machineList() *listOf[fleet.Machine] {
	return &listOf[fleet.Machine]{
		name: "machines", path: "/machines", section: "machines", title: "nav.machines", search: "machines.search", count: "list.machines",
		empty: "machines.empty", emptyHelp: "machines.empty.help", enroll: true, order: "hostname",
		columns: machineColumns(), filters: c.machineFilters(),
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[fleet.Machine], error) {
			return c.Machines.MachinePage(ctx, c.machineFilter(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Machines.CountMachines(ctx, c.machineFilter(n), most)
		},
		key: func(m fleet.Machine) string { return m.ID }, label: func(m fleet.Machine) string { return m.Hostname },
		actions: []bulkAction{{Path: "/machines/report", Icon: "refresh", text: "machines.ask", right: access.ChangeMachines}},
		tabs:    machineTabs,
	}
}

func (c *console) machineFilter(n narrowing) fleet.MachineFilter {
	f := fleet.MachineFilter{
		Query: n.Text, State: fleet.State(n.get("state")), Site: n.get("site"), Area: n.get("area"), OS: n.get("os"), Person: n.get("person"), Group: n.get("group"), Tag: n.get("tag"), Model: n.get("model"),
		WithFindings: n.get("findings") == "open", Failing: n.get("sources") == "failing",
	}
	if n.get("seen") == "silent" {
		f.SilentSince = c.Now().Add(-silentAfter)
	}
	return f
}

func (c *console) machineFilters() []filter {
	return []filter{
		{name: "state", label: "state", quick: true, closed: true,
			offer: words("machine.state", string(fleet.Active), string(fleet.Quarantined), string(fleet.Revoked), string(fleet.Archived))},
		{name: "seen", label: "machine.seen", quick: true, closed: true, offer: words("machines.seen", "silent")},
		{name: "findings", label: "nav.findings", quick: true, closed: true, offer: words("machines.with", "open")},
		{name: "sources", label: "sources.title", quick: true, closed: true, offer: words("machines.sources", "failing")},
		{name: "site", label: "machine.site", offer: c.siteChoices},
		{name: "area", label: "machine.area", offer: c.areaChoices},
		{name: "os", label: "machine.os"},
		{name: "person", label: "machine.person"},
		{name: "group", label: "machine.group-one", offer: c.groupChoices},
		{name: "tag", label: "machine.tag-one"},
		{name: "model", label: "hw.model"},
	}
}

func (c *console) siteChoices(ctx context.Context, _ *Page) ([]choice, error) {
	sites, err := c.Directory.Sites(ctx)
	list := make([]choice, len(sites))
	for i, s := range sites {
		list[i] = choice{s.Name, s.Name}
	}
	return list, err
}

func (c *console) areaChoices(ctx context.Context, _ *Page) ([]choice, error) {
	areas, err := c.Directory.Areas(ctx)
	list := make([]choice, len(areas))
	for i, a := range areas {
		list[i] = choice{a.Name, a.Name}
	}
	return list, err
}

// groupChoices offers the groups to those who may see them.
func (c *console) groupChoices(ctx context.Context, p *Page) ([]choice, error) {
	if !access.May(p.actor, access.SeeAllowlist) {
		return nil, nil
	}
	rows, err := c.Groups.GroupNames(ctx)
	list := make([]choice, len(rows))
	for i, g := range rows {
		list[i] = choice{g.Name, g.Name}
	}
	return list, err
}

// machineTabs lead between machines and their groups, for those who may see these.
func machineTabs(p *Page) []headLink {
	if !access.May(p.actor, access.SeeAllowlist) {
		return nil
	}
	return []headLink{{URL: "/machines", Text: p.T("nav.machines")}, {URL: "/groups", Text: p.T("groups.title")}}
}

func machineColumns() []column[fleet.Machine] {
	return []column[fleet.Machine]{
		{key: "machine", heading: "machine", sort: "hostname", show: func(p *Page, m fleet.Machine) cell { return cell{Text: m.Hostname, URL: "/machines/" + m.ID} }},
		{key: "state", heading: "state", sort: "state", show: func(p *Page, m fleet.Machine) cell { return p.tagCell("machine.state", m.State) }},
		{key: "site", heading: "machine.site", sort: "site", show: func(p *Page, m fleet.Machine) cell { return p.textCell(m.Site) }},
		{key: "area", heading: "machine.area", sort: "area", off: true, show: func(p *Page, m fleet.Machine) cell { return p.textCell(m.Area) }},
		{key: "person", heading: "machine.person", sort: "person", show: func(p *Page, m fleet.Machine) cell {
			if m.Person == "" {
				return cell{Text: p.T("machine.nobody"), Quiet: true}
			}
			return cell{Text: m.Person}
		}},
		{key: "os", heading: "machine.os", sort: "os", show: func(p *Page, m fleet.Machine) cell { return p.textCell(m.OS) }},
		{key: "model", heading: "hw.model", off: true, show: func(p *Page, m fleet.Machine) cell { return p.textCell(m.Model) }},
		{key: "groups", heading: "machine.groups", off: true, show: func(p *Page, m fleet.Machine) cell { return p.namesCell(m.Groups) }},
		{key: "tags", heading: "machine.tags", off: true, show: func(p *Page, m fleet.Machine) cell { return p.namesCell(m.Tags) }},
		{key: "serial", heading: "machine.serial", sort: "serial", off: true, show: func(p *Page, m fleet.Machine) cell { return p.textCell(m.Serial) }},
		{key: "seen", heading: "machine.seen", sort: "seen", down: true, show: machineSeen},
		{key: "report", heading: "list.last-report", sort: "report", down: true, off: true, show: func(p *Page, m fleet.Machine) cell { return p.sinceCell(m.LastReport) }},
		{key: "enrolled", heading: "machine.enrolled", sort: "enrolled", down: true, off: true, show: func(p *Page, m fleet.Machine) cell { return p.dateCell(m.EnrolledAt) }},
		{key: "agent", heading: "machine.agent", sort: "agent", off: true, show: func(p *Page, m fleet.Machine) cell { return p.textCell(m.Agent) }},
		{key: "spooled", heading: "list.spooled", sort: "spooled", down: true, off: true, number: true, show: func(p *Page, m fleet.Machine) cell { return p.countCell(m.Spooled, "") }},
		{key: "programs", heading: "nav.software", sort: "programs", down: true, number: true, show: func(p *Page, m fleet.Machine) cell {
			return p.countCell(m.Programs, "/machines/"+m.ID+"/software")
		}},
		{key: "findings", heading: "machine.open-findings", sort: "findings", down: true, number: true, show: func(p *Page, m fleet.Machine) cell {
			return p.countCell(m.Findings, "/findings?state=open&machine="+m.ID)
		}},
	}
}

// namesCell is several names, or that there are none.
func (p *Page) namesCell(names []string) cell {
	if len(names) == 0 {
		return cell{Text: p.T("org.none"), Quiet: true}
	}
	return cell{Text: strings.Join(names, ", ")}
}

func machineSeen(p *Page, m fleet.Machine) cell {
	c := p.sinceCell(m.LastSeen)
	if silent(m, p.Now.Add(-silentAfter)) {
		c.Tags = []tag{p.Tag("fresh", "old")}
	}
	return c
}

// silent reports whether nothing was heard of an active machine since then.
func silent(m fleet.Machine, since time.Time) bool {
	seen := m.LastSeen
	if seen.IsZero() {
		seen = m.EnrolledAt
	}
	return m.State == fleet.Active && seen.Before(since)
}
