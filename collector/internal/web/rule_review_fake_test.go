package web_test

import (
	"context"
	"time"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorize"
)

// fakeRuleReviews has every sample rule, one of them overdue.
type fakeRuleReviews struct{ *fake }

func (f fakeRuleReviews) List(context.Context) ([]authorize.Reviewed, error) {
	var list []authorize.Reviewed
	for i, r := range f.allow.Rules {
		list = append(list, authorize.Reviewed{Rule: r, Over: i == 0, Request: map[int]string{0: "AUT-2026-0004"}[i], RuleReview: authorization.RuleReview{RuleID: r.ID, MadeAt: ago(200 * day), MadeBy: "cli:root",
			ReviewedAt: ago(time.Duration(i) * 100 * day), ReviewedBy: "person:ana@example.com", Note: "sigue", Due: now.Add(time.Duration(i*20-10) * day)}})
	}
	return list, f.broken
}

func (f fakeRuleReviews) One(ctx context.Context, id string) (authorize.Reviewed, error) {
	list, err := f.List(ctx)
	for _, r := range list {
		if r.ID == id {
			return r, err
		}
	}
	return authorize.Reviewed{}, apperr.New(apperr.NotFound, "allowlist.no-rule", apperr.Args{"rule": id})
}

func (f fakeRuleReviews) Keep(context.Context, []string, string) error { return f.broken }

func (f fakeRuleReviews) Shorten(context.Context, string, int) (allowlist.Plan, error) {
	return allowlist.Plan{}, f.broken
}

func (f fakeRuleReviews) Remove(context.Context, string, bool) (allowlist.Plan, error) {
	return allowlist.Plan{Impact: allowlist.Impact{Opens: 3, Machines: 2, ByProgram: []allowlist.ProgramImpact{{Name: "AnyDesk", Opens: 3}}}}, f.broken
}

func (f fakeRuleReviews) Exceptions(ctx context.Context, _ time.Time) ([]authorize.Exception, error) {
	list, err := f.List(ctx)
	var out []authorize.Exception
	for _, r := range list {
		out = append(out, authorize.Exception{Rule: r.Rule, Request: r.Request, Category: authorization.Game, Person: "luis@example.com", From: r.MadeAt, Until: now, Over: true, Reason: "prueba"})
	}
	return out, err
}
