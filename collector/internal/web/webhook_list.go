package web

import (
	"context"
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/notify/webhook"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/web/form"
)

// Webhooks is what pages ask about other systems that are told of events;
// webhook.Service has it.
type Webhooks interface {
	List(ctx context.Context) ([]webhook.Hook, error)
	Get(ctx context.Context, row int64) (webhook.Hook, error)
	Create(ctx context.Context, h webhook.Hook) (webhook.Hook, error)
	Change(ctx context.Context, h webhook.Hook, renew bool) (webhook.Hook, error)
	Delete(ctx context.Context, row int64) error
	Test(ctx context.Context, row int64) (webhook.Delivery, error)
	Replay(ctx context.Context, row int64) (webhook.Delivery, error)
	Delivery(ctx context.Context, row int64) (webhook.Delivery, error)
	DeliveryPage(ctx context.Context, f webhook.Filter, o paging.Order) (paging.Page[webhook.Delivery], error)
	CountDeliveries(ctx context.Context, f webhook.Filter, most int) (int, error)
}

type webhookListPage struct {
	Page
	Hooks []webhook.Hook
	Saved string
	May   bool // change them
	Tabs  []headLink
}

// webhookList shows every hook: there are a few.
func (c *console) webhookList(w http.ResponseWriter, r *http.Request) error {
	p := webhookListPage{Page: c.newPage(w, r, "administration"), Saved: ""}
	p.Title, p.May, p.Tabs = p.T("admin.webhooks"), access.May(p.actor, access.ChangeSettings), webhookTabs(&p.Page)
	if done := form.OneOf(r, "done", "deleted"); done != "" {
		p.Saved = p.Word("webhook.done", done)
	}
	var err error
	if p.Hooks, err = c.Webhooks.List(r.Context()); err != nil {
		return err
	}
	return c.render(w, r, "webhook_list", p)
}

// Path is the page of a hook.
func (webhookListPage) Path(h webhook.Hook) string { return webhookPath(h.Row) }

func webhookPath(row int64) string  { return "/webhooks/" + strconv.FormatInt(row, 10) }
func deliveryPath(row int64) string { return "/deliveries/" + strconv.FormatInt(row, 10) }

func webhookTabs(p *Page) []headLink {
	return []headLink{{URL: "/webhooks", Text: p.T("webhook.addresses")}, {URL: "/deliveries", Text: p.T("webhook.deliveries")}}
}

// deliveryList declares the list of deliveries, newest first.
func (c *console) deliveryList() *listOf[webhook.Delivery] {
	var states []string
	for _, s := range webhook.States() {
		states = append(states, string(s))
	}
	return &listOf[webhook.Delivery]{
		name: "deliveries", path: "/deliveries", section: "administration", title: "webhook.deliveries", about: "webhook.deliveries.about",
		search: "webhook.search", count: "webhook.count", empty: "webhook.empty", emptyHelp: "webhook.empty.help", order: "-created",
		filters: []filter{{name: "state", label: "state", quick: true, closed: true, offer: words("webhook.state", states...)}},
		columns: []column[webhook.Delivery]{
			{key: "kind", heading: "webhook.kind", show: func(p *Page, d webhook.Delivery) cell {
				return cell{Text: d.Kind, URL: deliveryPath(d.Row), Mono: true}
			}},
			{key: "object", heading: "webhook.object", show: func(p *Page, d webhook.Delivery) cell { return p.textCell(d.Object) }},
			{key: "hook", heading: "webhook.one", show: func(p *Page, d webhook.Delivery) cell {
				return cell{Text: d.HookName, URL: webhookPath(d.Hook)}
			}},
			{key: "state", heading: "state", show: func(p *Page, d webhook.Delivery) cell { return p.tagCell("webhook.state", d.State) }},
			{key: "created", heading: "mail.queued", sort: "created", down: true, show: func(p *Page, d webhook.Delivery) cell { return p.sinceCell(d.CreatedAt) }},
			{key: "ended", heading: "mail.ended", show: func(p *Page, d webhook.Delivery) cell { return p.dateCell(d.EndedAt) }},
			{key: "attempts", heading: "mail.attempts", number: true, show: func(p *Page, d webhook.Delivery) cell { return p.countCell(d.Attempts, "") }},
			{key: "answer", heading: "webhook.answer", show: func(p *Page, d webhook.Delivery) cell { return cell{Text: d.Problem} }},
		},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[webhook.Delivery], error) {
			return c.Webhooks.DeliveryPage(ctx, deliveryFilter(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Webhooks.CountDeliveries(ctx, deliveryFilter(n), most)
		},
		key: func(d webhook.Delivery) string { return strconv.FormatInt(d.Row, 10) }, label: func(d webhook.Delivery) string { return d.Kind + " " + d.Object },
		tabs: webhookTabs,
	}
}

func deliveryFilter(n narrowing) webhook.Filter {
	return webhook.Filter{Query: n.Text, State: webhook.State(n.get("state"))}
}
