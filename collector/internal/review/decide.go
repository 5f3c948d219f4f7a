package review

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
)

// Where is how far an authorization reaches.
type Where string

// Reaches of an authorization.
const (
	Everywhere Where = "everywhere"
	AtSites    Where = "sites"    // those where it is now
	InAreas    Where = "areas"    // those where it is now
	OnMachines Where = "machines" // those where it is now
)

// Terms are the conditions of an authorization.
type Terms struct {
	Where    Where
	Versions bool      // only the versions that are there now
	Until    time.Time // last moment; zero: without an end
	Reason   string
}

// Draft is an authorization before it is saved: the rules that it makes, and what they
// would do.
type Draft struct {
	Selection Selection
	Rules     []policy.Rule
	Plan      allowlist.Plan
}

// Draft shows what an authorization would do. Errors as Select; Conflict "review.denied"
// where a rule denies a program; Invalid "allowlist.rule" as the allowlist says.
func (s *Service) Draft(ctx context.Context, p Pick, t Terms) (Draft, error) {
	d, err := s.draft(ctx, p, t)
	if err != nil {
		return d, err
	}
	d.Plan, err = s.cfg.Rules.AddRules(ctx, d.Rules, allowlist.Options{})
	return d, err
}

func (s *Service) draft(ctx context.Context, p Pick, t Terms) (Draft, error) {
	var d Draft
	var err error
	if d.Selection, err = s.Select(ctx, p); err != nil {
		return d, err
	}
	if d.Selection.Denied() {
		return d, apperr.New(apperr.Conflict, "review.denied", nil)
	}
	current, err := s.cfg.Rules.Current(ctx)
	if err != nil {
		return d, err
	}
	all := slices.Clone(current.Rules)
	for _, g := range d.Selection.Groups {
		for _, r := range rulesOf(g, d.Selection.programs[g.Key]) {
			if t.Versions {
				for _, v := range narrowed(r, g.Versions) {
					all, d.Rules = d.with(all, v, t, actor.From(ctx).ID)
				}
				continue
			}
			all, d.Rules = d.with(all, r, t, actor.From(ctx).ID)
		}
	}
	return d, nil
}

// narrowed is a rule for each version; one that tells none keeps the rule as it is.
func narrowed(r policy.Rule, versions []string) []policy.Rule {
	var out []policy.Rule
	for _, v := range versions {
		one := r
		if v != "" {
			one.Match.Version, one.Name = "="+v, r.Name+" · "+v
		}
		out = append(out, one)
	}
	return out
}

// with adds a rule under the terms, by a name that is free.
func (d *Draft) with(all []policy.Rule, r policy.Rule, t Terms, owner string) (with, mine []policy.Rule) {
	r.Name = allowlist.FreeName(r.Name, all)
	r.Owner, r.Reason, r.ValidUntil = owner, t.Reason, t.Until
	switch t.Where {
	case AtSites:
		r.Scope.Sites = d.Selection.Sites
	case InAreas:
		r.Scope.Areas = d.Selection.Areas
	case OnMachines:
		for _, host := range d.Selection.Hosts {
			r.Scope.Machines = append(r.Scope.Machines, policy.EscapeGlob(host))
		}
	}
	return append(all, r), append(d.Rules, r)
}

// check says what the terms lack: Invalid with the field.
func (t Terms) check(sel *Selection, now time.Time) error {
	invalid := func(field, key string) error { return apperr.New(apperr.Invalid, key, apperr.Args{"field": field}) }
	switch {
	case strings.TrimSpace(t.Reason) == "":
		return invalid("reason", "review.reason-missing")
	case t.Where == AtSites && len(sel.Sites) == 0, t.Where == InAreas && len(sel.Areas) == 0:
		return invalid("where", "review.no-place")
	case t.Where != Everywhere && t.Where != AtSites && t.Where != InAreas && t.Where != OnMachines:
		return invalid("where", "review.where-missing")
	case !t.Until.IsZero() && !t.Until.After(now):
		return invalid("until", "review.until-past")
	}
	return nil
}

// Authorize adds the rules of a draft, and keeps the decision. Errors as Draft; Invalid
// with the field that the terms lack.
func (s *Service) Authorize(ctx context.Context, p Pick, t Terms) (Decision, error) {
	d, err := s.draft(ctx, p, t)
	if err != nil {
		return Decision{}, err
	}
	if err := t.check(&d.Selection, s.cfg.Now()); err != nil {
		return Decision{}, err
	}
	plan, err := s.cfg.Rules.AddRules(ctx, d.Rules, allowlist.Options{Apply: true})
	if err != nil {
		return Decision{}, err
	}
	dec := s.decision(ctx, Authorize, &d.Selection)
	dec.Version, dec.Findings, dec.Machines = plan.Version, plan.Impact.Closes, plan.Impact.ClosesMachines
	return s.keep(ctx, dec, d.Selection.rows())
}

func (s *Service) decision(ctx context.Context, kind Kind, sel *Selection) Decision {
	return Decision{Kind: kind, At: s.cfg.Now().UTC(), By: actor.From(ctx).String(), Programs: sel.names(), Choices: len(sel.Groups),
		Findings: len(sel.Findings), Machines: sel.Machines}
}

// keep stores a decision with its findings and an audit entry.
func (s *Service) keep(ctx context.Context, d Decision, findings []int64) (Decision, error) {
	err := s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		if d, err = s.cfg.Store.AddDecision(ctx, d, findings); err != nil {
			return err
		}
		if d.Kind == Later {
			if err := s.cfg.Store.PutOff(ctx, d.ID); err != nil {
				return err
			}
		}
		return s.cfg.Audit.Append(ctx, audit.Entry{At: d.At, Actor: d.By, Action: "review." + string(d.Kind), Object: fmt.Sprintf("decision/%d", d.ID), After: audit.JSON(d)})
	})
	return d, err
}

// OpenRecords opens nonconformities for a pick: one for each machine. Errors as Select;
// TooMany "review.too-many-records".
func (s *Service) OpenRecords(ctx context.Context, p Pick) (Decision, error) {
	sel, err := s.Select(ctx, p)
	if err != nil {
		return Decision{}, err
	}
	if len(sel.Findings) > MaxRecords {
		return Decision{}, apperr.New(apperr.TooMany, "review.too-many-records", apperr.Args{"most": MaxRecords, "n": len(sel.Findings)})
	}
	var d Decision
	err = s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		opened, err := s.cfg.Records.OpenRecords(ctx, sel.findings())
		if err != nil {
			return err
		}
		rows := slices.DeleteFunc(sel.rows(), func(row int64) bool { return opened[row] == "" })
		if len(rows) == 0 {
			return apperr.New(apperr.NotFound, "review.nothing", nil)
		}
		d = s.decision(ctx, Record, &sel)
		d.Findings = len(rows)
		d, err = s.keep(ctx, d, rows)
		return err
	})
	return d, err
}

// PutOff takes a pick out of the queue for PutOffFor. Errors as Select.
func (s *Service) PutOff(ctx context.Context, p Pick) (Decision, error) {
	sel, err := s.Select(ctx, p)
	if err != nil {
		return Decision{}, err
	}
	d := s.decision(ctx, Later, &sel)
	d.Until = d.At.Add(PutOffFor)
	return s.keep(ctx, d, sel.rows())
}

// Undo takes a decision back: the rules are removed, the findings taken off their
// records, or they are in the queue again. Errors: NotFound "review.unknown"; Conflict
// "review.undone" when it was taken back already, "allowlist.overtaken" and
// "nonconformity.not-by-hand" when something else came after it.
func (s *Service) Undo(ctx context.Context, id int64) (Decision, error) {
	if err := mine(ctx); err != nil {
		return Decision{}, err
	}
	d, err := s.cfg.Store.Decision(ctx, id)
	if err != nil {
		return d, err
	}
	if !d.UndoneAt.IsZero() {
		return d, apperr.New(apperr.Conflict, "review.undone", nil)
	}
	if d.Kind == Authorize {
		none := -1 // what was open before opens again, however much that is
		if _, err := s.cfg.Rules.TakeBack(ctx, d.Version, allowlist.Options{Apply: true, MaxOpen: &none}); err != nil {
			return d, err
		}
	}
	before := d
	d.UndoneAt, d.UndoneBy = s.cfg.Now().UTC(), actor.From(ctx).String()
	return d, s.cfg.Store.InTx(ctx, func(ctx context.Context) error {
		switch d.Kind {
		case Record:
			var list []authorization.Finding
			list, err := s.cfg.Store.DecisionFindings(ctx, id)
			if err == nil {
				_, err = s.cfg.Records.WithdrawRecords(ctx, list)
			}
			if err != nil {
				return err
			}
		case Later:
			if err := s.cfg.Store.TakeUp(ctx, id); err != nil {
				return err
			}
		}
		if err := s.cfg.Store.MarkUndone(ctx, id, d.UndoneAt, d.UndoneBy); err != nil {
			return err
		}
		return s.cfg.Audit.Append(ctx, audit.Entry{At: d.UndoneAt, Actor: d.UndoneBy, Action: "review.undo", Object: fmt.Sprintf("decision/%d", id),
			Before: audit.JSON(before), After: audit.JSON(d)})
	})
}
