package app

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify"
)

type mailCmds struct {
	List     mailListCmd     `cmd:"" help:"List mail, newest first."`
	Show     mailShowCmd     `cmd:"" help:"Show one message and what became of it."`
	Retry    mailRetryCmd    `cmd:"" help:"Send a message again that bounced, ran out of time or waits."`
	Test     mailTestCmd     `cmd:"" help:"Send a test message now and tell what the server said."`
	Received mailReceivedCmd `cmd:"" help:"List letters that came back: answers and bounces."`
}

// mailRow is one message in JSON.
type mailRow struct {
	ID        int64      `json:"id"`
	Key       string     `json:"key"`
	MessageID string     `json:"message_id"`
	Thread    string     `json:"thread"`
	To        string     `json:"to"`
	Language  string     `json:"language"`
	Template  string     `json:"template"`
	Subject   string     `json:"subject"`
	Secret    bool       `json:"secret"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	CreatedAt *time.Time `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	ExpiresAt *time.Time `json:"expires_at"`
	NextAt    *time.Time `json:"next_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Code      int        `json:"code"`
	Problem   string     `json:"problem"`
	Text      string     `json:"text,omitempty"`
}

func toMailRow(m notify.Mail) mailRow {
	r := mailRow{m.Row, m.Key, m.MessageID, m.Thread, m.To, m.Lang, string(m.Template), m.Subject, m.Secret, string(m.State), m.Attempts,
		utc(m.CreatedAt), m.CreatedBy, utc(m.ExpiresAt), nil, utc(m.EndedAt), m.Code, m.Problem, ""}
	if m.State == notify.Waiting {
		r.NextAt = utc(m.NextAt)
	}
	if !m.Secret { // it lets somebody in
		r.Text = m.Text
	}
	return r
}

type mailListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of an address or a subject."`
	State      string `help:"waiting, sent, bounced or expired." enum:"waiting,sent,bounced,expired,any" default:"any"`
	Limit      int    `help:"How many." default:"100"`
}

// Help implements kong.HelpProvider.
func (mailListCmd) Help() string {
	return examples("mail list --state bounced", "mail list ana@example.com --output json")
}

// Run implements the command.
func (c *mailListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := notify.Filter{Query: c.Query, Limit: min(max(c.Limit, 1), 1000)}
		if c.State != "any" {
			f.State = notify.State(c.State)
		}
		list, err := d.store.MailList(ctx, f)
		if err != nil {
			return err
		}
		rows := []mailRow{}
		for _, m := range list {
			rows = append(rows, toMailRow(m))
		}
		return show(s, c.Output, rows, []string{"ID", "STATE", "QUEUED", "TO", "SUBJECT", "TRIES", "PROBLEM"}, func(r mailRow) []string {
			return []string{strconv.FormatInt(r.ID, 10), r.State, optional(r.CreatedAt), r.To, r.Subject, strconv.Itoa(r.Attempts), r.Problem}
		})
	})
}

type mailShowCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	ID         int64 `arg:"" help:"Number of the message."`
}

// Help implements kong.HelpProvider.
func (mailShowCmd) Help() string { return examples("mail show 7", "mail show 7 --output json") }

// Run implements the command.
func (c *mailShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		m, err := d.store.MailByRow(ctx, c.ID)
		if err != nil {
			return err
		}
		return tellMail(s, c.Output, m)
	})
}

// tellMail prints one message.
func tellMail(s *streams, format string, m notify.Mail) error {
	r := toMailRow(m)
	if format == "json" {
		return printJSON(s.out, r)
	}
	fmt.Fprintf(s.out, "%s: %s, %d tries, queued %s by %s\nto %s: %s\n", m.MessageID, r.State, r.Attempts, optional(r.CreatedAt), plain(r.CreatedBy), plain(r.To), plain(r.Subject))
	if r.NextAt != nil {
		fmt.Fprintf(s.out, "next try %s, until %s\n", optional(r.NextAt), optional(r.ExpiresAt))
	}
	if r.Problem != "" {
		fmt.Fprintf(s.out, "the server said: %s\n", plain(r.Problem))
	}
	text := r.Text
	switch {
	case m.Secret:
		text = "(it carries a link that lets somebody in: its text is not shown)"
	case text == "":
		text = "(its text is no longer kept)"
	}
	_, err := fmt.Fprintf(s.out, "\n%s\n", plainLines(text))
	return err
}

type mailRetryCmd struct {
	dataFlags `embed:""`
	ID        int64 `arg:"" help:"Number of the message."`
}

// Help implements kong.HelpProvider.
func (mailRetryCmd) Help() string { return examples("mail retry 7") }

// Run implements the command.
func (c *mailRetryCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		m, err := d.retryMail(ctx, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "message %d waits; a running collector sends it\n", m.Row)
		return err
	})
}

// retryMail makes a message wait again and writes that down.
func (d *desk) retryMail(ctx context.Context, row int64) (m notify.Mail, err error) {
	err = d.store.InTx(ctx, func(ctx context.Context) error {
		if m, err = d.mail.Retry(ctx, row); err != nil {
			return err
		}
		return d.audited(ctx, "mail.retry", fmt.Sprint("mail/", row), map[string]any{"to": m.To, "subject": m.Subject})
	})
	return m, err
}

type mailTestCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	To         string `help:"Address of the test message." required:""`
	Language   string `help:"es or en." enum:"es,en" default:"es"`
}

// Help implements kong.HelpProvider.
func (mailTestCmd) Help() string {
	return examples("mail test --to ana@example.com", "mail test --to ana@example.com --smtp-url smtp://127.0.0.1:2525")
}

// Run implements the command.
func (c *mailTestCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if err := d.mailReady(ctx); err != nil {
			return err
		}
		m, err := d.testMail(ctx, c.To, c.Language)
		if err != nil {
			return err
		}
		if m, err = d.newSender("cli "+newID()).SendNow(ctx, m.Row); err != nil {
			return err
		}
		if m, err = d.watchMail(ctx, m); err != nil {
			return err
		}
		if err := tellMail(s, c.Output, m); err != nil {
			return err
		}
		if m.State != notify.Sent {
			return apperr.New(apperr.Unavailable, "cli.mail-not-sent", apperr.Args{"to": m.To, "problem": m.Problem})
		}
		return nil
	})
}

// watchMail waits, at most two minutes, until a running collector that was faster, or
// that alone knows the server, has tried the message.
func (d *desk) watchMail(ctx context.Context, m notify.Mail) (notify.Mail, error) {
	limit := time.NewTimer(2 * time.Minute)
	defer limit.Stop()
	wait := time.NewTicker(500 * time.Millisecond)
	defer wait.Stop()
	for m.State == notify.Waiting && m.Attempts == 0 {
		select {
		case <-ctx.Done():
			return m, ctx.Err()
		case <-limit.C:
			return m, apperr.New(apperr.Unavailable, "cli.mail-not-sent", apperr.Args{"to": m.To, "problem": "it waits in the queue; is a collector running?"})
		case <-wait.C:
		}
		var err error
		if m, err = d.store.MailByRow(ctx, m.Row); err != nil {
			return m, err
		}
	}
	return m, nil
}

// testMail queues a test message and writes that down.
func (d *desk) testMail(ctx context.Context, to, lang string) (m notify.Mail, err error) {
	err = d.store.InTx(ctx, func(ctx context.Context) error {
		if m, err = d.mail.Queue(ctx, notify.Message{Key: "test/" + newID(), To: to, Lang: lang, Template: notify.TestMessage, Args: []any{"Sender", whoAsks(ctx)}, Path: "/mail"}); err != nil {
			return err
		}
		return d.audited(ctx, "mail.test", fmt.Sprint("mail/", m.Row), map[string]any{"to": to})
	})
	return m, err
}

// whoAsks names whoever acts, for the text of a message.
func whoAsks(ctx context.Context) string { return actor.From(ctx).ID }
