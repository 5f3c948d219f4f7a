package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
	"vigia/internal/policy/policyfile"
)

type allowlistCmds struct {
	Check   allowlistCheckCmd   `cmd:"" help:"Read a file, tell its errors with their lines, and show what it would open."`
	Import  allowlistImportCmd  `cmd:"" help:"Make a file the allowlist, after showing what that opens."`
	Export  allowlistExportCmd  `cmd:"" help:"Print the allowlist in force as a file that import reads."`
	Explain allowlistExplainCmd `cmd:"" help:"Tell each rule that is tried for a program, and why it decides or not."`
	Mode    allowlistModeCmd    `cmd:"" help:"Show the mode, or switch it: learn, monitor, enforce."`
	Undo    allowlistUndoCmd    `cmd:"" help:"Take the last change back."`
	History allowlistHistoryCmd `cmd:"" help:"List the versions, newest first."`
	Propose allowlistProposeCmd `cmd:"" help:"Propose rules for what nothing authorizes yet."`
}

// changeFlags are those of commands that change the allowlist.
type changeFlags struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Yes        bool `help:"Do it; without it only what would happen is shown." short:"y"`
	MaxOpen    *int `help:"Refuse when more findings would open: 0 lets nothing open, -1 is no cap; 500 on at most 50 machines unless given." placeholder:"N"`
}

func (f *changeFlags) options() allowlist.Options {
	return allowlist.Options{Apply: f.Yes, MaxOpen: f.MaxOpen}
}

// tell prints a plan, also the one that was refused above the cap.
func (f *changeFlags) tell(s *streams, p allowlist.Plan, err error) error {
	if err != nil && !apperr.Is(err, apperr.TooMany) {
		return err
	}
	if f.Output == "json" {
		return errors.Join(printJSON(s.out, p), err)
	}
	return errors.Join(printPlan(s, p, f.Yes), err)
}

func printPlan(s *streams, p allowlist.Plan, wanted bool) error {
	fmt.Fprintf(s.out, "version %d: mode %s, %s\nopens %s on %s, authorizes %s\n", p.Version, p.Mode, count(p.Rules, "rule"),
		count(p.Impact.Opens, "finding"), count(p.Impact.Machines, "machine"), count(p.Impact.Closes, "open one"))
	if list := p.Impact.ByProgram; len(list) > 0 {
		const most = 20
		if err := show(s, "table", list[:min(len(list), most)], []string{"PROGRAM", "SOURCE", "VERDICT", "RULE", "OPENS"}, func(x allowlist.ProgramImpact) []string {
			return []string{x.Name, x.Source, x.Verdict, x.Rule, fmt.Sprint(x.Opens)}
		}); err != nil {
			return err
		}
		if len(list) > most {
			fmt.Fprintf(s.out, "and %s\n", count(len(list)-most, "more program"))
		}
	}
	switch {
	case p.Applied && p.Followed.Done:
		_, err := fmt.Fprintf(s.out, "done: %s opened, %d authorized; `vigia-collector allowlist undo --yes` takes it back\n", count(p.Followed.Opened, "finding"), p.Followed.Closed)
		return err
	case p.Applied:
		_, err := fmt.Fprintln(s.out, "done: a running collector brings the findings in line")
		return err
	case !wanted:
		_, err := fmt.Fprintln(s.out, "nothing was changed; add --yes to do it")
		return err
	}
	return nil
}

// readAllowlist reads a file; every error is told with its line.
func readAllowlist(s *streams, path string) (*policyfile.File, error) {
	in := io.NopCloser(s.in)
	if path != "-" {
		var err error
		if in, err = openFile(path); err != nil {
			return nil, err
		}
	}
	defer in.Close()
	f, errs := policyfile.Parse(in)
	if len(errs) == 0 {
		return f, nil
	}
	lines := []string{"nothing was changed: " + path + " has " + count(len(errs), "problem")}
	for _, err := range errs {
		lines = append(lines, path+": "+err.Error())
	}
	return nil, usageError{errors.New(strings.Join(lines, "\n"))}
}

type allowlistCheckCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	File       string `arg:"" help:"YAML; - is standard input."`
}

// Help implements kong.HelpProvider.
func (allowlistCheckCmd) Help() string { return examples("allowlist check allowlist.yaml") }

// Run implements the command.
func (c *allowlistCheckCmd) Run(s *streams) error {
	return (&allowlistImportCmd{changeFlags: changeFlags{dataFlags: c.dataFlags, outputFlag: c.outputFlag}, File: c.File}).Run(s)
}

type allowlistImportCmd struct {
	changeFlags `embed:""`
	File        string `arg:"" help:"YAML; - is standard input."`
}

// Help implements kong.HelpProvider.
func (allowlistImportCmd) Help() string {
	return examples("allowlist import allowlist.yaml", "allowlist import allowlist.yaml --yes --max-open 20") + `

The file:

  mode: enforce                 # learn | monitor | enforce
  baseline: true                # the operating system's own packages, by origin and dependency
  rules:
    - name: tools of the IT department
      effect: allow             # allow | deny
      match: {source: deb, name: "vigia-*", version: ">=1.0, <3"}
      scope: {sites: [Querétaro], except: {machines: [pc-017]}}
      owner: it@example.com
      reason: ticket 4711
      valid_until: 2027-06-30`
}

// Run implements the command.
func (c *allowlistImportCmd) Run(s *streams) error {
	f, err := readAllowlist(s, c.File)
	if err != nil {
		return err
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if err := d.noteStrangers(ctx, s.errOut, f.Rules); err != nil {
			return err
		}
		p, err := d.allowlist().Import(ctx, f, filepath.Base(c.File), c.options())
		return c.tell(s, p, err)
	})
}

type allowlistExportCmd struct {
	dataFlags `embed:""`
}

// Help implements kong.HelpProvider.
func (allowlistExportCmd) Help() string { return examples("allowlist export > allowlist.yaml") }

// Run implements the command.
func (c *allowlistExportCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error { return d.allowlist().Export(ctx, s.out) })
}

type allowlistExplainCmd struct {
	dataFlags      `embed:""`
	outputFlag     `embed:""`
	Program        string `arg:"" help:"Name of a program."`
	Machine        string `help:"On this machine: hostname or id."`
	ProgramVersion string `help:"Only this version."`
	Source         string `help:"Only from this source, such as deb."`
}

// Help implements kong.HelpProvider.
func (allowlistExplainCmd) Help() string {
	return examples("allowlist explain quake", "allowlist explain quake --machine pc-017 --output json")
}

type explainRow struct {
	Program string     `json:"program"`
	Version string     `json:"version"`
	Source  string     `json:"source"`
	Verdict string     `json:"verdict"`
	Rule    string     `json:"rule"`
	Reason  string     `json:"reason"`
	Tried   []trialRow `json:"tried"`
}

// Run implements the command.
func (c *allowlistExplainCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		q := allowlist.Question{Program: c.Program, Version: c.ProgramVersion, Source: c.Source}
		if c.Machine != "" {
			m, err := d.fleet.Find(ctx, c.Machine)
			if err != nil {
				return err
			}
			q.Machine = m.ID
		}
		list, err := d.allowlist().Explain(ctx, q)
		if err != nil {
			return err
		}
		rows := []explainRow{}
		for _, a := range list {
			rows = append(rows, explainRow{a.Program.Name, a.Program.Version, a.Program.Source, string(a.Kind), a.RuleName, a.Reason().English(), toTrials(a.Explanation)})
		}
		if c.Output == "json" {
			return printJSON(s.out, rows)
		}
		for _, r := range rows {
			fmt.Fprintf(s.out, "%s %s (%s): %s, %s\n", plain(r.Program), plain(r.Version), r.Source, r.Verdict, plain(r.Reason))
			if err := showTrials(s, r.Tried); err != nil {
				return err
			}
			fmt.Fprintln(s.out)
		}
		return nil
	})
}

type allowlistModeCmd struct {
	changeFlags `embed:""`
	Mode        string `arg:"" optional:"" help:"learn, monitor or enforce; shown unless given."`
}

// Help implements kong.HelpProvider.
func (allowlistModeCmd) Help() string {
	return examples("allowlist mode", "allowlist mode monitor", "allowlist mode enforce --yes")
}

// Run implements the command.
func (c *allowlistModeCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if c.Mode == "" {
			a, err := d.store.CurrentAllowlist(ctx)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(s.out, a.Mode)
			return err
		}
		p, err := d.allowlist().SetMode(ctx, authorization.Mode(c.Mode), c.options())
		return c.tell(s, p, err)
	})
}

type allowlistUndoCmd struct {
	changeFlags `embed:""`
}

// Help implements kong.HelpProvider.
func (allowlistUndoCmd) Help() string { return examples("allowlist undo", "allowlist undo --yes") }

// Run implements the command.
func (c *allowlistUndoCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		p, err := d.allowlist().Undo(ctx, c.options())
		return c.tell(s, p, err)
	})
}

type allowlistHistoryCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Limit      int `help:"How many." default:"20"`
}

// Help implements kong.HelpProvider.
func (allowlistHistoryCmd) Help() string { return examples("allowlist history --output json") }

type versionRow struct {
	Version   int64      `json:"version"`
	Mode      string     `json:"mode"`
	Baseline  bool       `json:"baseline"`
	CreatedAt *time.Time `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	Cause     string     `json:"cause"`
	Undoes    int64      `json:"undoes"`
}

// Run implements the command.
func (c *allowlistHistoryCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		list, err := d.allowlist().History(ctx, c.Limit)
		if err != nil {
			return err
		}
		rows := []versionRow{}
		for _, a := range list {
			rows = append(rows, versionRow{a.Version, string(a.Mode), a.Baseline, utc(a.CreatedAt), a.CreatedBy, a.Cause, a.Undoes})
		}
		return show(s, c.Output, rows, []string{"VERSION", "MODE", "BASELINE", "WHEN", "WHO", "CAUSE"}, func(r versionRow) []string {
			return []string{fmt.Sprint(r.Version), r.Mode, fmt.Sprint(r.Baseline), optional(r.CreatedAt), r.CreatedBy, r.Cause}
		})
	})
}

type allowlistProposeCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (allowlistProposeCmd) Help() string {
	return examples("allowlist propose", "allowlist propose --output json")
}

// Run implements the command.
func (c *allowlistProposeCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		list, err := d.allowlist().Proposals(ctx)
		if err != nil {
			return err
		}
		return show(s, c.Output, list, []string{"RULE", "INSTALLS", "PROGRAMS"}, func(p policy.Proposal) []string {
			return []string{p.Rule.Name, fmt.Sprint(p.Installs), strings.Join(p.Programs, ", ")}
		})
	})
}
