package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/org"
	"vigia/collector/internal/sheet"
)

type orgCmds struct {
	Import orgImportCmd `cmd:"" help:"Take over sites, areas, managers, people and their machines from a CSV or XLSX file."`
	People orgPeopleCmd `cmd:"" help:"List people."`
	Areas  orgAreasCmd  `cmd:"" help:"List areas."`
	Sites  orgSitesCmd  `cmd:"" help:"List sites."`
	Person orgPersonCmd `cmd:"" help:"Add or change a person."`
	Area   orgAreaCmd   `cmd:"" help:"Add or change an area."`
	Site   orgSiteCmd   `cmd:"" help:"Add or change a site."`
}

type orgImportCmd struct {
	dataFlags `embed:""`
	File      string `arg:"" help:"CSV or XLSX; - is standard input."`
	DryRun    bool   `help:"Show what would change and save nothing." short:"n"`
}

// Help implements kong.HelpProvider.
func (orgImportCmd) Help() string {
	return examples("org import people.csv --dry-run", "org import people.csv") + `

The header is email,name,area,site,remote,manager_email,primary_machine,role, in any order, separated by , or ;.
A CSV file is UTF-8, or Windows-1252 as Excel saves it; of an XLSX file the first sheet is read. remote says whether the site is a remote one (yes, no);
manager_email is the area's manager; role is empty (employee for a new person, as it is for a known one) or one of administrator, technician, area-manager, hr,
purchasing, treasury, general-management, employee, auditor. Nothing is saved when a line is wrong.`
}

// Run implements the command.
func (c *orgImportCmd) Run(s *streams) error {
	f, err := c.read(s)
	if err != nil {
		return err
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		do, verb := d.people().Import, "saved"
		if c.DryRun {
			do, verb = d.people().Preview, "would be saved"
		}
		p, err := do(ctx, f)
		if err != nil {
			return err
		}
		if len(p.Problems) > 0 {
			return apperr.Wrap(p.Problems, apperr.Invalid, "org.import-file", apperr.Args{"problems": len(p.Problems)})
		}
		shown := p.Changes[:min(len(p.Changes), maxChangeLines)]
		for _, x := range shown {
			fmt.Fprintln(s.out, plain(changeLine(x)))
		}
		if rest := p.Total() - len(shown); rest > 0 {
			fmt.Fprintf(s.out, "and %d more\n", rest)
		}
		_, err = fmt.Fprintf(s.out, "%s: people %s; areas %s; sites %s; %s assigned\n", verb, counts(p.People), counts(p.Areas), counts(p.Sites), count(p.Machines, "machine"))
		return err
	})
}

// maxChangeLines bounds how many changes are told.
const maxChangeLines = 50

// changeLine is "changed person ana@example.com: role employee → hr".
func changeLine(x org.Change) string {
	if x.New {
		return "new " + x.Kind + " " + x.Name
	}
	text := "changed " + x.Kind + " " + x.Name
	for i, f := range x.Fields {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		text += sep + f.Field + " " + cmp.Or(f.From, "none") + " → " + cmp.Or(f.To, "none")
	}
	return text
}

// read reads the file. What is wrong with it is told with what is wrong with its place
// in the directory, all at once.
func (c *orgImportCmd) read(s *streams) (*org.File, error) {
	if c.File == "-" {
		return sheet.People(s.in)
	}
	f, err := openFile(c.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return sheet.People(f)
}

// openFile opens what a command is to read; the error is a sentence.
func openFile(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, apperr.Wrap(err, apperr.Invalid, "cli.file", apperr.Args{"path": path, "problem": cause(err)})
	}
	return f, nil
}

func counts(c org.Counts) string {
	return fmt.Sprintf("%d new, %d changed, %d as they were", c.New, c.Changed, c.Same)
}

type orgPeopleCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (orgPeopleCmd) Help() string { return examples("org people --output json") }

type personRow struct {
	Email   string `json:"email"`
	Name    string `json:"name"`
	Area    string `json:"area"`
	Site    string `json:"site"`
	Machine string `json:"primary_machine"`
	Role    string `json:"role"`
	Active  bool   `json:"active"`
}

// Run implements the command.
func (c *orgPeopleCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		people, err := d.store.People(ctx)
		if err != nil {
			return err
		}
		rows := []personRow{}
		for _, p := range people {
			rows = append(rows, personRow{p.Email, p.Name, p.Area, p.Site, p.PrimaryMachine, string(p.Role), p.Active})
		}
		return show(s, c.Output, rows, []string{"E-MAIL", "NAME", "AREA", "SITE", "MACHINE", "ROLE"}, func(r personRow) []string {
			return []string{r.Email, r.Name, r.Area, r.Site, r.Machine, r.Role}
		})
	})
}

type signinLinkCmd struct {
	dataFlags `embed:""`
	Person    string `help:"E-mail of who is to sign in; whoever administers this server unless given." placeholder:"EMAIL"`
	Web       string `help:"Address of the console, host:port; that of the running collector unless given." placeholder:"ADDR"`
}

// Help implements kong.HelpProvider.
func (signinLinkCmd) Help() string {
	return examples("signin-link", "signin-link --person ana@example.com") + "\n\nThe address opens once, within " + fmt.Sprint(linkLife.Round(time.Minute)) + "."
}

// Run implements the command.
func (c *signinLinkCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		at := c.Web
		if at == "" {
			known, err := d.addresses(ctx)
			if err != nil {
				return err
			}
			at = known.Web
		}
		if at == "" {
			return apperr.New(apperr.Invalid, "cli.no-web", apperr.Args{"field": "web"})
		}
		secret, err := d.createLink(ctx, c.Person)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "https://%s/signin/%s\n", at, secret)
		return err
	})
}
