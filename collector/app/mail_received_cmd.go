package app

import (
	"context"
	"strconv"
	"time"

	"vigia/collector/internal/notify/inbox"
	"vigia/collector/internal/paging"
)

// receivedRow is one letter in JSON.
type receivedRow struct {
	ID        int64      `json:"id"`
	MessageID string     `json:"message_id"`
	From      string     `json:"from"`
	Subject   string     `json:"subject"`
	At        *time.Time `json:"at"`
	Outcome   string     `json:"outcome"`
	Object    string     `json:"object"`
	Problem   string     `json:"problem"`
}

type mailReceivedCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a sender, a subject or a record."`
	Outcome    string `help:"commented, bounced, stranger …; any unless given." default:"any"`
	Limit      int    `help:"How many." default:"100"`
}

// Help implements kong.HelpProvider.
func (mailReceivedCmd) Help() string {
	return examples("mail received", "mail received --outcome bounced --output json")
}

// Run implements the command.
func (c *mailReceivedCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := inbox.Filter{Query: c.Query}
		if c.Outcome != "any" {
			f.Outcome = inbox.Outcome(c.Outcome)
		}
		page, err := d.store.ReceivedPage(ctx, f, paging.Order{Limit: min(max(c.Limit, 1), 1000)})
		if err != nil {
			return err
		}
		rows := []receivedRow{}
		for _, x := range page.Rows {
			rows = append(rows, receivedRow{x.Row, x.MessageID, x.From, x.Subject, utc(x.At), string(x.Outcome), x.Object, x.Problem})
		}
		return show(s, c.Output, rows, []string{"ID", "READ", "FROM", "OUTCOME", "OBJECT", "SUBJECT"}, func(r receivedRow) []string {
			return []string{strconv.FormatInt(r.ID, 10), optional(r.At), r.From, r.Outcome, r.Object, r.Subject}
		})
	})
}
