package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization/promise"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

// Requests is what pages ask about requests, questions and promises; authorize.Questions
// has it.
type Requests interface {
	Page(ctx context.Context, f request.Filter, o paging.Order) (paging.Page[request.Request], error)
	Count(ctx context.Context, f request.Filter, most int) (int, error)
	Request(ctx context.Context, number string) (request.Request, error)
	Tray(ctx context.Context) request.Filter
	May(ctx context.Context, r request.Request) ([]request.Action, error)
	Ask(ctx context.Context, d authorize.Draft) (request.Request, error)
	Renewal(ctx context.Context, number string) (authorize.Draft, error)
	Decide(ctx context.Context, number string, d authorize.Decision) (request.Request, allowlist.Plan, error)
	Preview(ctx context.Context, number string, d authorize.Decision) (policy.Rule, allowlist.Plan, error)
	Known(ctx context.Context) ([]string, error)

	AskUser(ctx context.Context, finding int64) (promise.Question, error)
	Look(ctx context.Context, secret string) (promise.Question, error)
	ByLink(ctx context.Context, secret string) (context.Context, promise.Question, error)
	Mine(ctx context.Context, row int64) (promise.Question, error)
	Need(ctx context.Context, row int64, d authorize.Draft) (request.Request, error)
	Remove(ctx context.Context, row int64, day string) (promise.Promise, error)
	List(ctx context.Context, f promise.Filter) ([]promise.Promise, []promise.Question, error)
}

// requestsPath is where requests are.
const requestsPath = "/authorizations"

func requestPath(number string) string { return requestsPath + "/" + number }

// requestList declares the list of requests, newest first.
func (c *console) requestList() *listOf[request.Request] {
	filterOf := func(ctx context.Context, n narrowing) request.Filter {
		f := request.Filter{}
		switch n.get("tray") {
		case "me":
			f = c.Requests.Tray(ctx)
		case "pending":
			f.Pending = true
		case "ending":
			f.Ending = c.Now().AddDate(0, 0, request.Ahead()[0])
		}
		f.Query, f.State = n.Text, request.State(n.get("state"))
		return f
	}
	var states []string
	for _, s := range request.States() {
		states = append(states, string(s))
	}
	return &listOf[request.Request]{
		name: "requests", path: requestsPath, section: "authorizations", title: "requests.title", about: "requests.about", search: "requests.search", count: "count.requests",
		empty: "requests.empty", emptyHelp: "requests.empty.help", order: "-number", columns: requestColumns(),
		filters: []filter{
			{name: "tray", label: "request.tray", quick: true, closed: true, offer: words("request.tray", "me", "pending", "ending")},
			{name: "state", label: "state", closed: true, offer: words("request.state", states...)},
		},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[request.Request], error) {
			return c.Requests.Page(ctx, filterOf(ctx, n), o)
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			return c.Requests.Count(ctx, filterOf(ctx, n), most)
		},
		links: func(p *Page) []headLink {
			return append([]headLink{{URL: requestsPath + "/new", Text: p.T("request.new"), Icon: "plus"}}, ruleLinks(p)...)
		},
	}
}

func requestColumns() []column[request.Request] {
	type req = request.Request
	return []column[req]{
		{key: "number", heading: "request.number", sort: "number", down: true, show: func(p *Page, r req) cell { return cell{Text: r.Number, URL: requestPath(r.Number)} }},
		{key: "program", heading: "program", sort: "program", show: func(p *Page, r req) cell { return cell{Text: r.Program, Sub: r.Publisher} }},
		{key: "person", heading: "request.person", sort: "person", show: func(p *Page, r req) cell {
			if r.PersonName != "" {
				return cell{Text: r.PersonName, Sub: r.Area}
			}
			return cell{Text: r.Person, Sub: r.Area}
		}},
		{key: "machine", heading: "machine", show: func(p *Page, r req) cell {
			if r.Hostname == "" {
				return cell{Text: p.T("request.every-machine"), Quiet: true}
			}
			return cell{Text: r.Hostname}
		}},
		{key: "state", heading: "state", sort: "state", show: func(p *Page, r req) cell {
			x := p.tagCell("request.state", r.State)
			if a := r.Awaits(); a != "" {
				x.Sub = p.Word("request.awaits", string(a))
			}
			return x
		}},
		{key: "category", heading: "severity.category", off: true, show: func(p *Page, r req) cell { return cell{Text: p.categoryName(r.Category)} }},
		{key: "cost", heading: "request.money", off: true, show: func(p *Page, r req) cell { return cell{Text: p.money(r), Quiet: r.Money == 0} }},
		{key: "asked", heading: "request.asked", sort: "asked", down: true, show: func(p *Page, r req) cell { return p.sinceCell(r.AskedAt) }},
		{key: "until", heading: "request.valid-until", sort: "until", down: true, show: func(p *Page, r req) cell {
			if r.ValidUntil.IsZero() && r.State == request.Granted {
				return cell{Text: p.T("request.no-end"), Quiet: true}
			}
			if r.ValidUntil.IsZero() {
				return cell{Text: p.T("list.none"), Quiet: true}
			}
			return p.dateCell(r.ValidUntil)
		}},
	}
}

// money is a request's cost in words.
func (p *Page) money(r request.Request) string {
	if r.Money == 0 {
		return p.T("request.no-cost")
	}
	return fmt.Sprintf("%s.%02d %s", p.Number(r.Money/100), r.Money%100, r.Currency)
}

// day is a moment's day as a date field has it; "" for none.
func (p *Page) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(p.Zone).Format(time.DateOnly)
}

// mark sets what is wrong beside its field, or returns it as a problem of the form; other
// failures than those of a form come back.
func mark(p *Page, fields []field, failure error) (string, error) {
	var e *apperr.Error
	if !errors.As(failure, &e) || e.Code != apperr.Invalid && e.Code != apperr.Conflict {
		return "", failure
	}
	for i := range fields {
		if fields[i].Name == e.Args["field"] {
			fields[i].Problem = p.Error(failure)
			return "", nil
		}
	}
	return p.Error(failure), nil
}

// statusFor is that of a form that was refused.
func statusFor(failure error) int {
	if failure == nil {
		return http.StatusOK
	}
	return http.StatusUnprocessableEntity
}
