package app

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/paging"
	"vigia/collector/internal/title"
)

type softwareTitlesCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a name or publisher."`
	Merged     bool   `help:"Only titles that several reported names are part of."`
}

// Help implements kong.HelpProvider.
func (softwareTitlesCmd) Help() string {
	return examples("software titles", "software titles zip --output json")
}

type titleRow struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Publisher string     `json:"publisher"`
	Machines  int        `json:"machines"`
	Versions  int        `json:"versions"`
	Names     int        `json:"reported_names"`
	FirstSeen *time.Time `json:"first_seen"`
}

// Run implements the command.
func (c *softwareTitlesCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		rows := []titleRow{}
		for o := (paging.Order{Limit: pageSize}); ; {
			page, err := d.titles().Page(ctx, title.Filter{Query: c.Query, Merged: c.Merged}, o)
			if err != nil {
				return err
			}
			for _, t := range page.Rows {
				rows = append(rows, titleRow{t.ID, t.Name, t.Publisher, t.Machines, t.Versions, t.Names, utc(t.FirstSeen)})
			}
			if o.After = page.Next; o.After.IsZero() {
				break
			}
		}
		return show(s, c.Output, rows, []string{"ID", "NAME", "PUBLISHER", "MACHINES", "VERSIONS", "NAMES", "FIRST SEEN"}, func(r titleRow) []string {
			return []string{fmt.Sprint(r.ID), r.Name, r.Publisher, fmt.Sprint(r.Machines), fmt.Sprint(r.Versions), fmt.Sprint(r.Names), optional(r.FirstSeen)}
		})
	})
}

type softwareRuleCmds struct {
	List    titleRuleListCmd    `cmd:"" help:"List the rules of names, in the order in which they are tried."`
	Preview titleRulePreviewCmd `cmd:"" help:"Show what a new rule would change."`
	Add     titleRuleAddCmd     `cmd:"" help:"Add a rule that merges or renames programs in lists."`
	Remove  titleRuleRemoveCmd  `cmd:"" help:"Take a rule away."`
	Undo    titleRuleUndoCmd    `cmd:"" help:"Take the last change of the rules back."`
}

// titleRuleFlags are the fields of a rule.
type titleRuleFlags struct {
	Name         string `help:"Pattern of the reported name, with * and ?."`
	Publisher    string `help:"Pattern of the reported publisher, with * and ?."`
	StripVersion bool   `help:"Take the version and the architecture off the name."`
	ToName       string `help:"Show the programs under this name."`
	ToPublisher  string `help:"Show the programs under this publisher."`
	Reason       string `help:"Why."`
}

func (f titleRuleFlags) rule() title.Rule {
	return title.Rule{Name: f.Name, Publisher: f.Publisher, Strip: f.StripVersion, ToName: f.ToName, ToPublisher: f.ToPublisher, Reason: f.Reason}
}

func showTitleRules(s *streams, output string, set title.Ruleset) error {
	rules := append([]title.Rule{}, set.Rules...)
	return show(s, output, rules, []string{"ID", "NAME", "PUBLISHER", "STRIP VERSION", "TO NAME", "TO PUBLISHER", "REASON"}, func(r title.Rule) []string {
		return []string{fmt.Sprint(r.ID), r.Name, r.Publisher, fmt.Sprint(r.Strip), r.ToName, r.ToPublisher, r.Reason}
	})
}

type titleRuleListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (titleRuleListCmd) Help() string { return examples("software rule list --output json") }

// Run implements the command.
func (c *titleRuleListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		set, err := d.titles().Rules(ctx)
		if err != nil {
			return err
		}
		return showTitleRules(s, c.Output, set)
	})
}

type titleRulePreviewCmd struct {
	dataFlags      `embed:""`
	outputFlag     `embed:""`
	titleRuleFlags `embed:""`
}

// Help implements kong.HelpProvider.
func (titleRulePreviewCmd) Help() string {
	return examples(`software rule preview --name "7-zip*" --strip-version`)
}

// Run implements the command.
func (c *titleRulePreviewCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		p, err := d.titles().PreviewAdd(ctx, c.rule())
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(s.out, map[string]any{"names": p.Names, "titles": p.Titles, "changes": append([]title.Change{}, p.Changes...), "merged": append([]title.Merged{}, p.Merged...)})
		}
		fmt.Fprintf(s.out, "%d reported names would be shown otherwise, in %d titles; nothing was changed\n", p.Names, p.Titles)
		return show(s, c.Output, p.Changes, []string{"REPORTED", "SHOWN AS", "WOULD BE", "PUBLISHER"}, func(x title.Change) []string {
			return []string{x.Told.Name, x.From.Name, x.To.Name, x.To.Publisher}
		})
	})
}

type titleRuleAddCmd struct {
	dataFlags      `embed:""`
	outputFlag     `embed:""`
	titleRuleFlags `embed:""`
}

// Help implements kong.HelpProvider.
func (titleRuleAddCmd) Help() string {
	return examples(`software rule add --name "7-zip*" --strip-version --to-publisher "Igor Pavlov" --reason "one name"`)
}

// Run implements the command.
func (c *titleRuleAddCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		set, err := d.titles().Add(ctx, c.rule())
		if err != nil {
			return err
		}
		return showTitleRules(s, c.Output, set)
	})
}

type titleRuleRemoveCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	ID         int64 `arg:"" help:"Number of the rule."`
}

// Help implements kong.HelpProvider.
func (titleRuleRemoveCmd) Help() string { return examples("software rule remove 3") }

// Run implements the command.
func (c *titleRuleRemoveCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		set, err := d.titles().Remove(ctx, c.ID)
		if err != nil {
			return err
		}
		return showTitleRules(s, c.Output, set)
	})
}

type titleRuleUndoCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (titleRuleUndoCmd) Help() string { return examples("software rule undo") }

// Run implements the command.
func (c *titleRuleUndoCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		set, err := d.titles().Undo(ctx)
		if err != nil {
			return err
		}
		return showTitleRules(s, c.Output, set)
	})
}
