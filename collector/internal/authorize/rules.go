package authorize

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

// RuleList is the allowlist, as far as the review of rules needs it; allowlist.Service has
// it.
type RuleList interface {
	Rules
	ChangeRule(ctx context.Context, id string, r policy.Rule, opts allowlist.Options) (allowlist.Plan, error)
	RemoveRules(ctx context.Context, idsOrNames []string, opts allowlist.Options) (allowlist.Plan, error)
}

// Reviews is the use-case of the half-yearly review of rules and of the monthly list of
// exceptions. All fields are required.
type Reviews struct {
	Reviews    authorization.ReviewStore
	Allowlists authorization.Store
	Rules      RuleList
	Requests   request.Store
	Audit      audit.Log
	Now        func() time.Time
}

// Reviewed is a rule in force with its review.
type Reviewed struct {
	policy.Rule
	authorization.RuleReview
	Request string // number, where it came from one
	Over    bool   // nobody has looked at it for half a year
}

// List returns the rules in force, those whose review is due first.
func (v *Reviews) List(ctx context.Context) ([]Reviewed, error) {
	if _, err := access.Need(ctx, access.SeeAllowlist); err != nil {
		return nil, err
	}
	if err := v.catchUp(ctx); err != nil {
		return nil, err
	}
	a, err := v.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return nil, err
	}
	known, err := v.Reviews.RuleReviews(ctx)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(a.Rules))
	for i := range a.Rules {
		ids[i] = a.Rules[i].ID
	}
	from, err := v.Requests.RequestsOfRules(ctx, ids)
	if err != nil {
		return nil, err
	}
	list, now := make([]Reviewed, len(a.Rules)), v.Now()
	for i, r := range a.Rules {
		list[i] = Reviewed{Rule: r, RuleReview: known[r.ID], Request: from[r.ID]}
		list[i].Over = !now.Before(list[i].Due)
	}
	slices.SortStableFunc(list, func(a, b Reviewed) int {
		return cmp.Or(a.RuleReview.Due.Compare(b.RuleReview.Due), cmp.Compare(a.Name, b.Name))
	})
	return list, nil
}

// catchUp notes when and by whom rules were made, from the versions that were not read yet.
func (v *Reviews) catchUp(ctx context.Context) error {
	current, err := v.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return err
	}
	if upTo, err := v.Reviews.ReviewedUpTo(ctx); err != nil || upTo >= current.Version {
		return err
	}
	return v.Reviews.InTx(ctx, func(ctx context.Context) error {
		upTo, err := v.Reviews.ReviewedUpTo(ctx)
		if err != nil || upTo >= current.Version {
			return err
		}
		known, err := v.Reviews.RuleReviews(ctx)
		if err != nil {
			return err
		}
		for n := upTo + 1; n <= current.Version; n++ {
			a, err := v.Allowlists.AllowlistVersion(ctx, n)
			if err != nil {
				return err
			}
			for _, r := range a.Rules {
				if _, ok := known[r.ID]; ok {
					continue
				}
				x := authorization.RuleReview{RuleID: r.ID, MadeAt: a.CreatedAt, MadeBy: a.CreatedBy, Due: a.CreatedAt.Add(authorization.ReviewEvery)}
				known[r.ID] = x
				if err := v.Reviews.SaveRuleReview(ctx, x); err != nil {
					return err
				}
			}
		}
		return v.Reviews.SetReviewedUpTo(ctx, current.Version)
	})
}

// One returns a rule in force with its review. NotFound "allowlist.no-rule".
func (v *Reviews) One(ctx context.Context, id string) (Reviewed, error) {
	list, err := v.List(ctx)
	if err != nil {
		return Reviewed{}, err
	}
	i := slices.IndexFunc(list, func(d Reviewed) bool { return d.ID == id })
	if i < 0 {
		return Reviewed{}, apperr.New(apperr.NotFound, "allowlist.no-rule", apperr.Args{"rule": id})
	}
	return list[i], nil
}

// Keep says that rules are still needed. Errors: NotFound "allowlist.no-rule".
func (v *Reviews) Keep(ctx context.Context, ids []string, note string) error {
	if _, err := access.Need(ctx, access.ChangeAllowlist); err != nil {
		return err
	}
	list, err := v.List(ctx)
	if err != nil {
		return err
	}
	note = strings.TrimSpace(note)
	if len(note) > maxPurpose {
		return bad("note", "request.bad.text", apperr.Args{"max": maxPurpose})
	}
	return v.Reviews.InTx(ctx, func(ctx context.Context) error {
		for _, id := range ids {
			i := slices.IndexFunc(list, func(d Reviewed) bool { return d.ID == id })
			if i < 0 {
				return apperr.New(apperr.NotFound, "allowlist.no-rule", apperr.Args{"rule": id})
			}
			if err := v.reviewed(ctx, list[i].RuleReview, id, "keep", note); err != nil {
				return err
			}
		}
		return nil
	})
}

// reviewed notes a review in ctx's transaction.
func (v *Reviews) reviewed(ctx context.Context, was authorization.RuleReview, id, how, note string) error {
	is, now := was, v.Now().UTC().Truncate(time.Microsecond)
	is.RuleID, is.ReviewedAt, is.ReviewedBy, is.Note, is.Due = id, now, actor.From(ctx).String(), note, now.Add(authorization.ReviewEvery)
	if err := v.Reviews.SaveRuleReview(ctx, is); err != nil {
		return err
	}
	return v.Audit.Append(ctx, audit.Entry{At: now, Actor: is.ReviewedBy, Action: "rule.review", Object: "rule/" + id, Before: audit.JSON(was), After: audit.JSON(map[string]any{"how": how, "note": note, "due": is.Due})})
}

// Shorten lets a rule end after so many days, and counts as a review. Nothing opens until
// then. Errors: as allowlist.ChangeRule; Conflict "rule.ends-earlier".
func (v *Reviews) Shorten(ctx context.Context, id string, days int) (allowlist.Plan, error) {
	d, err := v.One(ctx, id)
	if err != nil {
		return allowlist.Plan{}, err
	}
	until := v.Now().UTC().Truncate(time.Second).AddDate(0, 0, days)
	if !d.ValidUntil.IsZero() && d.ValidUntil.Before(until) {
		return allowlist.Plan{}, apperr.New(apperr.Conflict, "rule.ends-earlier", apperr.Args{"until": d.ValidUntil})
	}
	r := d.Rule
	r.ValidUntil = until
	return v.Rules.ChangeRule(ctx, id, r, allowlist.Options{Apply: true, MaxOpen: new(0), Also: func(ctx context.Context, _ authorization.Allowlist) error {
		return v.reviewed(ctx, d.RuleReview, id, fmt.Sprintf("shorten to %d days", days), "")
	}})
}

// Remove takes a rule away; without apply it shows what that opens, and where. Errors: as
// allowlist.RemoveRules.
func (v *Reviews) Remove(ctx context.Context, id string, apply bool) (allowlist.Plan, error) {
	return v.Rules.RemoveRules(ctx, []string{id}, allowlist.Options{Apply: apply, MaxOpen: new(-1)})
}

// Exception is an authorization that is no part of the company's standard software: it came
// from a request, ends, or holds for some only.
type Exception struct {
	policy.Rule
	Request  string
	Category authorization.Category
	Person   string
	From     time.Time
	Until    time.Time // zero: no end
	By       string
	Reason   string    // business purpose
	Over     bool      // it ended in the month
	LastLook time.Time // last review; zero: none yet
}

// Exceptions lists those that held on some day of a month, by when they began (CIS
// Controls v8, 2.2 and 2.3). month is its first moment.
func (v *Reviews) Exceptions(ctx context.Context, month time.Time) ([]Exception, error) {
	rules, err := v.List(ctx)
	if err != nil {
		return nil, err
	}
	end := month.AddDate(0, 1, 0)
	requests, err := v.granted(ctx)
	if err != nil {
		return nil, err
	}
	var list []Exception
	for _, d := range rules {
		r, asked := requests[d.ID]
		if d.Effect != policy.Allow || !asked && d.ValidUntil.IsZero() && d.Scope.IsZero() {
			continue
		}
		delete(requests, d.ID)
		e := Exception{Rule: d.Rule, Request: r.Number, Category: r.Category, Person: cmp.Or(r.Person, d.Owner), From: d.MadeAt, Until: d.ValidUntil, By: d.MadeBy, Reason: d.Reason, LastLook: d.ReviewedAt}
		list = append(list, e)
	}
	for _, r := range requests { // whose rule was taken away or is over
		list = append(list, Exception{Rule: policy.Rule{Name: r.RuleName, Match: policy.Match{Name: r.Program, Publisher: r.Publisher}}, Request: r.Number, Category: r.Category, Person: r.Person,
			From: r.DecidedAt, Until: r.ValidUntil, By: r.DecidedBy, Reason: r.Purpose})
	}
	list = slices.DeleteFunc(list, func(e Exception) bool {
		return !e.From.Before(end) || !e.Until.IsZero() && e.Until.Before(month)
	})
	for i := range list {
		list[i].Over = !list[i].Until.IsZero() && list[i].Until.Before(end) && list[i].Until.Before(v.Now())
	}
	slices.SortFunc(list, func(a, b Exception) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Name, b.Name)) })
	return list, nil
}

// granted returns the requests that became rules, by the rule's id.
func (v *Reviews) granted(ctx context.Context) (map[string]request.Request, error) {
	out := make(map[string]request.Request)
	for _, s := range []request.State{request.Granted, request.Expired} {
		for o := (paging.Order{Limit: 1000}); ; {
			page, err := v.Requests.RequestPage(ctx, request.Filter{State: s}, o)
			if err != nil {
				return nil, err
			}
			for _, r := range page.Rows {
				if r.RuleID != "" {
					out[r.RuleID] = r
				}
			}
			if o.After = page.Next; o.After.IsZero() {
				break
			}
		}
	}
	return out, nil
}
