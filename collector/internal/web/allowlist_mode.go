package web

import (
	"net/http"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/web/form"
)

type allowlistModePage struct {
	Page
	Tabs    []headLink
	Here    string
	Mode    authorization.Mode // now
	Modes   []authorization.Mode
	To      authorization.Mode // looked at; "" for none
	May     bool
	Plan    *allowlist.Plan
	Open    int // findings now
	Recent  int // findings of the last days
	Days    int
	Problem string
	Base    int64
	Changed *changedBar
}

// allowlistMode shows the modes, and what switching to one would do.
func (c *console) allowlistMode(w http.ResponseWriter, r *http.Request) error {
	to := form.OneOf(r, "to", string(authorization.Learn), string(authorization.Monitor), string(authorization.Enforce))
	return c.showMode(w, r, authorization.Mode(to))
}

// allowlistSwitch switches the mode.
func (c *console) allowlistSwitch(w http.ResponseWriter, r *http.Request) error {
	return c.showMode(w, r, authorization.Mode(cleaned(r.PostFormValue("to"), 20)))
}

func (c *console) showMode(w http.ResponseWriter, r *http.Request, to authorization.Mode) error {
	ctx := r.Context()
	p := allowlistModePage{Page: c.newPage(w, r, "software"), Here: allowlistPath + "/mode", To: to, Days: trendDays,
		Modes: []authorization.Mode{authorization.Learn, authorization.Monitor, authorization.Enforce}}
	p.Help, p.Title, p.Tabs, p.May = "/help/allowlist", p.T("allowlist.mode.title"), allowlistTabs(&p.Page), access.May(p.actor, access.ChangeAllowlist)
	a, err := c.Rules.Current(ctx)
	if err != nil {
		return err
	}
	if p.Mode = a.Mode; to == p.Mode || !p.May {
		p.To = ""
	}
	if p.To != "" {
		plan, done, err := decide(&p.Page, r, &p.Problem, func(o allowlist.Options) (allowlist.Plan, error) { return c.Rules.SetMode(ctx, to, o) })
		if err != nil {
			return err
		} else if done {
			return c.changed(w, r, allowlistPath+"/mode", plan)
		}
		p.Plan, p.Base = &plan, plan.Current
	}
	counts, err := c.Findings.FindingCounts(ctx)
	if err != nil {
		return err
	}
	p.Open = counts[authorization.Open]
	days, err := c.Findings.FindingDays(ctx, authorization.FindingFilter{}, c.today(r).AddDate(0, 0, 1-trendDays), trendDays)
	if err != nil {
		return err
	}
	for _, n := range days {
		p.Recent += n
	}
	if p.Changed, err = c.changedNow(r, &p.Page); err != nil {
		return err
	}
	return c.execute(w, statusWith(p.Problem), "allowlist_mode", "layout", p)
}
