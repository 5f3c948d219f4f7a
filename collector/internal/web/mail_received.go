package web

import (
	"context"
	"strconv"

	"vigia/collector/internal/notify/inbox"
	"vigia/collector/internal/paging"
)

// Inbox is what pages ask about letters that came back; store.Store has it.
type Inbox interface {
	ReceivedPage(ctx context.Context, f inbox.Filter, o paging.Order) (paging.Page[inbox.Received], error)
	ReceivedCount(ctx context.Context, f inbox.Filter, most int) (int, error)
}

// receivedList declares the list of letters that came back, newest first.
func (c *console) receivedList() *listOf[inbox.Received] {
	var outcomes []string
	for _, o := range inbox.Outcomes() {
		outcomes = append(outcomes, string(o))
	}
	return &listOf[inbox.Received]{
		name: "received", path: "/received", section: "administration", title: "received.title", about: "received.about", search: "received.search", count: "received.count",
		empty: "received.empty", emptyHelp: "received.empty.help", order: "-at",
		filters: []filter{{name: "outcome", label: "received.outcome", closed: true, offer: words("received.outcome", outcomes...)}},
		columns: []column[inbox.Received]{
			{key: "from", heading: "received.from", show: func(p *Page, x inbox.Received) cell { return p.textCell(x.From) }},
			{key: "subject", heading: "mail.subject", show: func(p *Page, x inbox.Received) cell { return p.textCell(x.Subject) }},
			{key: "outcome", heading: "received.outcome", show: func(p *Page, x inbox.Received) cell { return p.tagCell("received.outcome", x.Outcome) }},
			{key: "object", heading: "received.object", show: func(p *Page, x inbox.Received) cell {
				if x.Outcome == inbox.Commented {
					return cell{Text: x.Object, URL: "/nonconformities/" + urlValue(x.Object)}
				}
				return p.textCell(x.Object)
			}},
			{key: "at", heading: "received.at", sort: "at", down: true, show: func(p *Page, x inbox.Received) cell { return p.sinceCell(x.At) }},
			{key: "problem", heading: "mail.problem", off: true, show: func(p *Page, x inbox.Received) cell { return cell{Text: x.Problem} }},
		},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[inbox.Received], error) {
			return c.Inbox.ReceivedPage(ctx, receivedFilter(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Inbox.ReceivedCount(ctx, receivedFilter(n), most)
		},
		key: func(x inbox.Received) string { return strconv.FormatInt(x.Row, 10) }, label: func(x inbox.Received) string { return x.Subject },
		tabs: mailTabs,
	}
}

func receivedFilter(n narrowing) inbox.Filter {
	return inbox.Filter{Query: n.Text, Outcome: inbox.Outcome(n.get("outcome"))}
}
