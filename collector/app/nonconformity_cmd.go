package app

import (
	"context"
	"fmt"
	"strings"

	"vigia/collector/internal/nonconformity"
)

type nonconformityCmds struct {
	List       nonconformityListCmd       `cmd:"" help:"List records, newest first."`
	Show       nonconformityShowCmd       `cmd:"" help:"Show one record whole."`
	Take       nonconformityTakeCmd       `cmd:"" help:"Take a step, or write down what a party said."`
	Comment    nonconformityCommentCmd    `cmd:"" help:"Add a comment."`
	Attach     nonconformityAttachCmd     `cmd:"" help:"Attach a file."`
	Withdraw   nonconformityWithdrawCmd   `cmd:"" help:"Withdraw a record that was opened by mistake."`
	Concession nonconformityConcessionCmd `cmd:"" help:"Accept what a record is about until a date."`
	Export     nonconformityExportCmd     `cmd:"" help:"Write one record as PDF for the ISO file."`
	Register   nonconformityRegisterCmd   `cmd:"" help:"Write the register of a year as a spreadsheet."`
	Prove      nonconformityProveCmd      `cmd:"" help:"Verify every acknowledgement of a record by its hash and the audit chain."`
}

type nonconformityListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a number, hostname or name."`
	Machine    string `help:"Only of this machine: hostname or id."`
	Person     string `help:"Only of this person: e-mail."`
	State      string `help:"Only in this state." enum:",open,notified,contained,cause-analysed,action-planned,implemented,effectiveness-verified,closed,withdrawn,concession" default:""`
	Overdue    bool   `help:"Only those of which a deadline has passed."`
}

// Help implements kong.HelpProvider.
func (nonconformityListCmd) Help() string {
	return examples("nonconformity list --state open", "nonconformity list --overdue", "nonconformity list --person ana@example.com --output json")
}

// Run implements the command.
func (c *nonconformityListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := nonconformity.Filter{Query: c.Query, Person: strings.ToLower(c.Person), State: nonconformity.State(c.State), Limit: pageSize}
		if c.Overdue {
			f.Overdue = d.now()
		}
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
		return show(s, c.Output, rows, []string{"NUMBER", "STATE", "HOSTNAME", "PERSON", "OPENED", "CONTAINED", "AWAITED", "DUE", "PROGRAMS"}, func(r recordRow) []string {
			return []string{r.Number, r.State, r.Hostname, r.Person, optional(r.OpenedAt), optional(r.ContainedAt), r.Awaited, optional(r.Due), programNames(r.Programs)}
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
		terms, err := d.terms(ctx, n.Site)
		if err != nil {
			return err
		}
		look, err := d.store.Nonconformities().LastLook(ctx, n.Machine)
		if err != nil {
			return err
		}
		whole := toWholeRow(n, terms, look)
		if c.Output == "json" {
			return printJSON(s.out, whole)
		}
		return printRecord(s, n, whole)
	})
}

func printRecord(s *streams, n nonconformity.Nonconformity, whole wholeRow) error {
	for _, kv := range [][2]string{{"record", n.Number}, {"state", string(n.State)}, {"machine", n.Hostname + " (" + n.Machine + ")"},
		{"person", n.PersonName + " " + n.Person}, {"area", n.Area}, {"site", n.Site}, {"opened", stamp(n.OpenedAt)}, {"contained", stamp(n.ContainedAt)},
		{"severity", string(n.Severity)}, {"round", fmt.Sprint(n.Round)}, {"recurrences", fmt.Sprint(n.Recurrences)}, {"awaited", n.Awaited}, {"due", stamp(n.DueAt)},
		{"effective", optional(whole.Effectiveness.VerifiedAt)}, {"ended", stamp(n.EndedAt)}} {
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
	if err := show(s, "table", whole.Tasks, []string{"TASK", "WHO", "SINCE", "DUE"}, func(t taskRow) []string {
		return []string{t.Step, t.Part, optional(t.Since), optional(t.Due)}
	}); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	if err := show(s, "table", whole.Statements, []string{"STEP", "ROUND", "WHEN", "WHO", "FROM", "SAYS", "SHA-256"}, func(x statementRow) []string {
		return []string{x.Step, fmt.Sprint(x.Round), optional(x.At), x.Author, x.Address, x.says(), x.SHA256}
	}); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	return show(s, "table", n.History, []string{"WHEN", "WHO", "WHAT", "DETAIL"}, func(e nonconformity.Event) []string {
		return []string{stamp(e.At), e.Actor, e.Kind, e.Detail}
	})
}
