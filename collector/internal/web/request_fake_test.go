package web_test

import (
	"context"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/promise"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

// fakeRequests has a request in each state, a question and promises.
type fakeRequests struct{ *fake }

func (f fakeRequests) all() []request.Request {
	var list []request.Request
	for i, s := range request.States() {
		r := request.Request{Row: int64(i + 1), Number: request.FormatNumber(2026, i+1), State: s, Program: "AnyDesk", Publisher: "AnyDesk Software GmbH", Described: "Control " + markup, Category: authorization.RemoteControl,
			Machine: laptop, Hostname: "pc-017", Person: "luis@example.com", PersonName: "Luis", Area: "Ingeniería", Site: "Querétaro", AskedBy: "luis@example.com", AskedAt: ago(3 * day), Purpose: "Soporte a clientes",
			Wanted: now.Add(60 * day), Money: 125050, Currency: "MXN", License: "por usuario", Needs: request.Route{Manager: true, Purchasing: true}, Finding: 41,
			History: []request.Event{{At: ago(3 * day), Actor: "person:luis@example.com", Kind: "asked", Detail: "Soporte"}, {At: ago(day), Actor: "system:requests", Kind: "reminded", Detail: "30"}}}
		if s == request.Granted || s == request.Refused || s == request.Expired {
			r.DecidedAt, r.DecidedBy, r.Reason = ago(day), "ana@example.com", "Proyecto"
		}
		if s == request.Granted || s == request.Expired {
			r.Reach, r.RuleID, r.RuleName, r.ValidUntil = request.ForMachine, "R1", r.Number+" · AnyDesk", now.Add(20*day)
		}
		list = append(list, r)
	}
	if f.empty {
		return nil
	}
	return list
}

func (f fakeRequests) Page(_ context.Context, q request.Filter, o paging.Order) (paging.Page[request.Request], error) {
	var list []request.Request
	for _, r := range f.all() {
		if (q.State == "" || r.State == q.State) && (!q.Pending || r.State.Pending()) {
			list = append(list, r)
		}
	}
	return pageOf(list, o, f.broken)
}

func (f fakeRequests) Count(context.Context, request.Filter, int) (int, error) { return 0, f.broken }

func (f fakeRequests) Request(_ context.Context, number string) (request.Request, error) {
	for _, r := range f.all() {
		if r.Number == number {
			return r, f.broken
		}
	}
	return request.Request{}, apperr.New(apperr.NotFound, "request.unknown", apperr.Args{"number": number})
}

func (f fakeRequests) Tray(context.Context) request.Filter { return request.Filter{Pending: true} }

func (f fakeRequests) May(ctx context.Context, r request.Request) ([]request.Action, error) {
	if !r.State.Pending() || actor.From(ctx).Role == actor.Employee {
		return nil, f.broken
	}
	return []request.Action{map[request.Party]request.Action{request.Manager: request.ApproveManager, request.Purchasing: request.ApprovePurchasing, request.IT: request.Grant}[r.Awaits()], request.Refuse, request.Withdraw}, f.broken
}

func (f fakeRequests) Ask(_ context.Context, d authorize.Draft) (request.Request, error) {
	if d.Purpose == "" {
		return request.Request{}, apperr.New(apperr.Invalid, "request.bad.purpose", apperr.Args{"field": "purpose"})
	}
	return f.all()[0], f.broken
}

func (f fakeRequests) Renewal(_ context.Context, number string) (authorize.Draft, error) {
	return authorize.Draft{Program: "AnyDesk", Money: 100, Renews: number}, f.broken
}

func (f fakeRequests) Decide(_ context.Context, number string, d authorize.Decision) (request.Request, allowlist.Plan, error) {
	if d.Reason == "" {
		return request.Request{}, allowlist.Plan{}, apperr.New(apperr.Invalid, "request.bad.reason", apperr.Args{"field": "reason"})
	}
	r, err := f.Request(context.Background(), number)
	return r, allowlist.Plan{}, err
}

func (f fakeRequests) Preview(context.Context, string, authorize.Decision) (policy.Rule, allowlist.Plan, error) {
	return policy.Rule{}, allowlist.Plan{Cover: &allowlist.Cover{Machines: 3, Programs: 2, Names: []allowlist.ProgramUses{{Name: "AnyDesk"}, {Name: "AnyDesk MSI"}}}, Impact: allowlist.Impact{Closes: 1}}, f.broken
}

func (f fakeRequests) Known(context.Context) ([]string, error) {
	return []string{"7-Zip", "AnyDesk"}, f.broken
}

func (f fakeRequests) question(answer promise.Answer) promise.Question {
	return promise.Question{Row: 3, Finding: 41, Person: "luis@example.com", AskedBy: "ana@example.com", AskedAt: ago(day), Expires: now.Add(5 * day), Answer: answer, Request: "AUT-2026-0001",
		Machine: laptop, Hostname: "pc-017", Program: "AnyDesk", Version: "9", Found: authorization.Open}
}

func (f fakeRequests) AskUser(context.Context, int64) (promise.Question, error) {
	return f.question(""), f.broken
}

func (f fakeRequests) Look(_ context.Context, secret string) (promise.Question, error) {
	if secret == "contestada" {
		return f.question(promise.Remove), f.broken
	}
	if secret != "pregunta" {
		return promise.Question{}, apperr.New(apperr.NotFound, "question.unknown", nil)
	}
	return f.question(""), f.broken
}

func (f fakeRequests) ByLink(ctx context.Context, secret string) (context.Context, promise.Question, error) {
	q, err := f.Look(ctx, secret)
	return ctx, q, err
}

func (f fakeRequests) Mine(_ context.Context, row int64) (promise.Question, error) {
	if row != 3 {
		return promise.Question{}, apperr.New(apperr.NotFound, "question.unknown", nil)
	}
	return f.question(""), f.broken
}

func (f fakeRequests) Need(ctx context.Context, _ int64, d authorize.Draft) (request.Request, error) {
	return f.Ask(ctx, d)
}

func (f fakeRequests) Remove(_ context.Context, _ int64, day string) (promise.Promise, error) {
	if day == "" {
		return promise.Promise{}, apperr.New(apperr.Invalid, "promise.bad.none", apperr.Args{"field": "day"})
	}
	return promise.Promise{}, f.broken
}

func (f fakeRequests) List(ctx context.Context, q promise.Filter) ([]promise.Promise, []promise.Question, error) {
	if f.empty || q.Finding != 0 && q.Finding != 41 || q.Finding == 0 && actor.From(ctx).ID != "luis@example.com" {
		return nil, nil, f.broken
	}
	var list []promise.Promise
	for i, s := range promise.States() {
		list = append(list, promise.Promise{Row: int64(i + 1), Finding: 41, Person: "luis@example.com", MadeAt: ago(day), Due: now.Add(time.Duration(i-2) * day), State: s, Program: "AnyDesk", Hostname: "pc-017", Told: map[promise.State]string{promise.Broken: "NC-2026-0001"}[s], Report: report1})
	}
	return list, []promise.Question{f.question(""), f.question(promise.Need), f.question(promise.Remove)}, f.broken
}
