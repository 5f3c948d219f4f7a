package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/nonconformity"
)

type nonconformityCmds struct {
	List nonconformityListCmd `cmd:"" help:"List records, newest first."`
	Show nonconformityShowCmd `cmd:"" help:"Show one record whole."`
}

// recordRow is one record in JSON; checks from outside rely on the names.
type recordRow struct {
	Number      string                   `json:"number"`
	State       string                   `json:"state"`
	Machine     string                   `json:"machine"`
	Hostname    string                   `json:"hostname"`
	Person      string                   `json:"person"`
	OpenedAt    *time.Time               `json:"opened_at"`
	Programs    []nonconformity.Program  `json:"programs"`
	Parties     []nonconformity.Party    `json:"parties"`
	Evidence    []nonconformity.Evidence `json:"evidence"`
	ContainedAt *time.Time               `json:"contained_at"`
	PersonName  string                   `json:"person_name"`
	Area        string                   `json:"area"`
	Site        string                   `json:"site"`
	Recurrences int                      `json:"recurrences"`
}

func toRecordRow(n nonconformity.Nonconformity) recordRow {
	return recordRow{Number: n.Number, State: string(n.State), Machine: n.Machine, Hostname: n.Hostname, Person: n.Person, OpenedAt: utc(n.OpenedAt),
		Programs: notNil(n.Programs), Parties: notNil(n.Parties), Evidence: notNil(n.Evidence), ContainedAt: utc(n.ContainedAt),
		PersonName: n.PersonName, Area: n.Area, Site: n.Site, Recurrences: n.Recurrences}
}

type nonconformityListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a number, hostname or name."`
	Machine    string `help:"Only of this machine: hostname or id."`
	Person     string `help:"Only of this person: e-mail."`
	State      string `help:"Only in this state." enum:",open,contained" default:""`
}

// Help implements kong.HelpProvider.
func (nonconformityListCmd) Help() string {
	return examples("nonconformity list --state open", "nonconformity list --person ana@example.com --output json")
}

// Run implements the command.
func (c *nonconformityListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := nonconformity.Filter{Query: c.Query, Person: strings.ToLower(c.Person), State: nonconformity.State(c.State), Limit: pageSize}
		if c.Machine != "" {
			m, err := d.fleet.Find(ctx, c.Machine)
			if err != nil {
				return err
			}
			f.Machine = m.ID
		}
		list, err := allPages(func() ([]nonconformity.Nonconformity, error) { return d.store.Nonconformities().List(ctx, f) }, func(last nonconformity.Nonconformity) { f.After = last.Row })
		if err != nil {
			return err
		}
		rows := []recordRow{}
		for _, n := range list {
			rows = append(rows, toRecordRow(n))
		}
		return show(s, c.Output, rows, []string{"NUMBER", "STATE", "HOSTNAME", "PERSON", "OPENED", "CONTAINED", "PROGRAMS"}, func(r recordRow) []string {
			return []string{r.Number, r.State, r.Hostname, r.Person, optional(r.OpenedAt), optional(r.ContainedAt), programNames(r.Programs)}
		})
	})
}

func programNames(list []nonconformity.Program) string {
	var names []string
	for _, p := range list {
		names = append(names, p.Name+" "+p.Version)
	}
	return strings.Join(names, ", ")
}

type nonconformityShowCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Number     string `arg:"" help:"Such as NC-2026-0001."`
}

// Help implements kong.HelpProvider.
func (nonconformityShowCmd) Help() string { return examples("nonconformity show NC-2026-0001") }

// Run implements the command.
func (c *nonconformityShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		n, err := d.store.Nonconformities().ByNumber(ctx, strings.ToUpper(c.Number))
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(s.out, struct {
				recordRow
				History []nonconformity.Event `json:"history"`
			}{toRecordRow(n), notNil(n.History)})
		}
		return printRecord(s, n)
	})
}

func printRecord(s *streams, n nonconformity.Nonconformity) error {
	for _, kv := range [][2]string{{"record", n.Number}, {"state", string(n.State)}, {"machine", n.Hostname + " (" + n.Machine + ")"},
		{"person", n.PersonName + " " + n.Person}, {"area", n.Area}, {"site", n.Site}, {"opened", stamp(n.OpenedAt)}, {"contained", stamp(n.ContainedAt)},
		{"recurrences", fmt.Sprint(n.Recurrences)}} {
		fmt.Fprintf(s.out, "%-13s%s\n", kv[0], plain(kv[1]))
	}
	fmt.Fprintln(s.out)
	if err := show(s, "table", n.Programs, []string{"PROGRAM", "VERSION", "SOURCE", "STATE", "GONE", "FINDING"}, func(p nonconformity.Program) []string {
		return []string{p.Name, p.Version, p.Source, p.State, stamp(p.GoneAt), fmt.Sprint(p.Finding)}
	}); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	if err := show(s, "table", n.Parties, []string{"PARTY", "E-MAIL", "NAME"}, func(p nonconformity.Party) []string { return []string{p.Part, p.Email, p.Name} }); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	if err := show(s, "table", n.Evidence, []string{"EVIDENCE", "WHEN", "PROGRAM", "SOURCE", "PATH", "SHA-256", "REPORT"}, func(e nonconformity.Evidence) []string {
		return []string{e.Kind, stamp(e.At), e.Program, e.Source, e.Path, e.SHA256, e.Report}
	}); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	return show(s, "table", n.History, []string{"WHEN", "WHO", "WHAT", "DETAIL"}, func(e nonconformity.Event) []string {
		return []string{stamp(e.At), e.Actor, e.Kind, e.Detail}
	})
}
