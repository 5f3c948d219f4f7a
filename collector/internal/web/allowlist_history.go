package web

import (
	"errors"
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
)

// shownChanges is how many rules of each kind a difference lists.
const shownChanges = 200

type allowlistHistoryPage struct {
	Page
	Tabs     []headLink
	Here     string
	Versions []authorization.Allowlist
	Changed  *changedBar
}

// allowlistHistory lists the newest versions.
func (c *console) allowlistHistory(w http.ResponseWriter, r *http.Request) error {
	p := allowlistHistoryPage{Page: c.newPage(w, r, "software"), Here: allowlistPath + "/history"}
	p.Help, p.Title, p.Tabs = "/help/allowlist", p.T("allowlist.history.title"), allowlistTabs(&p.Page)
	var err error
	if p.Versions, err = c.Rules.History(r.Context(), 200); err != nil {
		return err
	}
	if p.Changed, err = c.changedNow(r, &p.Page); err != nil {
		return err
	}
	return c.render(w, r, "allowlist_history", p)
}

type allowlistVersionPage struct {
	Page
	Crumbs  []headLink
	Version authorization.Allowlist
	Diff    diffView
	May     bool
	Plan    *allowlist.Plan // of taking it back; nil where that cannot be
	Cannot  string          // why not
	Problem string          // what happened
	Base    int64
}

// diffView is the difference of two versions as a page tells it.
type diffView struct {
	Mode, Baseline *ruleDiff
	Added, Removed []ruleLine
	Changed        []ruleLine
	More           int // rules that are not listed
	Same           bool
}

// ruleLine is a rule with the fields that changed.
type ruleLine struct {
	Name, Text string
	Fields     []ruleDiff
}

func (p Page) diffOf(d allowlist.Difference) diffView {
	v := diffView{Same: d.Same()}
	if d.Mode[0] != d.Mode[1] {
		v.Mode = &ruleDiff{p.T("mode"), p.Word("mode", string(d.Mode[0])), p.Word("mode", string(d.Mode[1]))}
	}
	if d.Baseline[0] != d.Baseline[1] {
		v.Baseline = &ruleDiff{p.T("policy.baseline"), p.Word("rule.baseline", strconv.FormatBool(d.Baseline[0])), p.Word("rule.baseline", strconv.FormatBool(d.Baseline[1]))}
	}
	for i, r := range d.Added {
		if i < shownChanges {
			v.Added = append(v.Added, ruleLine{Name: r.Name, Text: p.Word("effect", string(r.Effect)) + " · " + p.Matches(r.Match) + " · " + p.Reaches(r.Scope)})
		}
	}
	for i, r := range d.Removed {
		if i < shownChanges {
			v.Removed = append(v.Removed, ruleLine{Name: r.Name, Text: p.Word("effect", string(r.Effect)) + " · " + p.Matches(r.Match) + " · " + p.Reaches(r.Scope)})
		}
	}
	for i, x := range d.Changed {
		if i < shownChanges {
			v.Changed = append(v.Changed, ruleLine{Name: x[1].Name, Fields: p.differs(x[0], x[1], true)})
		}
	}
	v.More = len(d.Added) + len(d.Removed) + len(d.Changed) - len(v.Added) - len(v.Removed) - len(v.Changed)
	return v
}

// allowlistVersion shows what a version changed, and what taking it back would do.
func (c *console) allowlistVersion(w http.ResponseWriter, r *http.Request) error {
	return c.showVersion(w, r, "")
}

func (c *console) showVersion(w http.ResponseWriter, r *http.Request, problem string) error {
	n, err := versionNumber(r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	p := allowlistVersionPage{Page: c.newPage(w, r, "software"), Problem: problem}
	v, d, err := c.Rules.Version(ctx, n)
	if err != nil {
		return err
	}
	p.Help, p.Version, p.Diff, p.May = "/help/allowlist", v, p.diffOf(d), access.May(p.actor, access.ChangeAllowlist)
	p.Title = p.T("allowlist.version", "Version", n)
	p.Crumbs = append(p.allowlistCrumbs(), headLink{URL: allowlistPath + "/history", Text: p.T("allowlist.history.tab")})
	status := statusWith(problem)
	if p.May && !d.Same() {
		plan, err := c.Rules.TakeBack(ctx, n, allowlist.Options{})
		switch {
		case err == nil:
			p.Plan, p.Base = &plan, plan.Current
		case apperr.Is(err, apperr.Conflict):
			p.Cannot = p.overtaken(err)
		default:
			return err
		}
	}
	return c.execute(w, status, "allowlist_version", "layout", p)
}

// allowlistUndo takes a version back. From a bar, which shows nothing before, no more may
// open than the usual caps let; above them the version's page asks.
func (c *console) allowlistUndo(w http.ResponseWriter, r *http.Request) error {
	n, err := versionNumber(r)
	if err != nil {
		return err
	}
	opts := allowlist.Options{Apply: true}
	if r.PostFormValue("step") == "save" {
		opts = changeOptions(r)
	}
	plan, err := c.Rules.TakeBack(r.Context(), n, opts)
	if code := apperr.CodeOf(err); err != nil && (code == apperr.TooMany || code == apperr.Conflict) {
		p := c.newPage(w, r, "")
		text := p.overtaken(err)
		if code == apperr.TooMany {
			text = p.T("allowlist.look-again")
		}
		return c.showVersion(w, r, text)
	} else if err != nil {
		return err
	}
	return c.changed(w, r, allowlistPath+"/history", plan)
}

// overtaken is why a version cannot be taken back, with a mode in words.
func (p Page) overtaken(err error) string {
	var e *apperr.Error
	if !errors.As(err, &e) || e.Key != "allowlist.overtaken" {
		return p.Error(err)
	}
	what, _ := e.Args["what"].(string)
	switch {
	case what == "baseline":
		what = p.T("policy.baseline")
	case policy.Mode(what).Known():
		what = p.Word("mode", what)
	}
	return p.T("allowlist.overtaken", "what", what)
}
