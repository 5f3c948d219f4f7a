package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/fleet"
)

type groupCmds struct {
	List   groupListCmd   `cmd:"" help:"List groups of machines."`
	Show   groupShowCmd   `cmd:"" help:"Show a group with its machines."`
	Create groupCreateCmd `cmd:"" help:"Make a group: by a rule, or empty, to be filled by hand."`
	Change groupChangeCmd `cmd:"" help:"Say anew what a group is for and which machines are in it."`
	Delete groupDeleteCmd `cmd:"" help:"Forget a group."`
}

// groupRow is one group in JSON.
type groupRow struct {
	Name      string      `json:"name"`
	About     string      `json:"about"`
	Kind      string      `json:"kind"` // "rule" or "hand"
	Rule      *fleet.Rule `json:"rule"`
	Machines  int         `json:"machines"`
	CreatedAt *time.Time  `json:"created_at"`
	CreatedBy string      `json:"created_by"`
	ChangedAt *time.Time  `json:"changed_at"`
	ChangedBy string      `json:"changed_by"`
}

func toGroupRow(g fleet.GroupRow) groupRow {
	r := groupRow{Name: g.Name, About: g.About, Kind: "hand", Machines: g.Machines, CreatedAt: utc(g.CreatedAt), CreatedBy: g.CreatedBy, ChangedAt: utc(g.ChangedAt), ChangedBy: g.ChangedBy}
	if g.ByRule() {
		r.Kind, r.Rule = "rule", &g.Rule
	}
	return r
}

// ruleText writes a rule in one line.
func ruleText(r *fleet.Rule) string {
	if r == nil {
		return ""
	}
	var parts []string
	for _, f := range []struct {
		name   string
		values []string
	}{{"site", r.Sites}, {"area", r.Areas}, {"os", r.OS}, {"model", r.Models}, {"hostname", r.Hostnames}, {"tag", r.Tags}} {
		if len(f.values) > 0 {
			parts = append(parts, f.name+" "+strings.Join(f.values, " or "))
		}
	}
	return strings.Join(parts, "; ")
}

type groupListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (groupListCmd) Help() string { return examples("group list", "group list --output json") }

// Run implements the command.
func (c *groupListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		list, err := d.store.GroupRows(ctx)
		if err != nil {
			return err
		}
		rows := make([]groupRow, 0, len(list))
		for _, g := range list {
			rows = append(rows, toGroupRow(g))
		}
		return show(s, c.Output, rows, []string{"GROUP", "KIND", "MACHINES", "RULE", "ABOUT"}, func(r groupRow) []string {
			return []string{r.Name, r.Kind, fmt.Sprint(r.Machines), ruleText(r.Rule), r.About}
		})
	})
}

// groupArg names one group.
type groupArg struct {
	dataFlags `embed:""`
	Group     string `arg:"" help:"Name of the group."`
}

type groupShowCmd struct {
	groupArg   `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (groupShowCmd) Help() string {
	return examples("group show laptops", "group show laptops --output json")
}

// Run implements the command.
func (c *groupShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		g, err := d.store.GroupRow(ctx, c.Group)
		if err != nil {
			return err
		}
		f := fleet.MachineFilter{Group: g.Name, Limit: pageSize}
		members, err := allPages(func() ([]fleet.Machine, error) { return d.store.Machines(ctx, f) }, func(last fleet.Machine) { f.After = last.ID })
		if err != nil {
			return err
		}
		row := toGroupRow(g)
		if c.Output == "json" {
			machines := make([]machineRow, 0, len(members))
			for _, m := range members {
				machines = append(machines, toMachineRow(m))
			}
			return printJSON(s.out, struct {
				groupRow
				List []machineRow `json:"machine_list"`
			}{row, machines})
		}
		fmt.Fprintf(s.out, "%s\n%s\n\n", plain(row.Name+" · by "+row.Kind+": "+ruleText(row.Rule)), plain(row.About))
		return showMachines(s, c.Output, members)
	})
}

// ruleFlags are a rule of a group.
type ruleFlags struct {
	About    string   `help:"What the group is for."`
	Site     []string `help:"Machines of this site; given several times, of any of them." placeholder:"NAME" sep:"none"`
	Area     []string `help:"Machines of this area." placeholder:"NAME" sep:"none"`
	OS       []string `name:"os" help:"Machines with this operating system; * stands for any text, ? for one character." placeholder:"PATTERN" sep:"none"`
	Model    []string `help:"Machines of this maker and model, likewise." placeholder:"PATTERN" sep:"none"`
	Hostname []string `help:"Machines of this name, likewise." placeholder:"PATTERN" sep:"none"`
	Tag      []string `help:"Machines with this tag." placeholder:"NAME" sep:"none"`
}

func (f *ruleFlags) group(name string) fleet.Group {
	return fleet.Group{Name: name, About: f.About, Rule: fleet.Rule{Sites: f.Site, Areas: f.Area, OS: f.OS, Models: f.Model, Hostnames: f.Hostname, Tags: f.Tag}}
}

type groupCreateCmd struct {
	groupArg  `embed:""`
	ruleFlags `embed:""`
	DryRun    bool `help:"Only list the machines that would be in it."`
}

// Help implements kong.HelpProvider.
func (groupCreateCmd) Help() string {
	return examples("group create laptops --model \"*thinkpad*\" --model \"*latitude*\" --dry-run", "group create warehouse --site Toluca --os \"*windows*\"", "group create loans --about \"what we lend\"") +
		"\n\nMachines must fit every flag that is given, and one of its values. The rule holds for machines that come later too. Without a rule the group is filled by hand: machine group, or machine assign."
}

// Run implements the command.
func (c *groupCreateCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if c.DryRun {
			return c.members(ctx, s, d)
		}
		g, err := d.fleet.CreateGroup(ctx, c.group(c.Group))
		if err != nil {
			return err
		}
		return tellGroup(ctx, s, d, g.Name, "made")
	})
}

func (c *groupCreateCmd) members(ctx context.Context, s *streams, d *desk) error {
	g := c.group(c.Group)
	list, n, err := d.store.RuleMembers(ctx, g.Rule, pageSize)
	if err != nil {
		return err
	}
	if err := showMachines(s, "table", list); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%d machines would be in it\n", n)
	return err
}

func tellGroup(ctx context.Context, s *streams, d *desk, name, done string) error {
	g, err := d.store.GroupRow(ctx, name)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s %s: %d machines\n", plain(g.Name), done, g.Machines)
	return err
}

type groupChangeCmd struct {
	groupArg  `embed:""`
	ruleFlags `embed:""`
}

// Help implements kong.HelpProvider.
func (groupChangeCmd) Help() string {
	return examples("group change laptops --about \"what travels\" --model \"*thinkpad*\"") +
		"\n\nWhat is not given is taken away: without a rule the group is by hand."
}

// Run implements the command.
func (c *groupChangeCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if err := d.fleet.ChangeGroup(ctx, c.group(c.Group)); err != nil {
			return err
		}
		return tellGroup(ctx, s, d, c.Group, "changed")
	})
}

type groupDeleteCmd struct {
	groupArg `embed:""`
}

// Help implements kong.HelpProvider.
func (groupDeleteCmd) Help() string {
	return examples("group delete laptops") + "\n\nRules of the allowlist that name the group cover nobody by it any more."
}

// Run implements the command.
func (c *groupDeleteCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if err := d.fleet.DeleteGroup(ctx, c.Group); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s deleted\n", plain(c.Group))
		return err
	})
}
