package app

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/fleet"
)

type machineCmds struct {
	List       machineListCmd       `cmd:"" help:"List machines."`
	Show       machineShowCmd       `cmd:"" help:"Show what is known of one machine."`
	Revoke     machineRevokeCmd     `cmd:"" help:"Take a machine's certificates away, at once."`
	Archive    machineArchiveCmd    `cmd:"" help:"Retire a machine; its history stays."`
	Release    machineReleaseCmd    `cmd:"" help:"End a quarantine."`
	Restore    machineRestoreCmd    `cmd:"" help:"Take an archiving back."`
	Assign     machineAssignCmd     `cmd:"" help:"Say where a machine belongs: site, area, person, tags."`
	Group      machineGroupCmd      `cmd:"" help:"Put a machine into groups, which rules may be scoped to."`
	Report     machineReportCmd     `cmd:"" help:"Ask a machine for a whole inventory now."`
	Duplicates machineDuplicatesCmd `cmd:"" help:"List machines that share what should be unique."`
}

// machineRow is one machine in JSON; checks from outside rely on the names.
type machineRow struct {
	ID       string     `json:"id"`
	Hostname string     `json:"hostname"`
	Serial   string     `json:"serial"`
	OS       string     `json:"os"`
	Site     string     `json:"site"`
	Area     string     `json:"area"`
	State    string     `json:"state"`
	LastSeen *time.Time `json:"last_seen"`
	Programs int        `json:"programs"`
	Findings int        `json:"findings"`
	Person   string     `json:"person"`
	Groups   []string   `json:"groups"`
	Tags     []string   `json:"tags"`
	Model    string     `json:"model"`
	Failing  int        `json:"failing_sources"`
	Reason   string     `json:"state_reason"`
	Agent    string     `json:"agent_version"`
	Spooled  int        `json:"spooled"`
	Report   *time.Time `json:"last_report"`
	Enrolled *time.Time `json:"enrolled_at"`
}

func toMachineRow(m fleet.Machine) machineRow {
	return machineRow{ID: m.ID, Hostname: m.Hostname, Serial: m.Serial, OS: m.OS, Site: m.Site, Area: m.Area, State: string(m.State),
		LastSeen: utc(m.LastSeen), Programs: m.Programs, Findings: m.Findings, Person: m.Person, Groups: notNil(m.Groups), Tags: notNil(m.Tags), Model: m.Model, Failing: m.Failing, Reason: m.StateReason, Agent: m.Agent, Spooled: m.Spooled,
		Report: utc(m.LastReport), Enrolled: utc(m.EnrolledAt)}
}

type machineListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a hostname, serial number, person, site or area."`
	Group      string `help:"Only machines of this group, by hand or by rule."`
	Tag        string `help:"Only machines with this tag."`
	State      string `help:"Only machines in this state." enum:",active,quarantined,revoked,archived" default:""`
	Site       string `help:"Only machines of this site."`
	Area       string `help:"Only machines of this area."`
	All        bool   `help:"Archived machines too."`
}

// Help implements kong.HelpProvider.
func (machineListCmd) Help() string {
	return examples("machine list", "machine list ventas --state quarantined", "machine list --output json")
}

// Run implements the command.
func (c *machineListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := fleet.MachineFilter{Query: c.Query, State: fleet.State(c.State), Site: c.Site, Area: c.Area, Group: c.Group, Tag: c.Tag, Archived: c.All, Limit: pageSize}
		out, err := allPages(func() ([]fleet.Machine, error) { return d.store.Machines(ctx, f) }, func(last fleet.Machine) { f.After = last.ID })
		if err != nil {
			return err
		}
		return showMachines(s, c.Output, out)
	})
}

func showMachines(s *streams, format string, list []fleet.Machine) error {
	rows := make([]machineRow, 0, len(list))
	for _, m := range list {
		rows = append(rows, toMachineRow(m))
	}
	return show(s, format, rows, []string{"HOSTNAME", "STATE", "OS", "SITE", "AREA", "LAST SEEN", "PROGRAMS", "FINDINGS", "ID"}, func(r machineRow) []string {
		return []string{r.Hostname, r.State, r.OS, r.Site, r.Area, optional(r.LastSeen), fmt.Sprint(r.Programs), fmt.Sprint(r.Findings), r.ID}
	})
}

// pageSize is how many rows of a list are read at once.
const pageSize = 1000

// allPages reads a list to its end. next is told the last row of a page.
func allPages[T any](page func() ([]T, error), next func(T)) ([]T, error) {
	var all []T
	for {
		rows, err := page()
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < pageSize {
			return all, nil
		}
		next(rows[len(rows)-1])
	}
}

func optional(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return stamp(*t)
}

// machineArg names one machine.
type machineArg struct {
	dataFlags `embed:""`
	Machine   string `arg:"" help:"Hostname or id."`
}

func (c *machineArg) change(s *streams, done string, do func(*fleet.Service, context.Context, string) (fleet.Machine, error)) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		m, err := do(d.fleet, ctx, c.Machine)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s (%s) %s\n", plain(m.Hostname), m.ID, done)
		return err
	})
}

type machineRevokeCmd struct {
	machineArg `embed:""`
}

// Help implements kong.HelpProvider.
func (machineRevokeCmd) Help() string {
	return examples("machine revoke pc-017") + "\n\nA live connection is closed within five seconds, on every collector."
}

// Run implements the command.
func (c *machineRevokeCmd) Run(s *streams) error {
	return c.change(s, "revoked", (*fleet.Service).Revoke)
}

type machineArchiveCmd struct {
	machineArg `embed:""`
}

// Help implements kong.HelpProvider.
func (machineArchiveCmd) Help() string { return examples("machine archive pc-017") }

// Run implements the command.
func (c *machineArchiveCmd) Run(s *streams) error {
	return c.change(s, "archived", (*fleet.Service).Archive)
}

type machineReleaseCmd struct {
	machineArg `embed:""`
}

// Help implements kong.HelpProvider.
func (machineReleaseCmd) Help() string {
	return examples("machine release pc-017") + "\n\nEnroll the clone anew first: two machines with one identity are quarantined again."
}

// Run implements the command.
func (c *machineReleaseCmd) Run(s *streams) error {
	return c.change(s, "released", (*fleet.Service).Release)
}

type machineReportCmd struct {
	machineArg `embed:""`
}

// Help implements kong.HelpProvider.
func (machineReportCmd) Help() string { return examples("machine report pc-017") }

// Run implements the command.
func (c *machineReportCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		cmd, err := d.fleet.Ask(ctx, c.Machine, "report-now", nil)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "asked %s for a report (command %s)\n", cmd.Machine, cmd.ID)
		return err
	})
}

type machineDuplicatesCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (machineDuplicatesCmd) Help() string {
	return examples("machine duplicates", "machine duplicates --output json")
}

type duplicateRow struct {
	Fact     string       `json:"fact"`
	Value    string       `json:"value"`
	Machines []machineRow `json:"machines"`
}

// Run implements the command.
func (c *machineDuplicatesCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		groups, err := d.store.Duplicates(ctx)
		if err != nil {
			return err
		}
		rows := []duplicateRow{}
		for _, g := range groups {
			r := duplicateRow{Fact: g.Fact, Value: g.Value}
			for _, m := range g.Machines {
				r.Machines = append(r.Machines, toMachineRow(m))
			}
			rows = append(rows, r)
		}
		return show(s, c.Output, rows, []string{"FACT", "VALUE", "MACHINES"}, func(r duplicateRow) []string {
			names := ""
			for _, m := range r.Machines {
				names += m.Hostname + " (" + m.ID + ", " + m.State + ") "
			}
			return []string{r.Fact, r.Value, names}
		})
	})
}
