package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
	"vigia/internal/policy"
)

type findingShowPage struct {
	Page
	Finding  authorization.Finding
	Machine  fleet.Machine // zero when it is gone
	Person   org.Person
	Verdict  policy.Reason // as the rules stand now
	Kind     policy.Kind
	Trials   []policy.Trial // those that have to do with the program
	Others   []policy.Trial
	NoReason bool // the explanation could not be made
	Grave    graveness
	Ways     []way
	Decided  []decisionLine
	Notice   string
	Asked    askedOf
}

// findingShow shows what was found, where, whose, since when, how, and which rules were
// tried.
func (c *console) findingShow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p := findingShowPage{Page: c.newPage(w, r, "findings")}
	row, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || row < 1 {
		return apperr.New(apperr.NotFound, "web.no-finding", nil)
	}
	p.Finding, err = c.Findings.Finding(ctx, row)
	if apperr.Is(err, apperr.NotFound) {
		return apperr.Wrap(err, apperr.NotFound, "web.no-finding", nil)
	} else if err != nil {
		return err
	}
	p.Title = p.T("finding.title", "Number", strconv.FormatInt(row, 10))
	p.Machine, err = c.Machines.Machine(ctx, p.Finding.Machine)
	if err != nil && !apperr.Is(err, apperr.NotFound) {
		return err
	}
	if p.Machine.Person != "" {
		p.Person, err = c.Directory.Person(ctx, p.Machine.Person)
		if err != nil && !apperr.Is(err, apperr.NotFound) {
			return err
		}
	}
	if p.Grave, err = c.gravenessOf(ctx, p.Finding); err != nil {
		return err
	}
	if p.Asked, err = c.askedAbout(r, row, p.Finding.State == authorization.Open, p.Machine.Person); err != nil {
		return err
	}
	x, err := c.Explainer.ExplainFinding(ctx, p.Finding)
	switch {
	case err != nil && errors.Is(err, ctx.Err()):
		return err
	case err != nil: // the rest of the page is worth showing
		c.Log.Error("a finding cannot be explained", "finding", row, "error", err)
		p.NoReason = true
	default:
		p.Verdict, p.Kind = x.Verdict.Reason(), x.Kind
		p.Trials, p.Others = apart(x.Trials)
	}
	p.Ways = p.Asked.way(&p.Page, c.ways(&p.Page, &p.Finding), row)
	if p.Decided, err = c.decisionsOn(ctx, &p.Page, row); err != nil {
		return err
	}
	p.Notice = c.sessions.PopString(ctx, sessionNotice)
	return c.render(w, r, "finding_show", p)
}

// apart tells the rules that match a program, or would but for its version, their place
// or their time, from those that are about other programs. The baseline is always near.
func apart(all []policy.Trial) (near, others []policy.Trial) {
	for _, t := range all {
		far := t.RuleName != policy.BaselineRule && slices.ContainsFunc(t.Reasons, func(r policy.Reason) bool {
			return r.Key == policy.KeyField && r.Args["field"] != "version" && r.Args["field"] != "scope"
		})
		if far {
			others = append(others, t)
		} else {
			near = append(near, t)
		}
	}
	return near, others
}
