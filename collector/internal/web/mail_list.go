package web

import (
	"context"
	"strconv"

	"vigia/collector/internal/notify"
	"vigia/collector/internal/paging"
)

// MailLists reads the queue of mail; store.Store has it.
type MailLists interface {
	MailPage(ctx context.Context, f notify.Filter, o paging.Order) (paging.Page[notify.Mail], error)
	MailCount(ctx context.Context, f notify.Filter, most int) (int, error)
	MailCounts(ctx context.Context) (notify.Counts, error)
	MailByRow(ctx context.Context, row int64) (notify.Mail, error)
}

// Mail is what pages ask about mail.
type Mail interface {
	MailLists
	MailServer(ctx context.Context) (notify.Server, error) // an empty Host: not configured
	RetryMail(ctx context.Context, row int64) (notify.Mail, error)
	TestMail(ctx context.Context, to, lang string) (notify.Mail, error)
}

// mailList declares the list of mail, newest first.
func (c *console) mailList() *listOf[notify.Mail] {
	var states []string
	for _, s := range notify.States() {
		states = append(states, string(s))
	}
	return &listOf[notify.Mail]{
		name: "mail", path: "/mail", section: "administration", title: "admin.mail", about: "admin.mail.about", search: "mail.search", count: "mail.count",
		empty: "mail.empty", emptyHelp: "mail.empty.help", order: "-queued",
		filters: []filter{{name: "state", label: "state", quick: true, closed: true, offer: words("mail.state", states...)}},
		columns: []column[notify.Mail]{
			{key: "subject", heading: "mail.subject", show: func(p *Page, m notify.Mail) cell { return cell{Text: m.Subject, URL: mailPath(m)} }},
			{key: "to", heading: "mail.to", show: func(p *Page, m notify.Mail) cell { return cell{Text: m.To, Sub: m.ToName} }},
			{key: "state", heading: "state", show: func(p *Page, m notify.Mail) cell { return p.tagCell("mail.state", m.State) }},
			{key: "queued", heading: "mail.queued", sort: "queued", down: true, show: func(p *Page, m notify.Mail) cell { return p.sinceCell(m.CreatedAt) }},
			{key: "ended", heading: "mail.ended", show: func(p *Page, m notify.Mail) cell { return p.dateCell(m.EndedAt) }},
			{key: "attempts", heading: "mail.attempts", number: true, show: func(p *Page, m notify.Mail) cell { return p.countCell(m.Attempts, "") }},
			{key: "problem", heading: "mail.problem", show: func(p *Page, m notify.Mail) cell { return cell{Text: m.Problem} }},
			{key: "thread", heading: "mail.thread", off: true, show: func(p *Page, m notify.Mail) cell { return p.textCell(m.Thread) }},
		},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[notify.Mail], error) {
			return c.Mail.MailPage(ctx, mailFilter(n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Mail.MailCount(ctx, mailFilter(n), most)
		},
		key: func(m notify.Mail) string { return strconv.FormatInt(m.Row, 10) }, label: func(m notify.Mail) string { return m.Subject },
		tabs: mailTabs,
	}
}

func mailFilter(n narrowing) notify.Filter {
	return notify.Filter{Query: n.Text, State: notify.State(n.get("state"))}
}

func mailPath(m notify.Mail) string { return "/mail/" + strconv.FormatInt(m.Row, 10) }

func mailTabs(p *Page) []headLink {
	return []headLink{{URL: "/mail", Text: p.T("mail.messages")}, {URL: "/received", Text: p.T("received.title")}, {URL: "/mail/server", Text: p.T("mail.server")}}
}
