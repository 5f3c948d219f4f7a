package app

import (
	"context"
	"fmt"

	"vigia/collector/internal/fleet"
)

type machineAssignCmd struct {
	machineArg `embed:""`
	outputFlag `embed:""`
	Site       *string   `help:"Where it stands; \"\" for nowhere."`
	Area       *string   `help:"Which part of the company has it."`
	Person     *string   `help:"E-mail of who answers for it; \"\" leaves it to the directory."`
	Tag        *[]string `help:"Its tags, all of them; may be given several times." placeholder:"NAME" sep:"none"`
}

// Help implements kong.HelpProvider.
func (machineAssignCmd) Help() string {
	return examples("machine assign pc-017 --site Toluca --area Ventas --person ana@example.com", "machine assign pc-017 --tag kiosk --tag loan") +
		"\n\nWhat is not given stays. The machine's findings follow at once."
}

// Run implements the command.
func (c *machineAssignCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		m, err := d.fleet.Find(ctx, c.Machine)
		if err != nil {
			return err
		}
		a := m.Assignment()
		for _, f := range []struct{ given, into *string }{{c.Site, &a.Site}, {c.Area, &a.Area}, {c.Person, &a.Person}} {
			if f.given != nil {
				*f.into = *f.given
			}
		}
		if c.Tag != nil {
			a.Tags = *c.Tag
		}
		if m, err = d.fleet.Assign(ctx, m.ID, a); err != nil {
			return err
		}
		return showMachines(s, c.Output, []fleet.Machine{m})
	})
}

type machineRestoreCmd struct {
	machineArg `embed:""`
}

// Help implements kong.HelpProvider.
func (machineRestoreCmd) Help() string {
	return examples("machine restore pc-017") + "\n\nIts certificates that ended with the archiving are believed again, and its findings follow the allowlist as it is now."
}

// Run implements the command.
func (c *machineRestoreCmd) Run(s *streams) error {
	return c.change(s, "restored", func(f *fleet.Service, ctx context.Context, query string) (fleet.Machine, error) {
		m, err := f.Restore(ctx, query)
		if err == nil && m.State != fleet.Active {
			_, err = fmt.Fprintf(s.errOut, "it is %s again, as before it was archived\n", m.State)
		}
		return m, err
	})
}
