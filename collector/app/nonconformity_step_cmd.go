package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/nonconformity"
)

// recordArg names a record.
type recordArg struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Number     string `arg:"" help:"Such as NC-2026-0001."`
}

// change runs one use-case and shows the record as it is then.
func (c recordArg) change(s *streams, do func(ctx context.Context, r *nonconformity.Service, number string) (nonconformity.Nonconformity, error)) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		n, err := do(ctx, d.records, strings.ToUpper(c.Number))
		if err != nil {
			return err
		}
		return show(s, c.Output, []recordRow{toRecordRow(n)}, []string{"NUMBER", "STATE", "AWAITED", "DUE"}, func(r recordRow) []string {
			return []string{r.Number, r.State, r.Awaited, optional(r.Due)}
		})
	})
}

type nonconformityTakeCmd struct {
	recordArg `embed:""`
	Step      string   `arg:"" help:"notify, statement, cause, plan, implement, measure, verify or close." enum:"notify,statement,cause,plan,implement,measure,verify,close"`
	Text      string   `help:"What was said or done."`
	Why       []string `help:"cause: the answer to a why; up to five, in order." sep:"none" placeholder:"TEXT"`
	Cause     string   `help:"cause: unaware, need, urgency, third-party, malware, negligence, error or other." placeholder:"KIND"`
	Action    []string `help:"plan: what | who | 2027-03-31; may be given several times." sep:"none" placeholder:"LINE"`
	Measure   string   `help:"measure: none, talk, training, warning, record, sanction or other." placeholder:"KIND"`
}

// Help implements kong.HelpProvider.
func (nonconformityTakeCmd) Help() string {
	return examples(`nonconformity take NC-2026-0001 statement --text "It came with another program"`,
		`nonconformity take NC-2026-0001 cause --why "No tool was at hand" --why "Nobody asked for one" --cause need`,
		`nonconformity take NC-2026-0001 plan --action "Ask IT for a tool | Ana | 2027-01-15"`, `nonconformity take NC-2026-0001 close --text "Reviewed"`) +
		"\n\nWhat a party said is written down on its behalf, and the record says so. A manager and the others have pages of their own in the console."
}

// Run implements the command.
func (c *nonconformityTakeCmd) Run(s *streams) error {
	a := nonconformity.Answer{Text: c.Text, Whys: c.Why, Cause: c.Cause, Measure: c.Measure}
	for _, line := range c.Action {
		parts := strings.Split(line, "|")
		if len(parts) != 3 {
			return usageError{fmt.Errorf("--action %q: want what | who | 2027-03-31", line)}
		}
		a.Actions = append(a.Actions, nonconformity.Action{What: parts[0], Who: parts[1], By: strings.TrimSpace(parts[2])})
	}
	return c.change(s, func(ctx context.Context, r *nonconformity.Service, number string) (nonconformity.Nonconformity, error) {
		return r.Take(ctx, number, c.Step, a, "")
	})
}

type nonconformityCommentCmd struct {
	recordArg `embed:""`
	Text      string `arg:"" help:"The comment."`
}

// Help implements kong.HelpProvider.
func (nonconformityCommentCmd) Help() string {
	return examples(`nonconformity comment NC-2026-0001 "The machine is on loan to another site"`)
}

// Run implements the command.
func (c *nonconformityCommentCmd) Run(s *streams) error {
	return c.change(s, func(ctx context.Context, r *nonconformity.Service, number string) (nonconformity.Nonconformity, error) {
		return r.Comment(ctx, number, c.Text, "")
	})
}

type nonconformityAttachCmd struct {
	recordArg `embed:""`
	File      string `arg:"" help:"PDF, picture, office document or text of at most 10 MiB." type:"path"`
}

// Help implements kong.HelpProvider.
func (nonconformityAttachCmd) Help() string {
	return examples("nonconformity attach NC-2026-0001 statement.pdf") + "\n\nThe content must be what the name says. ClamAV scans it where it is installed."
}

// Run implements the command.
func (c *nonconformityAttachCmd) Run(s *streams) error {
	f, err := os.Open(c.File)
	if err != nil {
		return usageError{err}
	}
	content, err := io.ReadAll(io.LimitReader(f, nonconformity.MaxFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return c.change(s, func(ctx context.Context, r *nonconformity.Service, number string) (nonconformity.Nonconformity, error) {
		return r.Attach(ctx, number, filepath.Base(c.File), content, "")
	})
}

type nonconformityWithdrawCmd struct {
	recordArg `embed:""`
	Reason    string `required:"" help:"Why it was a mistake; the parties are told."`
}

// Help implements kong.HelpProvider.
func (nonconformityWithdrawCmd) Help() string {
	return examples(`nonconformity withdraw NC-2026-0001 --reason "A rule was removed by mistake"`) +
		"\n\nThe record and its number stay. Its findings are free again: what is still there waits in the findings."
}

// Run implements the command.
func (c *nonconformityWithdrawCmd) Run(s *streams) error {
	return c.change(s, func(ctx context.Context, r *nonconformity.Service, number string) (nonconformity.Nonconformity, error) {
		return r.Take(ctx, number, nonconformity.StepWithdraw, nonconformity.Answer{Text: c.Reason}, "")
	})
}

type nonconformityConcessionCmd struct {
	recordArg `embed:""`
	Until     string `required:"" help:"Last day on which it holds: 2027-03-31." placeholder:"DATE"`
	Reason    string `required:"" help:"Why it is accepted; the parties are told."`
}

// Help implements kong.HelpProvider.
func (nonconformityConcessionCmd) Help() string {
	return examples(`nonconformity concession NC-2026-0001 --until 2027-03-31 --reason "Needed until the tender ends"`) +
		"\n\nWhen the day has passed and the program is still there, the record opens again."
}

// Run implements the command.
func (c *nonconformityConcessionCmd) Run(s *streams) error {
	return c.change(s, func(ctx context.Context, r *nonconformity.Service, number string) (nonconformity.Nonconformity, error) {
		return r.Take(ctx, number, nonconformity.StepConcede, nonconformity.Answer{Text: c.Reason, Until: c.Until}, "")
	})
}

type nonconformityProveCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Number     string `arg:"" help:"Such as NC-2026-0001."`
}

// Help implements kong.HelpProvider.
func (nonconformityProveCmd) Help() string {
	return examples("nonconformity prove NC-2026-0001") + "\n\nExit code 6 where a document does not have its hash, or the audit chain does not hold or lacks it."
}

// proofRow is one acknowledgement with what proves it.
type proofRow struct {
	Step   string `json:"step"`
	Author string `json:"author"`
	SHA256 string `json:"sha256"`
	Entry  int64  `json:"entry"` // of the audit chain; 0: none
	Holds  bool   `json:"holds"`
}

// Run implements the command.
func (c *nonconformityProveCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		n, err := d.store.Nonconformities().ByNumber(ctx, strings.ToUpper(c.Number))
		if err != nil {
			return err
		}
		var chain *audit.Broken
		if _, err := d.store.VerifyAudit(ctx); errors.As(err, &chain) {
			fmt.Fprintln(s.out, chain)
			return damageError{1}
		} else if err != nil {
			return err
		}
		entries, err := d.trailOf(ctx, n.Number)
		if err != nil {
			return err
		}
		rows, broken := []proofRow{}, 0
		for i := range n.Steps {
			x := &n.Steps[i]
			row := proofRow{Step: x.Kind, Author: x.Author, SHA256: x.Hash}
			for _, e := range entries {
				if strings.Contains(string(e.After), `"`+x.Hash+`"`) && e.Actor == x.Author {
					row.Entry = e.Seq
				}
			}
			if row.Holds = x.Holds() && row.Entry > 0; !row.Holds {
				broken++
			}
			rows = append(rows, row)
		}
		if err := show(s, c.Output, rows, []string{"STEP", "WHO", "SHA-256", "ENTRY", "HOLDS"}, func(r proofRow) []string {
			return []string{r.Step, r.Author, r.SHA256, fmt.Sprint(r.Entry), fmt.Sprint(r.Holds)}
		}); err != nil {
			return err
		}
		if broken > 0 {
			return damageError{broken}
		}
		return nil
	})
}
