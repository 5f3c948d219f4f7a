package app

import (
	"context"
	"fmt"

	"vigia/collector/internal/fleet"
)

type machineGroupCmd struct {
	machineArg `embed:""`
	outputFlag `embed:""`
	Add        []string `help:"A group that the machine is to be in; may be given several times." placeholder:"NAME" sep:"none"`
	Remove     []string `help:"A group that it is to leave; may be given several times." placeholder:"NAME" sep:"none"`
}

// Help implements kong.HelpProvider.
func (machineGroupCmd) Help() string {
	return examples("machine group pc-017", "machine group pc-017 --add laptops --add \"floor 2\"", "machine group pc-017 --remove laptops") +
		"\n\nPrints the groups, one in each line. The machine's findings follow at once, and connected agents get their rules anew."
}

// Run implements the command.
func (c *machineGroupCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		var m fleet.Machine
		var err error
		if len(c.Add)+len(c.Remove) == 0 {
			m, err = d.fleet.Find(ctx, c.Machine)
		} else {
			m, err = d.fleet.SetGroups(ctx, c.Machine, c.Add, c.Remove)
		}
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(s.out, notNil(m.Groups))
		}
		for _, g := range m.Groups {
			fmt.Fprintln(s.out, plain(g))
		}
		return nil
	})
}
