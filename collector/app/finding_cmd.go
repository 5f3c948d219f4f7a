package app

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/authorization"
)

type findingCmds struct {
	List findingListCmd `cmd:"" help:"List findings, newest first."`
	Show findingShowCmd `cmd:"" help:"Show one finding, and which rules were tried."`
}

// findingRow is one finding in JSON; checks from outside rely on the names.
type findingRow struct {
	ID            int64      `json:"id"`
	Machine       string     `json:"machine"`
	Hostname      string     `json:"hostname"`
	Program       string     `json:"program"`
	Version       string     `json:"version"`
	Source        string     `json:"source"`
	Scope         string     `json:"scope"`
	User          string     `json:"user"`
	Verdict       string     `json:"verdict"`
	State         string     `json:"state"`
	Rule          string     `json:"rule"`
	Reason        string     `json:"reason"`
	ReasonKey     string     `json:"reason_key"`
	FirstSeen     *time.Time `json:"first_seen"`
	LastSeen      *time.Time `json:"last_seen"`
	Nonconformity string     `json:"nonconformity"`
	Publisher     string     `json:"publisher"`
	Origin        string     `json:"origin"`
	Path          string     `json:"path"`
	SHA256        string     `json:"sha256"`
	FoundAt       *time.Time `json:"found_at"`
	GoneAt        *time.Time `json:"gone_at"`
	Report        string     `json:"report"`
	Recurrences   int        `json:"recurrences"`
	Category      string     `json:"category"`
	Severity      string     `json:"severity"`
	CameWith      int64      `json:"came_with"` // the finding it came along with; 0: none
	Spread        int        `json:"spread"`    // machines that have the program
}

func toFindingRow(f authorization.Finding) findingRow {
	return findingRow{ID: f.Row, Machine: f.Machine, Hostname: f.Hostname, Program: f.Program, Version: f.Version, Source: f.Source, Scope: f.Scope,
		User: f.User, Verdict: f.Verdict, State: string(f.State), Rule: f.Rule, Reason: reasonText(f.Reason, f.Rule), ReasonKey: f.Reason, FirstSeen: utc(f.FirstSeen), LastSeen: utc(f.LastSeen),
		Nonconformity: f.Nonconformity, Publisher: f.Publisher, Origin: f.Origin, Path: f.Path, SHA256: f.SHA256, FoundAt: utc(f.FoundAt),
		GoneAt: utc(f.GoneAt), Report: f.Report, Recurrences: f.Recurrences,
		Category: string(f.Category), Severity: string(f.Severity), CameWith: f.Parent, Spread: f.Spread}
}

type findingListCmd struct {
	dataFlags     `embed:""`
	outputFlag    `embed:""`
	Query         string `arg:"" optional:"" help:"Part of a program's name or a hostname."`
	Machine       string `help:"Only of this machine: hostname or id."`
	State         string `help:"Only in this state." enum:",open,gone,authorized" default:""`
	Severity      string `help:"Only of this severity." enum:",critical,major,minor" default:""`
	Nonconformity string `help:"Only of this record, such as NC-2026-0001."`
}

// Help implements kong.HelpProvider.
func (findingListCmd) Help() string {
	return examples("finding list --state open", "finding list --machine pc-017 --output json")
}

// Run implements the command.
func (c *findingListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := authorization.FindingFilter{Query: c.Query, State: authorization.FindingState(c.State), Nonconformity: c.Nonconformity, Severity: authorization.Severity(c.Severity)}
		if c.Machine != "" {
			m, err := d.fleet.Find(ctx, c.Machine)
			if err != nil {
				return err
			}
			f.Machine = m.ID
		}
		rows, err := d.findings(ctx, f)
		if err != nil {
			return err
		}
		return show(s, c.Output, rows, []string{"NO", "STATE", "SEVERITY", "PROGRAM", "VERSION", "SOURCE", "HOSTNAME", "USER", "VERDICT", "RULE", "FIRST SEEN", "RECORD"}, func(r findingRow) []string {
			return []string{fmt.Sprint(r.ID), r.State, r.Severity, r.Program, r.Version, r.Source, r.Hostname, r.User, r.Verdict, r.Rule, optional(r.FirstSeen), r.Nonconformity}
		})
	})
}

// findings reads a list to its end.
func (d *desk) findings(ctx context.Context, f authorization.FindingFilter) ([]findingRow, error) {
	f.Limit = pageSize
	list, err := allPages(func() ([]authorization.Finding, error) { return d.store.Findings(ctx, f) }, func(last authorization.Finding) { f.After = last.Row })
	rows := []findingRow{}
	for _, x := range list {
		rows = append(rows, toFindingRow(x))
	}
	return rows, err
}

type findingShowCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Number     int64 `arg:"" help:"Its number."`
}

// Help implements kong.HelpProvider.
func (findingShowCmd) Help() string { return examples("finding show 42") }

// Run implements the command.
func (c *findingShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f, err := d.store.Finding(ctx, c.Number)
		if err != nil {
			return err
		}
		e, err := explainer{d}.ExplainFinding(ctx, f)
		if err != nil {
			return err
		}
		trials := toTrials(e)
		if c.Output == "json" {
			return printJSON(s.out, struct {
				findingRow
				Now   string     `json:"verdict_now"`
				Tried []trialRow `json:"tried"`
			}{toFindingRow(f), string(e.Verdict.Kind), trials})
		}
		r := toFindingRow(f)
		for _, kv := range [][2]string{{"finding", fmt.Sprint(r.ID)}, {"program", r.Program + " " + r.Version}, {"publisher", r.Publisher}, {"source", r.Source + " " + r.Origin},
			{"path", r.Path}, {"sha256", r.SHA256}, {"machine", r.Hostname + " (" + r.Machine + ")"}, {"scope", r.Scope + " " + r.User}, {"state", r.State},
			{"severity", r.Severity + " (" + r.Category + ")"}, {"verdict", r.Verdict + ": " + r.Reason}, {"first seen", optional(r.FirstSeen)}, {"last seen", optional(r.LastSeen)}, {"gone", optional(r.GoneAt)},
			{"came back", fmt.Sprint(r.Recurrences) + " times"}, {"record", r.Nonconformity}, {"report", r.Report}} {
			fmt.Fprintf(s.out, "%-12s%s\n", kv[0], plain(kv[1]))
		}
		fmt.Fprintf(s.out, "\nas the rules stand now: %s, %s\n\n", e.Verdict.Kind, e.Verdict.Reason().English())
		return showTrials(s, trials)
	})
}
