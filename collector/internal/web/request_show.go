package web

import (
	"net/http"
	"slices"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/web/form"
	"vigia/internal/policy"
)

// requestShowPage is one request, with the next step as its one primary action.
type requestShowPage struct {
	Page
	Request  request.Request
	Cost     string
	Line     []request.State // the states on its way
	Approve  request.Action  // whose step it is; "": none of the reader's
	Grant    bool
	Refuse   bool
	Withdraw bool
	Renew    bool
	RuleGone bool
	Saved    string
	Fields   []field // of a grant
	Reason   string  // typed
	Problem  string
	Plan     *allowlist.Plan // of the grant that is looked at
	Rule     policy.Rule
}

// requestShow shows a request; with ?look=grant also what granting it would do.
func (c *console) requestShow(w http.ResponseWriter, r *http.Request) error {
	p, err := c.requestPage(w, r)
	if err != nil {
		return err
	}
	if done := form.OneOf(r, "done", "asked", "approved", "granted", "refused", "withdrawn"); done != "" {
		p.Saved = p.Word("request.done", done)
	}
	var failure error
	if p.Grant && form.Text(r, "look") == "grant" {
		d := authorize.Decision{Reach: request.Reach(form.Text(r, "reach")), Until: form.Text(r, "until"), Match: policy.Match{Name: form.Text(r, "name"), Publisher: form.Text(r, "publisher"), Version: form.Text(r, "version")}}
		p.Reason = form.Text(r, "reason")
		var plan allowlist.Plan
		if p.Rule, plan, failure = c.Requests.Preview(r.Context(), p.Request.Number, d); failure == nil {
			p.Plan = &plan
		}
		p.grantFields(d)
	} else if p.Grant {
		p.grantFields(authorize.Decision{Reach: reachOf(p.Request), Until: p.day(p.Request.Wanted), Match: policy.Match{Name: policy.EscapeGlob(p.Request.Program), Publisher: policy.EscapeGlob(p.Request.Publisher)}})
	}
	return c.showRequest(w, p, failure)
}

func (c *console) showRequest(w http.ResponseWriter, p *requestShowPage, failure error) error {
	if failure != nil {
		var err error
		if p.Problem, err = mark(&p.Page, p.Fields, failure); err != nil {
			return err
		}
	}
	return c.execute(w, statusFor(failure), "request_show", "layout", p)
}

func (c *console) requestPage(w http.ResponseWriter, r *http.Request) (*requestShowPage, error) {
	ctx := r.Context()
	p := &requestShowPage{Page: c.newPage(w, r, "authorizations")}
	var err error
	if p.Request, err = c.Requests.Request(ctx, r.PathValue("number")); err != nil {
		return p, err
	}
	p.Title, p.Cost = p.T("request.title", "Number", p.Request.Number), p.money(p.Request)
	may, err := c.Requests.May(ctx, p.Request)
	if err != nil {
		return p, err
	}
	for _, a := range may {
		switch a {
		case request.ApproveManager, request.ApprovePurchasing:
			p.Approve = a
		case request.Grant:
			p.Grant = true
		case request.Refuse:
			p.Refuse = true
		case request.Withdraw:
			p.Withdraw = true
		}
	}
	x := p.Request
	p.Renew = (x.State == request.Granted && !x.ValidUntil.IsZero() || x.State == request.Expired && x.RuleID != "") && x.RenewedBy == ""
	p.Line = []request.State{request.Asked}
	if x.Needs.Manager {
		p.Line = append(p.Line, request.ManagerApproved)
	}
	if x.Needs.Purchasing {
		p.Line = append(p.Line, request.PurchasingAgreed)
	}
	last := request.Granted
	if !x.State.Pending() && x.State != request.Granted {
		last = x.State
		if x.RuleID != "" {
			p.Line = append(p.Line, request.Granted)
		}
	}
	p.Line = append(p.Line, last)
	if x.State == request.Granted && access.May(p.actor, access.SeeAllowlist) {
		a, err := c.Allowlist.CurrentAllowlist(ctx)
		if err != nil {
			return p, err
		}
		p.RuleGone = !slices.ContainsFunc(a.Rules, func(r policy.Rule) bool { return r.ID == x.RuleID })
	}
	return p, nil
}

// reachOf is the narrowest reach that a request allows.
func reachOf(r request.Request) request.Reach {
	if r.Machine != "" {
		return request.ForMachine
	}
	return request.ForUser
}

func (p *requestShowPage) grantFields(d authorize.Decision) {
	var reaches []choice
	for _, x := range request.Reaches() {
		if x != request.ForMachine || p.Request.Machine != "" {
			reaches = append(reaches, choice{string(x), p.Word("request.reach", string(x))})
		}
	}
	p.Fields = []field{
		{Name: "reach", Label: p.T("request.reach"), Kind: "select", Value: string(d.Reach), Choices: reaches},
		{Name: "until", Label: p.T("request.valid-until"), Help: p.T("request.until.help"), Kind: "date", Value: d.Until},
		{Name: "name", Label: p.T("request.match"), Help: p.T("severity.pattern"), Kind: "text", Value: d.Match.Name},
		{Name: "publisher", Label: p.T("publisher"), Kind: "text", Value: d.Match.Publisher},
		{Name: "version", Label: p.T("version"), Help: p.T("severity.version.help"), Kind: "text", Value: d.Match.Version},
		{Name: "reason", Label: p.T("request.reason"), Kind: "text", Value: p.Reason},
	}
}

// requestDecide takes a step: approve, grant or refuse.
func (c *console) requestDecide(w http.ResponseWriter, r *http.Request) error {
	d := authorize.Decision{Action: request.Action(posted(r, "action", 40)), Reason: posted(r, "reason", 2000), Reach: request.Reach(posted(r, "reach", 20)), Until: posted(r, "until", 20),
		Match: policy.Match{Name: posted(r, "name", maxName), Publisher: posted(r, "publisher", maxName), Version: posted(r, "version", maxName)}}
	done := map[request.Action]string{request.ApproveManager: "approved", request.ApprovePurchasing: "approved", request.Grant: "granted", request.Refuse: "refused"}[d.Action]
	if done == "" {
		return apperr.New(apperr.Conflict, "request.step", nil)
	}
	number := r.PathValue("number")
	if _, _, err := c.Requests.Decide(r.Context(), number, d); err != nil {
		p, perr := c.requestPage(w, r)
		if perr != nil {
			return perr
		}
		p.Reason = d.Reason
		if p.Grant {
			p.grantFields(d)
		}
		return c.showRequest(w, p, err)
	}
	return c.done(w, r, requestPath(number), done)
}

// requestWithdraw takes one's own request back.
func (c *console) requestWithdraw(w http.ResponseWriter, r *http.Request) error {
	number := r.PathValue("number")
	if _, _, err := c.Requests.Decide(r.Context(), number, authorize.Decision{Action: request.Withdraw, Reason: posted(r, "reason", 2000)}); err != nil {
		return err
	}
	return c.done(w, r, requestPath(number), "withdrawn")
}

// HasBeen reports whether a request has passed a state, for its line.
func (p *requestShowPage) HasBeen(s request.State) bool {
	for i, x := range p.Line {
		if x == s {
			return slices.Index(p.Line, p.Request.State) >= i
		}
	}
	return false
}
