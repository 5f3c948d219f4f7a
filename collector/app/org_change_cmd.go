package app

import (
	"cmp"
	"context"
	"fmt"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/org"
	"vigia/internal/policy"
)

type orgPersonCmd struct {
	dataFlags  `embed:""`
	Email      string  `arg:"" help:"Who; a new address needs --name."`
	Name       string  `help:"Full name."`
	Area       *string `help:"Area; empty takes it away."`
	Site       *string `help:"Site; empty takes it away."`
	Machine    *string `help:"Hostname or id of the primary machine; empty takes it away."`
	Role       string  `help:"One of administrator, technician, area-manager, hr, purchasing, treasury, general-management, employee, auditor."`
	Deactivate bool    `help:"They left: no sign-in any more, their history stays." xor:"active"`
	Activate   bool    `help:"They are back." xor:"active"`
}

// Help implements kong.HelpProvider.
func (orgPersonCmd) Help() string {
	return examples(`org person ana@example.com --name "Ana Ejemplo" --area Ventas --role hr`, "org person ana@example.com --deactivate")
}

// Run implements the command.
func (c *orgPersonCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		p, err := d.store.Person(ctx, c.Email)
		isNew := apperr.Is(err, apperr.NotFound)
		if err != nil && !isNew {
			return err
		}
		if isNew {
			p = org.Person{Email: c.Email, Active: true}
		}
		p.Name, p.Role = cmp.Or(c.Name, p.Name), cmp.Or(actor.Role(c.Role), p.Role)
		set(&p.Area, c.Area)
		set(&p.Site, c.Site)
		set(&p.PrimaryMachine, c.Machine)
		switch {
		case isNew && c.Deactivate:
			return apperr.New(apperr.NotFound, "person.unknown", apperr.Args{"person": c.Email})
		case isNew:
			err = d.directory().AddPerson(ctx, p)
		default:
			err = d.directory().ChangePerson(ctx, p)
		}
		if err == nil && (c.Deactivate || c.Activate && !isNew) {
			err = d.directory().SetPersonActive(ctx, p.Email, c.Activate)
		}
		return err
	})
}

// set takes over what was given.
func set(to *string, given *string) {
	if given != nil {
		*to = *given
	}
}

type orgAreaCmd struct {
	dataFlags  `embed:""`
	Name       string  `arg:"" help:"Area; made when it is not there yet."`
	Rename     string  `help:"New name." placeholder:"NAME"`
	Manager    *string `help:"E-mail of who answers for it; empty takes them away." placeholder:"EMAIL"`
	Deactivate bool    `help:"No longer offered; what belongs to it stays." xor:"active"`
	Activate   bool    `help:"Offered again." xor:"active"`
}

// Help implements kong.HelpProvider.
func (orgAreaCmd) Help() string {
	return examples("org area Ventas --manager luis@example.com", "org area Ventas --rename Comercial")
}

// Run implements the command.
func (c *orgAreaCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		areas, err := d.store.Areas(ctx)
		if err != nil {
			return err
		}
		for _, a := range areas {
			if same(a.Name, c.Name) {
				old := a.Name
				a.Name, a.Inactive = cmp.Or(c.Rename, a.Name), inactive(a.Inactive, c.Deactivate, c.Activate)
				set(&a.Manager, c.Manager)
				return d.directory().ChangeArea(ctx, old, a)
			}
		}
		a := org.Area{Name: cmp.Or(c.Rename, c.Name), Inactive: c.Deactivate}
		set(&a.Manager, c.Manager)
		return d.directory().AddArea(ctx, a)
	})
}

type orgSiteCmd struct {
	dataFlags  `embed:""`
	Name       string  `arg:"" help:"Site; made when it is not there yet."`
	Rename     string  `help:"New name." placeholder:"NAME"`
	Remote     *bool   `help:"Its visits need a travel request; --remote=false takes that back."`
	Zone       *string `help:"Time zone, such as America/Mexico_City; empty is the company's."`
	Deactivate bool    `help:"No longer offered; what belongs to it stays." xor:"active"`
	Activate   bool    `help:"Offered again." xor:"active"`
}

// Help implements kong.HelpProvider.
func (orgSiteCmd) Help() string {
	return examples("org site Mérida --remote --zone America/Merida", "org site Mérida --deactivate")
}

// Run implements the command.
func (c *orgSiteCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		sites, err := d.store.Sites(ctx)
		if err != nil {
			return err
		}
		for _, x := range sites {
			if same(x.Name, c.Name) {
				old := x.Name
				x.Name, x.Inactive = cmp.Or(c.Rename, x.Name), inactive(x.Inactive, c.Deactivate, c.Activate)
				set(&x.Zone, c.Zone)
				if c.Remote != nil {
					x.Remote = *c.Remote
				}
				return d.directory().ChangeSite(ctx, old, x)
			}
		}
		x := org.Site{Name: cmp.Or(c.Rename, c.Name), Remote: c.Remote != nil && *c.Remote, Inactive: c.Deactivate}
		set(&x.Zone, c.Zone)
		return d.directory().AddSite(ctx, x)
	})
}

// same reports whether two names are one, case and accents aside.
func same(a, b string) bool { return policy.Fold(a) == policy.Fold(b) }

func inactive(was, deactivate, activate bool) bool { return (was || deactivate) && !activate }

type orgAreasCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (orgAreasCmd) Help() string { return examples("org areas --output json") }

type areaRow struct {
	Name     string `json:"name"`
	Manager  string `json:"manager"`
	People   int    `json:"people"`
	Machines int    `json:"machines"`
	Active   bool   `json:"active"`
}

// Run implements the command.
func (c *orgAreasCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		areas, err := d.directory().AreaRows(ctx)
		if err != nil {
			return err
		}
		var rows []areaRow
		for _, a := range areas {
			rows = append(rows, areaRow{a.Name, a.Manager, a.People, a.Machines, !a.Inactive})
		}
		return show(s, c.Output, rows, []string{"AREA", "MANAGER", "PEOPLE", "MACHINES", "ACTIVE"}, func(r areaRow) []string {
			return []string{r.Name, r.Manager, fmt.Sprint(r.People), fmt.Sprint(r.Machines), fmt.Sprint(r.Active)}
		})
	})
}

type orgSitesCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (orgSitesCmd) Help() string { return examples("org sites --output json") }

type siteRow struct {
	Name     string `json:"name"`
	Remote   bool   `json:"remote"`
	Zone     string `json:"zone"`
	People   int    `json:"people"`
	Machines int    `json:"machines"`
	Active   bool   `json:"active"`
}

// Run implements the command.
func (c *orgSitesCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		sites, err := d.directory().SiteRows(ctx)
		if err != nil {
			return err
		}
		var rows []siteRow
		for _, x := range sites {
			rows = append(rows, siteRow{x.Name, x.Remote, x.Zone, x.People, x.Machines, !x.Inactive})
		}
		return show(s, c.Output, rows, []string{"SITE", "REMOTE", "ZONE", "PEOPLE", "MACHINES", "ACTIVE"}, func(r siteRow) []string {
			return []string{r.Name, fmt.Sprint(r.Remote), r.Zone, fmt.Sprint(r.People), fmt.Sprint(r.Machines), fmt.Sprint(r.Active)}
		})
	})
}
