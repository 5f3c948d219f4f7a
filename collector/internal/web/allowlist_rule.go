package web

import (
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// ruleShowPage is one rule: what it says, what it covers, how it came to be so.
type ruleShowPage struct {
	Page
	Crumbs  []headLink
	Rule    policy.Rule
	State   string
	May     bool
	Covers  *allowlist.Cover // nil: not counted yet
	Counted allowlist.Uses   // when
	More    int              // programs that are not named
	Changes []ruleStep
	Older   bool
	Changed *changedBar
}

// ruleStep is one version that changed the rule.
type ruleStep struct {
	allowlist.RuleChange
	Fields []ruleDiff
}

// ruleDiff is one field before and after.
type ruleDiff struct{ Name, Before, After string }

// ruleShow shows a rule in force.
func (c *console) ruleShow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p := ruleShowPage{Page: c.newPage(w, r, "software")}
	p.Help = "/help/allowlist"
	var err error
	if p.Rule, _, err = c.Rules.FindRule(ctx, r.PathValue("id")); err != nil {
		return err
	}
	p.Title, p.Crumbs, p.State, p.May = p.Rule.Name, p.allowlistCrumbs(), ruleState(&p.Rule, c.Now()), access.May(p.actor, access.ChangeAllowlist)
	uses, err := c.Rules.Uses(ctx)
	if err != nil {
		return err
	}
	if uses != nil {
		cover := uses.ByRule[p.Rule.ID]
		p.Covers, p.Counted = &cover, allowlist.Uses{At: uses.At}
		p.More = cover.Programs - min(len(cover.Names), previewed)
		p.Covers.Names = cover.Names[:min(len(cover.Names), previewed)]
	}
	changes, older, err := c.Rules.RuleHistory(ctx, p.Rule.ID)
	if err != nil {
		return err
	}
	p.Older = older
	for _, x := range changes {
		p.Changes = append(p.Changes, ruleStep{x, p.differs(x.Before, x.After, x.Kind == "changed")})
	}
	if p.Changed, err = c.changedNow(r, &p.Page); err != nil {
		return err
	}
	return c.render(w, r, "rule_show", p)
}

// differs tells the fields that a change of a rule touched.
func (p Page) differs(before, after policy.Rule, changed bool) []ruleDiff {
	if !changed {
		return nil
	}
	var list []ruleDiff
	add := func(name, was, is string) {
		if was != is {
			list = append(list, ruleDiff{name, was, is})
		}
	}
	add(p.T("rule.name"), before.Name, after.Name)
	add(p.T("rules.effect"), p.Word("effect", string(before.Effect)), p.Word("effect", string(after.Effect)))
	add(p.T("rule.match"), p.Matches(before.Match), p.Matches(after.Match))
	add(p.T("rule.where"), p.Reaches(before.Scope), p.Reaches(after.Scope))
	add(p.T("rule.owner"), before.Owner, after.Owner)
	add(p.T("rule.reason"), before.Reason, after.Reason)
	add(p.T("rule.until"), p.Valid(before), p.Valid(after))
	return list
}

// ruleRemovePage asks whether rules are to go, with what that would open.
type ruleRemovePage struct {
	Page
	Crumbs  []headLink
	IDs     []string
	Names   []policy.Rule
	Plan    *allowlist.Plan
	Problem string
	Base    int64
}

// ruleRemoveForm shows what removing rules would do.
func (c *console) ruleRemoveForm(w http.ResponseWriter, r *http.Request) error {
	ids := r.URL.Query()["row"]
	if len(ids) == 0 || len(ids) > maxChosen {
		http.Redirect(w, r, allowlistPath, http.StatusSeeOther)
		return nil
	}
	return c.showRemove(w, r, ids)
}

// ruleRemove removes rules when told to, and shows what that would do before.
func (c *console) ruleRemove(w http.ResponseWriter, r *http.Request) error {
	ids, err := chosenRows(r)
	if err != nil {
		return err
	}
	return c.showRemove(w, r, ids)
}

func (c *console) showRemove(w http.ResponseWriter, r *http.Request, ids []string) error {
	ctx := r.Context()
	p := ruleRemovePage{Page: c.newPage(w, r, "software"), IDs: ids}
	p.Help = "/help/allowlist"
	p.Title, p.Crumbs = p.T("rule.remove.title"), p.allowlistCrumbs()
	for _, id := range ids {
		rule, a, err := c.Rules.FindRule(ctx, id)
		if err != nil {
			return err
		}
		p.Names, p.Base = append(p.Names, rule), a.Version
	}
	plan, done, err := p.decide(r, func(o allowlist.Options) (allowlist.Plan, error) { return c.Rules.RemoveRules(ctx, ids, o) })
	if err != nil {
		return err
	} else if done {
		return c.changed(w, r, allowlistPath, plan)
	}
	p.Plan = &plan
	return c.execute(w, statusWith(p.Problem), "rule_remove", "layout", p)
}

// statusWith is the status of a form that is shown, again where it has a problem.
func statusWith(problem string) int {
	if problem != "" {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}

func (p *ruleRemovePage) decide(r *http.Request, change func(allowlist.Options) (allowlist.Plan, error)) (allowlist.Plan, bool, error) {
	return decide(&p.Page, r, &p.Problem, change)
}

// decide does a change when the form says so; else, and when more would open than the
// form has shown or somebody was faster, it returns what would happen now.
func decide(p *Page, r *http.Request, problem *string, change func(allowlist.Options) (allowlist.Plan, error)) (plan allowlist.Plan, done bool, err error) {
	opts := changeOptions(r)
	plan, err = change(opts)
	switch {
	case err == nil:
		return plan, plan.Applied, nil
	case apperr.Is(err, apperr.TooMany) && plan.Version > 0:
		*problem = p.T("allowlist.look-again")
		return plan, false, nil
	case opts.Apply && apperr.Is(err, apperr.Conflict):
		*problem = p.Error(err)
		plan, err = change(allowlist.Options{})
	}
	return plan, false, err
}

// versionNumber is the version in the path.
func versionNumber(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || n < 1 {
		return 0, apperr.New(apperr.NotFound, "allowlist.unknown", nil)
	}
	return n, nil
}
