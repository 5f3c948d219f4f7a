package app

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/fleet"
)

type softwareCmds struct {
	List   softwareListCmd   `cmd:"" help:"List programs with how many machines have them."`
	Titles softwareTitlesCmd `cmd:"" help:"List programs under the names that rules give them, in all versions together."`
	Rule   softwareRuleCmds  `cmd:"" help:"Rules of names: merge and rename programs in lists."`
}

type softwareListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a name or publisher."`
	Source     string `help:"Only programs from this source, such as deb."`
}

// Help implements kong.HelpProvider.
func (softwareListCmd) Help() string {
	return examples("software list", "software list firefox --output json")
}

// softwareRow is one program in JSON; checks from outside rely on the names.
type softwareRow struct {
	Name      string     `json:"name"`
	Version   string     `json:"version"`
	Publisher string     `json:"publisher"`
	Source    string     `json:"source"`
	Installs  int        `json:"installs"`
	FirstSeen *time.Time `json:"first_seen"`
}

// Run implements the command.
func (c *softwareListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := fleet.TitleFilter{Query: c.Query, Source: c.Source, Limit: pageSize}
		list, err := allPages(func() ([]fleet.TitleRow, error) { return d.store.Titles(ctx, f) }, func(fleet.TitleRow) { f.After += pageSize })
		if err != nil {
			return err
		}
		rows := []softwareRow{}
		for _, t := range list {
			rows = append(rows, softwareRow{Name: t.Name, Version: t.Version, Publisher: t.Publisher, Source: t.Source, Installs: t.Installs, FirstSeen: utc(t.FirstSeen)})
		}
		return show(s, c.Output, rows, []string{"NAME", "VERSION", "PUBLISHER", "SOURCE", "INSTALLS", "FIRST SEEN"}, func(r softwareRow) []string {
			return []string{r.Name, r.Version, r.Publisher, r.Source, fmt.Sprint(r.Installs), optional(r.FirstSeen)}
		})
	})
}
