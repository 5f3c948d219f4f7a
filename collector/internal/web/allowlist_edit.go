package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/web/form"
	"vigia/internal/policy"
)

// ruleEditPage is the form of a rule, with what saving it would do beside it.
type ruleEditPage struct {
	Page
	Crumbs  []headLink
	Action  string
	Cancel  string
	Rule    policy.Rule
	Base    int64
	Owner   []choice // offered
	Match   []formField
	Scope   []formField
	Except  []formField
	Open    bool // the exceptions are not folded away
	From    string
	Until   string
	Problem map[string]string // by field; "" is about the whole
	Plan    *allowlist.Plan
}

// formField is one field of a rule: a text, a choice, boxes, or one value in each line.
type formField struct {
	Name, Label, Help string
	Value             string
	Choices           []choice
	Boxes             []ruleBox
	Lines             bool
	Problem           string
}

// ruleNew asks for a rule; the address may fill in what it is about.
func (c *console) ruleNew(w http.ResponseWriter, r *http.Request) error {
	rule := policy.Rule{Effect: policy.Allow, Name: form.Text(r, "title")}
	if a := r.URL.Query().Get("effect"); a == string(policy.Deny) {
		rule.Effect = policy.Deny
	}
	for name, into := range map[string]*string{"program": &rule.Match.Name, "publisher": &rule.Match.Publisher, "source": &rule.Match.Source} {
		*into = policy.EscapeGlob(form.Text(r, name))
	}
	rule.Owner = actor.From(r.Context()).ID
	return c.ruleForm(w, r, ruleEditPage{Action: allowlistPath + "/rules", Cancel: allowlistPath, Rule: rule}, nil)
}

// ruleCreate shows what a new rule would do, and saves it when told to.
func (c *console) ruleCreate(w http.ResponseWriter, r *http.Request) error {
	p := ruleEditPage{Action: allowlistPath + "/rules", Cancel: allowlistPath}
	return c.ruleSave(w, r, &p, func(opts allowlist.Options) (allowlist.Plan, error) {
		return c.Rules.AddRules(r.Context(), []policy.Rule{p.Rule}, opts)
	})
}

// ruleEdit asks for changes of a rule.
func (c *console) ruleEdit(w http.ResponseWriter, r *http.Request) error {
	rule, a, err := c.Rules.FindRule(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.ruleForm(w, r, ruleEditPage{Action: rulePath(rule.ID), Cancel: rulePath(rule.ID), Rule: rule, Base: a.Version}, nil)
}

// ruleChange shows what the change would do, and saves it when told to.
func (c *console) ruleChange(w http.ResponseWriter, r *http.Request) error {
	rule, _, err := c.Rules.FindRule(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	p := ruleEditPage{Action: rulePath(rule.ID), Cancel: rulePath(rule.ID)}
	p.Rule.ID = rule.ID
	return c.ruleSave(w, r, &p, func(opts allowlist.Options) (allowlist.Plan, error) {
		return c.Rules.ChangeRule(r.Context(), rule.ID, p.Rule, opts)
	})
}

// ruleSave reads the form into p, which change reads from, and shows or does it.
func (c *console) ruleSave(w http.ResponseWriter, r *http.Request, p *ruleEditPage, change func(allowlist.Options) (allowlist.Plan, error)) error {
	p.Problem = map[string]string{}
	p.Page = c.newPage(w, r, "software")
	c.postedRule(r, p)
	if len(p.Problem) > 0 {
		return c.ruleForm(w, r, *p, nil)
	}
	opts := changeOptions(r)
	opts.Base = &p.Base // as the form was when it was opened, however often it is looked at
	plan, err := change(opts)
	if err == nil && plan.Applied {
		return c.changed(w, r, allowlistPath, plan)
	}
	if plan.Version > 0 && (err == nil || apperr.Is(err, apperr.TooMany)) {
		p.Plan = &plan
		if opts.Apply { // more would open than was shown
			p.Problem[""] = p.T("allowlist.look-again")
		}
		err = nil
	}
	return c.ruleForm(w, r, *p, err)
}

// changeOptions are those of a form that shows first and saves when told to: no more may
// open than it has shown, and nobody else may have changed anything meanwhile.
func changeOptions(r *http.Request) allowlist.Options {
	var opts allowlist.Options
	opts.Apply = r.PostFormValue("step") == "save"
	if opts.Apply {
		seen, err := strconv.Atoi(r.PostFormValue("seen"))
		if err != nil || seen < 0 {
			seen = 0
		}
		opts.MaxOpen = &seen
		if base, err := strconv.ParseInt(r.PostFormValue("base"), 10, 64); err == nil && base >= 0 {
			opts.Base = &base
		}
	}
	return opts
}

// changed goes on to a page that tells what was changed, with the way back.
func (c *console) changed(w http.ResponseWriter, r *http.Request, path string, plan allowlist.Plan) error {
	http.Redirect(w, r, form.Link(path, "changed", strconv.FormatInt(plan.Version, 10)), http.StatusSeeOther)
	return nil
}

// postedRule reads the form's rule into p, with what cannot be read as problems.
func (c *console) postedRule(r *http.Request, p *ruleEditPage) {
	rule := &p.Rule
	rule.Name, rule.Effect, rule.Owner = cleaned(r.PostFormValue("name"), 4*policy.MaxName), policy.Effect(cleaned(r.PostFormValue("effect"), 20)), cleaned(r.PostFormValue("owner"), 2*policy.MaxText)
	rule.Reason = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(r.PostFormValue("reason"), ""), "\r\n", "\n"))
	for _, f := range matchFields(&rule.Match) {
		*f.value = cleaned(r.PostFormValue(formName(f.name)), 2*policy.MaxPattern)
	}
	rule.Match.SHA256 = strings.ToLower(rule.Match.SHA256)
	for _, t := range targetFields(&rule.Scope) {
		for _, v := range r.PostForm[t.name] {
			for line := range strings.SplitSeq(v, "\n") {
				if line = cleaned(line, 2*policy.MaxName); line != "" && !slices.Contains(*t.values, line) && len(*t.values) <= policy.MaxTargets {
					*t.values = append(*t.values, line)
				}
			}
		}
	}
	for name, into := range map[string]*time.Time{"valid_from": &rule.ValidFrom, "valid_until": &rule.ValidUntil} {
		text := cleaned(r.PostFormValue(name), 40)
		at, err := parseBound(text, c.zone(r), name == "valid_until")
		if err != nil {
			p.Problem[name] = p.T("rule.date-wrong", "Value", text)
		}
		*into = at
	}
	p.From, p.Until = cleaned(r.PostFormValue("valid_from"), 40), cleaned(r.PostFormValue("valid_until"), 40)
	p.Base, _ = strconv.ParseInt(r.PostFormValue("base"), 10, 64)
}

// formName is the form's field of a match's field; a rule has a name and a scope itself.
func formName(match string) string {
	switch match {
	case "name":
		return "program"
	case "scope":
		return "installed"
	}
	return match
}

// ruleForm shows the form, after a failure with what is wrong beside each field and
// everything that was typed.
func (c *console) ruleForm(w http.ResponseWriter, r *http.Request, p ruleEditPage, failure error) error {
	p.Page = c.newPage(w, r, "software")
	p.Help = "/help/allowlist"
	if p.Problem == nil {
		p.Problem = map[string]string{}
	}
	status, err := p.take(failure)
	if err != nil {
		return err
	}
	if len(p.Problem) > 0 {
		if p.Problem[""] == "" {
			p.Problem[""] = p.T("org.form")
		}
		if status == http.StatusOK {
			status = http.StatusUnprocessableEntity
		}
	}
	p.Crumbs = p.allowlistCrumbs()
	p.Title = p.T("rule.new")
	if p.Rule.ID != "" {
		p.Title = p.T("rule.edit")
		p.Crumbs = append(p.Crumbs, headLink{URL: rulePath(p.Rule.ID), Text: p.Rule.Name})
	}
	if r.Method == http.MethodGet {
		a, err := c.Rules.Current(r.Context())
		if err != nil {
			return err
		}
		p.Base = a.Version
		p.From, p.Until = boundText(p.Rule.ValidFrom, c.zone(r), false), boundText(p.Rule.ValidUntil, c.zone(r), true)
	}
	if err := c.ruleFields(r, &p); err != nil {
		return err
	}
	if r.Header.Get("HX-Request") == "true" { // the part that shows what would change
		status = http.StatusOK
	}
	return c.execute(w, status, "rule_edit", "layout", p)
}

// take keeps what a person can mend; other failures come back.
func (p *ruleEditPage) take(failure error) (int, error) {
	if failure == nil {
		return http.StatusOK, nil
	}
	if problems := allowlist.ProblemsOf(failure); len(problems) > 0 {
		for _, e := range problems {
			name := formFieldOf(e.Field)
			if p.Problem[name] == "" {
				p.Problem[name] = p.FieldProblem(e)
			}
		}
		return http.StatusUnprocessableEntity, nil
	}
	var e *apperr.Error
	if !errors.As(failure, &e) || e.Code != apperr.Conflict && e.Code != apperr.Invalid && e.Code != apperr.TooMany {
		return 0, failure
	}
	p.Problem[""] = p.Error(failure)
	if now, ok := e.Args["current"].(int64); ok { // once it was read, saving again goes on from there
		p.Base = now
	}
	return statusOf(e.Code), nil
}

// ruleFields makes the fields of the form.
func (c *console) ruleFields(r *http.Request, p *ruleEditPage) error {
	ctx := r.Context()
	for _, f := range matchFields(&p.Rule.Match) {
		name := formName(f.name)
		x := formField{Name: name, Label: p.Word("policy.field", f.name), Help: p.Word("rule.help", f.name), Value: *f.value, Problem: p.Problem[name]}
		if f.name == "scope" {
			x.Choices = []choice{{"", p.T("rule.any")}, {"machine", p.Word("scope", "machine")}, {"user", p.Word("scope", "user")}}
		}
		p.Match = append(p.Match, x)
	}
	sites, err := c.sitesInUse(ctx, &p.Page)
	if err != nil {
		return err
	}
	areas, err := c.areasInUse(ctx, &p.Page)
	if err != nil {
		return err
	}
	groups, err := c.groupsInUse(r)
	if err != nil {
		return err
	}
	for _, t := range targetFields(&p.Rule.Scope) {
		x := formField{Name: t.name, Label: p.Word("rule.kind", t.kind), Help: p.Word("rule.help", t.kind), Problem: p.Problem[t.name]}
		switch t.kind {
		case "sites":
			x.Boxes = boxes(sites, *t.values)
		case "areas":
			x.Boxes = boxes(areas, *t.values)
		case "groups":
			x.Boxes = boxes(groups, *t.values)
		default:
			x.Lines, x.Value = true, strings.Join(*t.values, "\n")
		}
		if !x.Lines && len(x.Boxes) == 0 {
			continue
		}
		if t.except {
			p.Except = append(p.Except, x)
			p.Open = p.Open || len(*t.values) > 0 || x.Problem != ""
		} else {
			p.Scope = append(p.Scope, x)
		}
	}
	return nil
}

// groupsInUse offers the groups of machines.
func (c *console) groupsInUse(r *http.Request) ([]choice, error) {
	rows, err := c.Groups.GroupRows(r.Context())
	var list []choice
	for _, g := range rows {
		list = append(list, choice{g.Name, g.Name})
	}
	return list, err
}

func (p Page) allowlistCrumbs() []headLink {
	return []headLink{{URL: "/software", Text: p.T("nav.software")}, {URL: allowlistPath, Text: p.T("allowlist.title")}}
}
