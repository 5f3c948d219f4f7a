package app

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

type agentCmds struct {
	List agentListCmd `cmd:"" help:"List the agents of machines."`
	Show agentShowCmd `cmd:"" help:"Show the agent of one machine, with its certificates."`
}

// agentRow is the agent of one machine in JSON.
type agentRow struct {
	Machine     string     `json:"machine"`
	Hostname    string     `json:"hostname"`
	State       string     `json:"state"`
	Version     string     `json:"version"`
	Protocol    int        `json:"protocol"`
	Connected   bool       `json:"connected"`
	Collector   string     `json:"collector"` // host of the one that it reached last
	ConnectedAt *time.Time `json:"connected_at"`
	EndedAt     *time.Time `json:"ended_at"`
	LastSeen    *time.Time `json:"last_seen"`
	Certificate string     `json:"certificate"` // serial number of the one in use
	EndsAt      *time.Time `json:"certificate_ends_at"`
	CA          string     `json:"ca"` // fingerprint of the one that signed it
	Trusts      []string   `json:"trusts"`
	Spooled     int        `json:"spooled"`
	SpoolBytes  int64      `json:"spool_bytes"`
	SpoolOldest *time.Time `json:"spool_oldest"`
	Failing     int        `json:"failing_sources"`
	ClockBehind float64    `json:"clock_behind_seconds"`
}

func toAgentRow(a fleet.AgentRow) agentRow {
	l := a.Link
	return agentRow{Machine: a.ID, Hostname: a.Hostname, State: string(a.State), Version: a.Machine.Agent, Protocol: l.Protocol, Connected: l.Connected, Collector: l.Host,
		ConnectedAt: utc(l.ConnectedAt), EndedAt: utc(l.EndedAt), LastSeen: utc(a.LastSeen), Certificate: l.Certificate, EndsAt: utc(l.EndsAt), CA: l.Issuer, Trusts: notNil(l.Trusts),
		Spooled: a.Spooled, SpoolBytes: l.SpoolBytes, SpoolOldest: utc(l.SpoolOldest), Failing: a.Failing, ClockBehind: l.ClockBehind.Seconds()}
}

type agentListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a hostname, serial number, person, site or area."`
	Of         string `name:"of-version" help:"Only agents of this version." placeholder:"VERSION"`
	Ending     int    `help:"Only those whose certificate ends within so many days." placeholder:"DAYS"`
	Silent     int    `help:"Only those that nothing was heard of for so many days." placeholder:"DAYS"`
	Failing    bool   `help:"Only those with a source that was not read."`
	Spooled    bool   `help:"Only those with reports that wait on the machine."`
	Connection string `help:"now, not or never." enum:",now,not,never" default:""`
	All        bool   `help:"Archived machines too."`
}

// Help implements kong.HelpProvider.
func (agentListCmd) Help() string {
	return examples("agent list", "agent list --ending 30", "agent list --silent 7 --output json", "agent list --failing --connection now")
}

// Run implements the command.
func (c *agentListCmd) Run(s *streams) error {
	if c.Ending < 0 || c.Silent < 0 {
		return usageError{fmt.Errorf("--ending and --silent: want a number of days, 0 or more")}
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := fleet.AgentFilter{MachineFilter: fleet.MachineFilter{Query: c.Query, Archived: c.All, Failing: c.Failing}, Version: c.Of, Spooled: c.Spooled, Connection: c.Connection}
		if c.Ending > 0 {
			f.EndsBefore = d.now().AddDate(0, 0, c.Ending)
		}
		if c.Silent > 0 {
			f.SilentSince = d.now().AddDate(0, 0, -c.Silent)
		}
		list, err := everyPage(func(o paging.Order) (paging.Page[fleet.AgentRow], error) { return d.fleet.AgentPage(ctx, f, o) })
		if err != nil {
			return err
		}
		rows := []agentRow{}
		for _, a := range list {
			rows = append(rows, toAgentRow(a))
		}
		return showAgents(s, c.Output, rows)
	})
}

func showAgents(s *streams, format string, rows []agentRow) error {
	return show(s, format, rows, []string{"HOSTNAME", "VERSION", "CONNECTED", "COLLECTOR", "LAST SEEN", "CERTIFICATE ENDS", "WAITING", "FAILING"}, func(r agentRow) []string {
		connected := "no"
		if r.Connected {
			connected = "yes"
		}
		return []string{r.Hostname, r.Version, connected, r.Collector, optional(r.LastSeen), optional(r.EndsAt), fmt.Sprint(r.Spooled), fmt.Sprint(r.Failing)}
	})
}

// everyPage reads a list to its end.
func everyPage[T any](read func(paging.Order) (paging.Page[T], error)) ([]T, error) {
	var all []T
	o := paging.Order{Limit: pageSize}
	for {
		page, err := read(o)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Rows...)
		if page.Next.IsZero() {
			return all, nil
		}
		o.After = page.Next
	}
}

type agentShowCmd struct {
	machineArg `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (agentShowCmd) Help() string {
	return examples("agent show pc-017", "agent show pc-017 --output json")
}

// Run implements the command.
func (c *agentShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		m, err := d.fleet.Find(ctx, c.Machine)
		if err != nil {
			return err
		}
		link, list, err := d.fleet.AgentOf(ctx, m.ID)
		if err != nil {
			return err
		}
		row := toAgentRow(fleet.AgentRow{Machine: m, Link: link})
		certificates := []certificateRow{}
		for _, x := range list {
			certificates = append(certificates, toCertificateRow(x, m.Hostname, d.now()))
		}
		if c.Output == "json" {
			return printJSON(s.out, struct {
				agentRow
				Certificates []certificateRow `json:"certificates"`
			}{row, certificates})
		}
		if err := showAgents(s, "table", []agentRow{row}); err != nil {
			return err
		}
		fmt.Fprintln(s.out)
		return showCertificates(s, "table", certificates)
	})
}
