package web

import (
	"errors"
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/title"
	"vigia/collector/internal/web/form"
)

// titleRulesPage lists the rules, with a form for one more and what it would change.
type titleRulesPage struct {
	Page
	Tabs    []headLink
	Set     title.Ruleset
	May     bool // change them
	Rule    title.Rule
	Fields  []field
	Problem string
	Look    string // "add" or "remove": what Preview is of
	Gone    title.Rule
	Preview title.Preview
	More    int // changed names that are not listed
	Saved   string
}

// titleRules shows the rules, and a preview when one is asked for.
func (c *console) titleRules(w http.ResponseWriter, r *http.Request) error {
	p, err := c.newTitleRules(w, r)
	if err != nil {
		return err
	}
	if done := form.OneOf(r, "done", "added", "removed", "undone"); done != "" {
		p.Saved = p.Word("title.done", done)
	}
	p.Rule = title.Rule{Name: form.Text(r, "name"), Publisher: form.Text(r, "publisher"), Strip: form.Text(r, "strip") == "yes",
		ToName: form.Text(r, "to_name"), ToPublisher: form.Text(r, "to_publisher"), Reason: form.Text(r, "reason")}
	status := http.StatusOK
	switch look := form.OneOf(r, "look", "add", "remove"); {
	case !p.May:
	case look == "add":
		p.Preview, err = c.Titles.PreviewAdd(r.Context(), p.Rule)
		p.Look = look
	case look == "remove":
		id := form.Number(r, "rule", 1<<53)
		p.Preview, err = c.Titles.PreviewRemove(r.Context(), id)
		p.Look, p.Gone = look, ruleOf(p.Set, id)
	}
	if err != nil {
		if status, err = p.refused(err); err != nil {
			return err
		}
	}
	return c.showTitleRules(w, status, p)
}

func (c *console) newTitleRules(w http.ResponseWriter, r *http.Request) (titleRulesPage, error) {
	p := titleRulesPage{Page: c.newPage(w, r, "software")}
	p.Title, p.Tabs, p.May = p.T("title.rules"), programTabs(&p.Page), access.May(p.actor, access.ChangeAllowlist)
	var err error
	p.Set, err = c.Titles.Rules(r.Context())
	return p, err
}

// refused keeps what is wrong with a rule to show beside its field; other failures come
// back.
func (p *titleRulesPage) refused(err error) (int, error) {
	var e *apperr.Error
	if !errors.As(err, &e) || e.Code != apperr.Invalid {
		return 0, err
	}
	p.Look, p.Problem = "", p.Error(err)
	return http.StatusUnprocessableEntity, nil
}

func (c *console) showTitleRules(w http.ResponseWriter, status int, p titleRulesPage) error {
	p.More = p.Preview.Names - len(p.Preview.Changes)
	p.Fields = []field{
		{Name: "name", Label: p.T("title.rule.name"), Help: p.T("title.rule.pattern"), Kind: "text", Value: p.Rule.Name},
		{Name: "publisher", Label: p.T("title.rule.publisher"), Kind: "text", Value: p.Rule.Publisher},
		{Name: "strip", Label: p.T("title.rule.strip"), Help: p.T("title.rule.strip.help"), Kind: "check", Value: "yes", Checked: p.Rule.Strip},
		{Name: "to_name", Label: p.T("title.rule.to-name"), Kind: "text", Value: p.Rule.ToName},
		{Name: "to_publisher", Label: p.T("title.rule.to-publisher"), Kind: "text", Value: p.Rule.ToPublisher},
		{Name: "reason", Label: p.T("title.rule.reason"), Kind: "text", Value: p.Rule.Reason},
	}
	return c.execute(w, status, "title_rules", "layout", p)
}

func ruleOf(s title.Ruleset, id int64) title.Rule {
	for _, r := range s.Rules {
		if r.ID == id {
			return r
		}
	}
	return title.Rule{}
}

// titleRuleAdd adds a rule.
func (c *console) titleRuleAdd(w http.ResponseWriter, r *http.Request) error {
	rule := title.Rule{Name: posted(r, "name", maxName), Publisher: posted(r, "publisher", maxName), Strip: r.PostFormValue("strip") == "yes",
		ToName: posted(r, "to_name", maxName), ToPublisher: posted(r, "to_publisher", maxName), Reason: posted(r, "reason", maxName)}
	if _, err := c.Titles.Add(r.Context(), rule); err != nil {
		p, perr := c.newTitleRules(w, r)
		if perr != nil {
			return perr
		}
		p.Rule = rule
		status, err := p.refused(err)
		if err != nil {
			return err
		}
		return c.showTitleRules(w, status, p)
	}
	return c.done(w, r, titleRulesPath, "added")
}

// titleRuleRemove takes a rule away.
func (c *console) titleRuleRemove(w http.ResponseWriter, r *http.Request) error {
	id, err := number(r, "n", "title.rule-unknown")
	if err != nil {
		return err
	}
	if _, err := c.Titles.Remove(r.Context(), id); err != nil {
		return err
	}
	return c.done(w, r, titleRulesPath, "removed")
}

// titleRuleUndo takes the last change back.
func (c *console) titleRuleUndo(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.Titles.Undo(r.Context()); err != nil {
		return err
	}
	return c.done(w, r, titleRulesPath, "undone")
}

// LookRemove is the address of the preview of taking a rule away.
func (p titleRulesPage) LookRemove(id int64) string {
	return form.Link(titleRulesPath, "look", "remove", "rule", strconv.FormatInt(id, 10))
}
