package authorize

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/request"
	"vigia/internal/policy"
)

// Decision is one step of somebody.
type Decision struct {
	Action request.Action
	Reason string

	// Of a grant:
	Reach request.Reach
	Until string       // a day; empty: no end
	Match policy.Match // what the rule covers; without a name, that of the request
}

// May tells which actions the actor can take on r now, in the order of request.Actions.
func (s *Service) May(ctx context.Context, r request.Request) ([]request.Action, error) {
	var list []request.Action
	for _, a := range request.Actions() {
		switch err := s.allowed(ctx, r, a); {
		case err == nil:
			list = append(list, a)
		case !apperr.Is(err, apperr.Forbidden) && !apperr.Is(err, apperr.Conflict):
			return nil, err
		}
	}
	return list, nil
}

// allowed reports whether the actor may take an action: Conflict "request.step" where it
// does not follow, Forbidden "request.not-your-turn" or "request.own".
func (s *Service) allowed(ctx context.Context, r request.Request, action request.Action) error {
	if _, err := request.Next(r.State, r.Needs, action); err != nil {
		return err
	}
	a := actor.From(ctx)
	not := apperr.New(apperr.Forbidden, "request.not-your-turn", nil)
	turn := r.Awaits()
	switch action {
	case request.Expire:
		if a.Kind != actor.System {
			return not
		}
		return nil
	case request.Withdraw:
		if a.Kind == actor.Person && (a.ID == r.Person || a.ID == r.AskedBy) || it(a) {
			return nil
		}
		return not
	case request.Refuse:
		if it(a) {
			turn = request.IT
		}
	}
	if a.Kind == actor.Person && a.ID == r.Person && a.Role != actor.Administrator {
		return apperr.New(apperr.Forbidden, "request.own", nil)
	}
	ok, err := s.hasTurn(ctx, a, r, turn)
	if err == nil && !ok {
		return not
	}
	return err
}

// hasTurn reports whether a takes a party's step of r. An administrator may stand in for
// anybody; the history says who it was.
func (s *Service) hasTurn(ctx context.Context, a actor.Actor, r request.Request, turn request.Party) (bool, error) {
	if chief(a) {
		return true, nil
	}
	switch turn {
	case request.IT:
		return it(a), nil
	case request.Purchasing:
		return a.Role == actor.Purchasing, nil
	case request.Manager:
		manager, err := s.managerOf(ctx, r.Area)
		return a.Role == actor.AreaManager && strings.EqualFold(manager, a.ID), err
	}
	return false, nil
}

// Decide takes a step on behalf of the actor in ctx. Errors: as Request; Invalid with the
// field; Conflict "request.step"; Forbidden "request.not-your-turn", "request.own". The
// plan is that of a grant.
func (s *Service) Decide(ctx context.Context, number string, d Decision) (request.Request, allowlist.Plan, error) {
	r, err := s.Request(ctx, number)
	if err != nil {
		return r, allowlist.Plan{}, err
	}
	if err := s.allowed(ctx, r, d.Action); err != nil {
		return r, allowlist.Plan{}, err
	}
	d.Reason = strings.TrimSpace(d.Reason)
	if (d.Action == request.Refuse || d.Action == request.Grant) && d.Reason == "" {
		return r, allowlist.Plan{}, bad("reason", "request.bad.reason", nil)
	}
	if len(d.Reason) > maxPurpose {
		return r, allowlist.Plan{}, bad("reason", "request.bad.text", apperr.Args{"max": maxPurpose})
	}
	if d.Action == request.Grant {
		return s.grant(ctx, r, d)
	}
	err = s.Requests.InTx(ctx, func(ctx context.Context) error {
		r, err = s.step(ctx, number, d, nil)
		return err
	})
	return r, allowlist.Plan{}, err
}

// step takes one step of a request in ctx's transaction, under its lock.
func (s *Service) step(ctx context.Context, number string, d Decision, change func(r *request.Request)) (request.Request, error) {
	r, err := s.Requests.LockRequest(ctx, number)
	if err != nil {
		return r, err
	}
	if err := s.allowed(ctx, r, d.Action); err != nil {
		return r, err
	}
	before := r
	if r.State, err = request.Next(r.State, r.Needs, d.Action); err != nil {
		return r, err
	}
	a := actor.From(ctx)
	now := s.now()
	r.History = append(slices.Clone(r.History), request.Event{At: now, Actor: a.String(), Kind: string(d.Action), Detail: d.Reason})
	if r.State == request.Granted || r.State == request.Refused {
		r.DecidedAt, r.DecidedBy, r.Reason = now, a.ID, d.Reason
	}
	if change != nil {
		change(&r)
	}
	if err := s.Requests.SaveRequest(ctx, r); err != nil {
		return r, err
	}
	if r.Renews != "" && !r.State.Pending() && r.State != request.Granted { // the old one may be prolonged by another
		if err := s.renewedBy(ctx, r.Renews, ""); err != nil {
			return r, err
		}
	}
	if err := s.record(ctx, "request."+string(d.Action), &before, r); err != nil {
		return r, err
	}
	if r.State.Pending() {
		return r, s.tellNext(ctx, r)
	}
	if r.State != request.Withdrawn && !(before.State == request.Granted) {
		return r, s.tellDecided(ctx, r)
	}
	return r, nil
}

// Preview is what granting would do: the rule that would be made, and what it would also
// cover. Errors as Decide.
func (s *Service) Preview(ctx context.Context, number string, d Decision) (policy.Rule, allowlist.Plan, error) {
	r, err := s.Request(ctx, number)
	if err != nil {
		return policy.Rule{}, allowlist.Plan{}, err
	}
	rule, err := s.ruleOf(ctx, r, d)
	if err != nil {
		return rule, allowlist.Plan{}, err
	}
	plan, err := s.Rules.AddRules(ctx, []policy.Rule{rule}, allowlist.Options{})
	return rule, plan, fieldOf(err)
}

// grant makes the rule and the granted request in one transaction.
func (s *Service) grant(ctx context.Context, r request.Request, d Decision) (request.Request, allowlist.Plan, error) {
	rule, err := s.ruleOf(ctx, r, d)
	if err != nil {
		return r, allowlist.Plan{}, err
	}
	number := r.Number
	plan, err := s.Rules.AddRules(ctx, []policy.Rule{rule}, allowlist.Options{Apply: true, MaxOpen: new(-1), Also: func(ctx context.Context, saved authorization.Allowlist) error {
		made := saved.Rules[len(saved.Rules)-1]
		next, err := s.step(ctx, number, d, func(r *request.Request) {
			r.RuleID, r.RuleName, r.Reach, r.ValidUntil = made.ID, made.Name, d.Reach, made.ValidUntil
			r.Reminded = request.RemindedAt(s.now(), made.ValidUntil)
		})
		r = next
		return err
	}})
	return r, plan, fieldOf(err)
}

// fieldOf names the field of a rule that cannot be made.
func fieldOf(err error) error {
	if list := allowlist.ProblemsOf(err); len(list) > 0 {
		return apperr.Wrap(err, apperr.Invalid, "request.bad.match", apperr.Args{"field": strings.TrimPrefix(list[0].Field, "match."), "value": list[0].Value})
	}
	return err
}

// ruleOf is the rule that a grant makes: named after the request, so that each leads to
// the other.
func (s *Service) ruleOf(ctx context.Context, r request.Request, d Decision) (policy.Rule, error) {
	m := d.Match
	if m.Name == "" && m.Publisher == "" && m.Path == "" && m.SHA256 == "" {
		m.Name = policy.EscapeGlob(r.Program)
		if m.Publisher == "" && r.Publisher != "" {
			m.Publisher = policy.EscapeGlob(r.Publisher)
		}
	}
	until, err := s.dayEnd(ctx, "until", d.Until)
	if err != nil {
		return policy.Rule{}, err
	}
	current, err := s.Rules.Current(ctx)
	if err != nil {
		return policy.Rule{}, err
	}
	rule := policy.Rule{Name: allowlist.FreeName(fmt.Sprintf("%s · %s", r.Number, r.Program), current.Rules), Effect: policy.Allow, Match: m,
		Owner: r.Person, Reason: short(r.Purpose), ValidUntil: until}
	switch d.Reach {
	case request.ForMachine:
		if r.Machine == "" {
			return rule, bad("reach", "request.bad.reach-machine", nil)
		}
		rule.Scope.Machines = []string{policy.EscapeGlob(r.Hostname)}
	case request.ForUser:
		rule.Scope.Users = []string{r.Person}
	case request.ForArea:
		if r.Area == "" {
			return rule, bad("reach", "request.bad.reach-area", nil)
		}
		rule.Scope.Areas = []string{r.Area}
	case request.ForSite:
		if r.Site == "" {
			return rule, bad("reach", "request.bad.reach-site", nil)
		}
		rule.Scope.Sites = []string{r.Site}
	case request.ForAll:
	default:
		return rule, bad("reach", "request.bad.reach", nil)
	}
	return rule, nil
}

// short fits a text into a rule's reason.
func short(s string) string {
	s = tidy(s)
	const most = 400
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// Tick does what time alone does: requests that nobody decided and grants that are over
// end, and reminders go out. It is safe on several collectors at once.
func (s *Service) Tick(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Actor{Kind: actor.System, ID: "requests"})
	const batch = 100
	for {
		due, err := s.Requests.DueRequests(ctx, s.now(), batch)
		if err != nil {
			return err
		}
		for _, r := range due {
			if err := s.Requests.InTx(ctx, func(ctx context.Context) error { return s.tick(ctx, r.Number) }); err != nil {
				return fmt.Errorf("request %s: %w", r.Number, err)
			}
		}
		if len(due) < batch {
			return nil
		}
	}
}

func (s *Service) tick(ctx context.Context, number string) error {
	r, err := s.Requests.LockRequest(ctx, number)
	if err != nil {
		return err
	}
	expire, remind := request.Due(r, s.now())
	if expire {
		_, err := s.step(ctx, number, Decision{Action: request.Expire}, nil)
		return err
	}
	if remind == 0 {
		return nil
	}
	before := r
	r.Reminded = remind
	r.History = append(slices.Clone(r.History), request.Event{At: s.now(), Actor: actor.From(ctx).String(), Kind: "reminded", Detail: fmt.Sprint(remind)})
	if err := s.Requests.SaveRequest(ctx, r); err != nil {
		return err
	}
	if err := s.record(ctx, "request.remind", &before, r); err != nil {
		return err
	}
	return s.tellEnding(ctx, r, remind)
}

// Left is how many whole days a grant has left.
func Left(until, now time.Time) int { return int(until.Sub(now) / (24 * time.Hour)) }
