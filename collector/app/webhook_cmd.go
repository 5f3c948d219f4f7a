package app

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/notify/webhook"
	"vigia/collector/internal/paging"
)

type webhookCmds struct {
	List       webhookListCmd       `cmd:"" help:"List the addresses that are told of events."`
	Create     webhookCreateCmd     `cmd:"" help:"Tell an address of events; prints the secret of its signatures once."`
	Change     webhookChangeCmd     `cmd:"" help:"Change what an address is told of, or draw its secret anew."`
	Delete     webhookDeleteCmd     `cmd:"" help:"Tell an address no more, and forget its deliveries."`
	Test       webhookTestCmd       `cmd:"" help:"Queue a test event for an address."`
	Deliveries webhookDeliveriesCmd `cmd:"" help:"List what was told, newest first, and what became of it."`
	Replay     webhookReplayCmd     `cmd:"" help:"Send a delivery once more, with the id that it had."`
}

// webhookRow is one hook in JSON.
type webhookRow struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	URL       string     `json:"url"`
	Format    string     `json:"format"`
	Kinds     []string   `json:"kinds"`
	Language  string     `json:"language"`
	Active    bool       `json:"active"`
	CreatedAt *time.Time `json:"created_at"`
	CreatedBy string     `json:"created_by"`
	Secret    string     `json:"secret,omitempty"`
}

func toWebhookRow(h webhook.Hook) webhookRow {
	return webhookRow{h.Row, h.Name, h.URL, string(h.Format), h.Kinds, h.Lang, h.Active, utc(h.CreatedAt), h.CreatedBy, h.Secret}
}

type webhookListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (webhookListCmd) Help() string { return examples("webhook list", "webhook list --output json") }

// Run implements the command.
func (c *webhookListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		list, err := d.webhooks().List(ctx)
		if err != nil {
			return err
		}
		rows := []webhookRow{}
		for _, h := range list {
			rows = append(rows, toWebhookRow(h))
		}
		return show(s, c.Output, rows, []string{"ID", "NAME", "ACTIVE", "FORMAT", "KINDS", "URL"}, func(r webhookRow) []string {
			return []string{strconv.FormatInt(r.ID, 10), r.Name, strconv.FormatBool(r.Active), r.Format, strings.Join(r.Kinds, " "), r.URL}
		})
	})
}

type webhookCreateCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Name       string   `arg:"" help:"What it is called."`
	URL        string   `arg:"" help:"Where events are posted: https://host/path."`
	Kinds      []string `help:"Patterns of events: nonconformity.*, finding.opened, machine.* …" default:"nonconformity.*"`
	Format     string   `help:"event (whole, JSON) or chat ({\"text\"}, as chat systems take it)." enum:"event,chat" default:"event"`
	Language   string   `help:"Of the text: es or en; the company's unless given." enum:"es,en," default:""`
}

// Help implements kong.HelpProvider.
func (webhookCreateCmd) Help() string {
	return examples("webhook create tickets https://tickets.example.com/hooks/vigia --kinds 'nonconformity.*,finding.opened'",
		"webhook create chat https://chat.example.com/hooks/abc --format chat --language es")
}

// Run implements the command.
func (c *webhookCreateCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		h, err := d.webhooks().Create(ctx, webhook.Hook{Name: c.Name, URL: c.URL, Format: webhook.Format(c.Format), Kinds: c.Kinds, Lang: c.Language, Active: true})
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(s.out, toWebhookRow(h))
		}
		fmt.Fprintln(s.errOut, "the secret of its signatures, shown this once:")
		_, err = fmt.Fprintln(s.out, h.Secret)
		return err
	})
}

type webhookChangeCmd struct {
	dataFlags   `embed:""`
	ID          int64    `arg:"" help:"Number of the webhook."`
	Name        string   `help:"A new name." placeholder:"NAME"`
	URL         string   `help:"A new address." placeholder:"URL"`
	Kinds       []string `help:"New patterns of events." placeholder:"KIND"`
	Format      string   `help:"event or chat." enum:"event,chat," default:""`
	On          bool     `help:"Tell it of events again." xor:"active"`
	Off         bool     `help:"Tell it of nothing until --on." xor:"active"`
	RenewSecret bool     `help:"Draw the secret anew and print it once."`
}

// Help implements kong.HelpProvider.
func (webhookChangeCmd) Help() string {
	return examples("webhook change 3 --off", "webhook change 3 --kinds 'nonconformity.*' --on", "webhook change 3 --renew-secret")
}

// Run implements the command.
func (c *webhookChangeCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		h, err := d.webhooks().Get(ctx, c.ID)
		if err != nil {
			return err
		}
		h.Name, h.URL = cmp.Or(c.Name, h.Name), cmp.Or(c.URL, h.URL)
		h.Format = webhook.Format(cmp.Or(c.Format, string(h.Format)))
		if len(c.Kinds) > 0 {
			h.Kinds = c.Kinds
		}
		h.Active = h.Active && !c.Off || c.On
		if h, err = d.webhooks().Change(ctx, h, c.RenewSecret); err != nil || !c.RenewSecret {
			return err
		}
		_, err = fmt.Fprintln(s.out, h.Secret)
		return err
	})
}

type webhookDeleteCmd struct {
	dataFlags `embed:""`
	ID        int64 `arg:"" help:"Number of the webhook."`
}

// Help implements kong.HelpProvider.
func (webhookDeleteCmd) Help() string { return examples("webhook delete 3") }

// Run implements the command.
func (c *webhookDeleteCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error { return d.webhooks().Delete(ctx, c.ID) })
}

type webhookTestCmd struct {
	dataFlags `embed:""`
	ID        int64 `arg:"" help:"Number of the webhook."`
}

// Help implements kong.HelpProvider.
func (webhookTestCmd) Help() string { return examples("webhook test 3") }

// Run implements the command.
func (c *webhookTestCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		x, err := d.webhooks().Test(ctx, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "delivery %d waits; a running collector sends it\n", x.Row)
		return err
	})
}

// deliveryRow is one delivery in JSON.
type deliveryRow struct {
	ID        int64      `json:"id"`
	Webhook   string     `json:"webhook"`
	Event     string     `json:"event"`
	Kind      string     `json:"kind"`
	Object    string     `json:"object"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	Status    int        `json:"status"`
	Problem   string     `json:"problem"`
	CreatedAt *time.Time `json:"created_at"`
	NextAt    *time.Time `json:"next_at"`
	EndedAt   *time.Time `json:"ended_at"`
	Replays   int64      `json:"replays"`
	Body      string     `json:"body"`
}

func toDeliveryRow(x webhook.Delivery) deliveryRow {
	r := deliveryRow{x.Row, x.HookName, x.UUID, x.Kind, x.Object, string(x.State), x.Attempts, x.Status, x.Problem, utc(x.CreatedAt), nil, utc(x.EndedAt), x.Replays, x.Body}
	if x.State == webhook.Waiting {
		r.NextAt = utc(x.NextAt)
	}
	return r
}

type webhookDeliveriesCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Query      string `arg:"" optional:"" help:"Part of a kind or an object."`
	Webhook    int64  `help:"Of this webhook only." placeholder:"ID"`
	State      string `help:"waiting, failed or delivered." enum:"waiting,failed,delivered,any" default:"any"`
	Limit      int    `help:"How many." default:"100"`
}

// Help implements kong.HelpProvider.
func (webhookDeliveriesCmd) Help() string {
	return examples("webhook deliveries --state failed", "webhook deliveries NC-2026-0001 --output json")
}

// Run implements the command.
func (c *webhookDeliveriesCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		f := webhook.Filter{Hook: c.Webhook, Query: c.Query}
		if c.State != "any" {
			f.State = webhook.State(c.State)
		}
		page, err := d.webhooks().DeliveryPage(ctx, f, paging.Order{Limit: min(max(c.Limit, 1), 1000)})
		if err != nil {
			return err
		}
		rows := []deliveryRow{}
		for _, x := range page.Rows {
			rows = append(rows, toDeliveryRow(x))
		}
		return show(s, c.Output, rows, []string{"ID", "WEBHOOK", "STATE", "KIND", "OBJECT", "TRIES", "ANSWER"}, func(r deliveryRow) []string {
			return []string{strconv.FormatInt(r.ID, 10), r.Webhook, r.State, r.Kind, r.Object, strconv.Itoa(r.Attempts), r.Problem}
		})
	})
}

type webhookReplayCmd struct {
	dataFlags `embed:""`
	ID        int64 `arg:"" help:"Number of the delivery."`
}

// Help implements kong.HelpProvider.
func (webhookReplayCmd) Help() string { return examples("webhook replay 12") }

// Run implements the command.
func (c *webhookReplayCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		x, err := d.webhooks().Replay(ctx, c.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "delivery %d waits; a running collector sends it\n", x.Row)
		return err
	})
}
