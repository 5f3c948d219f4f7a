package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/setting"
)

type settingCmds struct {
	List settingListCmd `cmd:"" help:"List every setting with its value."`
	Get  settingGetCmd  `cmd:"" help:"Print one setting's value, alone."`
	Set  settingSetCmd  `cmd:"" help:"Change settings, all or none."`
}

// settingRow is one setting in JSON.
type settingRow struct {
	Name      string     `json:"name"`
	Kind      string     `json:"kind"`
	Value     string     `json:"value"`   // that holds; empty for a secret
	Default   string     `json:"default"` //
	Set       bool       `json:"set"`     // somebody gave it a value
	Choices   []string   `json:"choices"`
	ChangedAt *time.Time `json:"changed_at"`
	ChangedBy string     `json:"changed_by"`
}

func toSettingRow(c setting.Current) settingRow {
	return settingRow{c.Name, string(c.Kind), c.Effective(), c.Default, c.IsSet, notNil(c.Choices), utc(c.ChangedAt), c.ChangedBy}
}

type settingListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (settingListCmd) Help() string { return examples("setting list", "setting list --output json") }

// Run implements the command.
func (c *settingListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		list, err := d.settings.List(ctx)
		if err != nil {
			return err
		}
		rows := []settingRow{}
		for _, x := range list {
			rows = append(rows, toSettingRow(x))
		}
		return show(s, c.Output, rows, []string{"NAME", "VALUE", "DEFAULT", "CHANGED", "BY"}, func(r settingRow) []string {
			value := r.Value
			if r.Kind == string(setting.Secret) && r.Set {
				value = "(kept secret)"
			}
			return []string{r.Name, value, r.Default, optional(r.ChangedAt), r.ChangedBy}
		})
	})
}

type settingGetCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Name       string `arg:"" help:"Name of the setting."`
}

// Help implements kong.HelpProvider.
func (settingGetCmd) Help() string { return examples("setting get mail.host") }

// Run implements the command.
func (c *settingGetCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		x, err := d.settings.Get(ctx, c.Name)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(s.out, toSettingRow(x))
		}
		_, err = fmt.Fprintln(s.out, plain(x.Effective()))
		return err
	})
}

type settingSetCmd struct {
	dataFlags `embed:""`
	Values    []string `arg:"" help:"name=value; name= goes back to the default; name=- reads the value from standard input, for passwords." placeholder:"NAME=VALUE"`
}

// Help implements kong.HelpProvider.
func (settingSetCmd) Help() string {
	return examples("setting set company.name='Empresa Ejemplo' company.time-zone=America/Mexico_City",
		"setting set mail.host=smtp.example.com mail.from='Vigía <vigia@example.com>'",
		"setting set mail.user=vigia mail.password=- < password.txt", "setting set backup.at=off")
}

// Run implements the command.
func (c *settingSetCmd) Run(s *streams) error {
	changes := map[string]string{}
	for _, v := range c.Values {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return usageError{fmt.Errorf("%q: want name=value, such as mail.host=smtp.example.com", v)}
		}
		if _, twice := changes[name]; twice {
			return usageError{fmt.Errorf("%s is given twice", name)}
		}
		if value == "-" {
			raw, err := io.ReadAll(io.LimitReader(s.in, 4096))
			if err != nil {
				return apperr.Wrap(err, apperr.Invalid, "cli.file", apperr.Args{"path": "standard input", "problem": err.Error()})
			}
			value = strings.TrimRight(string(raw), "\r\n")
		}
		changes[name] = value
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		changed, err := d.settings.Set(ctx, changes)
		if err != nil {
			return err
		}
		if len(changed) == 0 {
			_, err = fmt.Fprintln(s.out, "nothing changed")
			return err
		}
		_, err = fmt.Fprintf(s.out, "changed: %s\n", strings.Join(changed, ", "))
		return err
	})
}
