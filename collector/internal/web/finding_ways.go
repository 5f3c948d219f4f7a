package web

import (
	"context"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/review"
)

// way is one way out of an open finding, beside the others: a link, or a form of one
// button. Another way (to ask the user) is one more of ways.
type way struct {
	Title, Text, Icon string
	URL               string      // of a link
	Action            string      // of a form
	Fields            [][2]string // that the form sends
	Button            string
	Main              bool // the usual one
}

// ways are what the reader can do about an open finding.
func (c *console) ways(p *Page, f *authorization.Finding) []way {
	if f.State != authorization.Open || !access.May(p.actor, access.ReviewFindings) {
		return nil
	}
	n := strconv.FormatInt(f.Row, 10)
	authorize := way{Title: p.T("review.do.authorize"), Text: p.T("finding.way.authorize"), Icon: "shield-check", URL: reviewPath + "/authorize?finding=" + n, Button: p.T("review.do.authorize"), Main: true}
	if f.Verdict == "denied" {
		authorize.Text, authorize.URL, authorize.Button = p.T("finding.way.authorize.denied"), allowlistPath+"?q="+urlValue(f.Rule), p.T("review.do.rule")
	}
	list := []way{authorize}
	pick := [][2]string{{"finding", n}}
	if f.Nonconformity == "" {
		list = append(list,
			way{Title: p.T("review.do.record"), Text: p.T("finding.way.record"), Icon: "clipboard-text", Action: reviewPath + "/record", Fields: pick, Button: p.T("review.key.n")},
			way{Title: p.T("review.do.later"), Text: p.T("finding.way.later"), Icon: "clock", Action: reviewPath + "/later", Fields: pick, Button: p.T("review.do.later")})
	}
	return list
}

// decisionLine is a decision about a finding, in words.
type decisionLine struct {
	review.Decision
	Text string
	Undo bool // it stands, and the reader may take it back
}

// decisionsOn are what was decided about a finding, for those who review.
func (c *console) decisionsOn(ctx context.Context, p *Page, finding int64) ([]decisionLine, error) {
	if !access.May(p.actor, access.ReviewFindings) {
		return nil, nil
	}
	list, err := c.Reviews.On(ctx, finding)
	var out []decisionLine
	for i, d := range list {
		out = append(out, decisionLine{d, p.Decided(d), i == 0 && d.UndoneAt.IsZero()})
	}
	return out, err
}
