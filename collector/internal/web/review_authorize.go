package web

import (
	"errors"
	"net/http"
	"time"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/review"
)

// sessionReason keeps the last reason that somebody gave, to be offered for the next.
const sessionReason = "review-reason"

type reviewAuthorizePage struct {
	Page
	Crumbs  []headLink
	Draft   review.Draft
	Pairs   [][2]string // the pick, for the form
	At      string
	Back    string
	Where   []whereChoice
	For     []choice
	Chosen  string // of For
	Until   string // a day, as the field has it
	Reason  string
	Version bool
	Problem map[string]string // by field; "" is about the whole
	Also    []allowlist.ProgramUses
	AlsoN   int // programs in Also and beyond
}

type whereChoice struct {
	Value, Text, Sub string
	On, Off          bool
}

// reviewAuthorizeForm shows an authorization before it is saved, with what else it would
// cover. The form asks for itself again while it is filled in.
func (c *console) reviewAuthorizeForm(w http.ResponseWriter, r *http.Request) error {
	pick, err := pickOf(r)
	if err != nil {
		return err
	}
	if len(pick.Keys)+len(pick.Rows) == 0 {
		p := c.newPage(w, r, "")
		c.sessions.Put(r.Context(), sessionNotice, p.T("list.none-chosen"))
		return c.backToReview(w, r, pick)
	}
	return c.showAuthorize(w, r, pick, nil)
}

// reviewAuthorize saves it.
func (c *console) reviewAuthorize(w http.ResponseWriter, r *http.Request) error {
	pick, err := pickOf(r)
	if err != nil {
		return err
	}
	terms, _, err := c.terms(r)
	if err == nil {
		_, err = c.Reviews.Authorize(r.Context(), pick, terms)
	}
	if err != nil {
		return c.showAuthorize(w, r, pick, err)
	}
	c.sessions.Put(r.Context(), sessionReason, terms.Reason)
	return c.backToReview(w, r, pick)
}

// terms reads the conditions out of a form, and which of the offered periods was chosen.
func (c *console) terms(r *http.Request) (review.Terms, string, error) {
	t := review.Terms{Where: review.Where(r.Form.Get("where")), Versions: r.Form.Get("versions") == "yes", Reason: cleaned(r.Form.Get("reason"), 2000)}
	if t.Where == "" {
		t.Where = review.Everywhere
	}
	period, day := r.Form.Get("for"), r.Form.Get("until")
	end := func(t time.Time) time.Time { // the last second of that day, where times are shown
		t = t.In(c.zone(r))
		return time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 59, 0, t.Location()).UTC()
	}
	switch period {
	case "30", "90", "365":
		days := map[string]int{"30": 30, "90": 90, "365": 365}[period]
		t.Until = end(c.Now().AddDate(0, 0, days))
	case "day":
		d, err := time.ParseInLocation(time.DateOnly, day, c.zone(r))
		if err != nil {
			return t, period, apperr.Wrap(err, apperr.Invalid, "review.until-wrong", apperr.Args{"field": "until", "value": cleaned(day, 40)})
		}
		t.Until = end(d)
	default:
		period = ""
	}
	return t, period, nil
}

// showAuthorize shows the form with its preview, after a failure with what is wrong
// beside each field.
func (c *console) showAuthorize(w http.ResponseWriter, r *http.Request, pick review.Pick, failure error) error {
	ctx := r.Context()
	p := reviewAuthorizePage{Page: c.newPage(w, r, "findings"), Pairs: pickPairs(pick), At: cleaned(r.Form.Get("at"), 4), Until: cleaned(r.Form.Get("until"), 10), Problem: map[string]string{}}
	terms, period, termsErr := c.terms(r)
	if failure == nil && r.Form.Has("where") {
		failure = termsErr
	}
	status, err := p.refuse(failure)
	if err != nil {
		return err
	}
	p.Draft, err = c.Reviews.Draft(ctx, pick, terms)
	if len(p.Draft.Selection.Findings) == 0 || apperr.Is(err, apperr.Conflict) { // decided meanwhile, or denied
		return c.showQueue(w, r, pick.Filter, err)
	} else if err != nil {
		if status, err = p.refuse(err); err != nil {
			return err
		}
	}
	p.Title, p.Crumbs, p.Back = p.T("review.authorize.title"), p.reviewCrumbs(), reviewPath
	if len(pick.Rows) == 1 {
		p.Back = "/findings/" + p.Pairs[len(p.Pairs)-1][1]
	}
	p.Chosen, p.Version, p.Reason = period, terms.Versions, terms.Reason
	if !r.Form.Has("reason") {
		p.Reason = c.sessions.GetString(ctx, sessionReason)
	}
	p.choices(terms.Where)
	p.also()
	return c.execute(w, status, "review_authorize", "layout", p)
}

// refuse takes over what a person can mend; other failures come back.
func (p *reviewAuthorizePage) refuse(failure error) (int, error) {
	if failure == nil {
		return http.StatusOK, nil
	}
	var e *apperr.Error
	if !errors.As(failure, &e) || e.Code != apperr.Invalid && e.Code != apperr.Conflict && e.Code != apperr.TooMany {
		return 0, failure
	}
	field, _ := e.Args["field"].(string)
	switch field {
	case "reason", "where", "until":
		p.Problem[field] = p.Error(failure)
		p.Problem[""] = p.T("org.form")
	default:
		p.Problem[""] = p.Error(failure)
	}
	if problems := allowlist.ProblemsOf(failure); len(problems) > 0 {
		p.Problem[""] = p.FieldProblem(problems[0])
	}
	return http.StatusUnprocessableEntity, nil
}

// choices offers how far and how long.
func (p *reviewAuthorizePage) choices(chosen review.Where) {
	sel := &p.Draft.Selection
	for _, w := range []review.Where{review.Everywhere, review.AtSites, review.InAreas, review.OnMachines} {
		x := whereChoice{Value: string(w), Text: p.Word("review.where", string(w)), On: w == chosen}
		var places []string
		switch w {
		case review.AtSites:
			places = sel.Sites
		case review.InAreas:
			places = sel.Areas
		case review.OnMachines:
			places = sel.Hosts
		}
		x.Sub, x.Off = p.some(places), w != review.Everywhere && len(places) == 0
		p.Where = append(p.Where, x)
	}
	for _, v := range []string{"", "30", "90", "365", "day"} {
		word := v
		if v == "" {
			word = "ever"
		}
		p.For = append(p.For, choice{v, p.Word("review.for", word)})
	}
}

// some names a few of a list and how many more there are.
func (p Page) some(list []string) string {
	const most = 4
	s := ""
	for i, x := range list[:min(len(list), most)] {
		if i > 0 {
			s += ", "
		}
		s += x
	}
	if more := len(list) - most; more > 0 {
		s += " " + p.N("review.and-more", more)
	}
	return s
}

// also lists what the rules would cover beside what was chosen.
func (p *reviewAuthorizePage) also() {
	if p.Draft.Plan.Cover == nil {
		return
	}
	for _, n := range p.Draft.Plan.Cover.Names {
		if !p.Draft.Selection.Has(n.Name, n.Source) {
			p.Also = append(p.Also, n)
		}
	}
	p.AlsoN = len(p.Also) + p.Draft.Plan.Cover.Programs - len(p.Draft.Plan.Cover.Names)
	p.Also = p.Also[:min(len(p.Also), previewed)]
}
