package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"vigia/collector/internal/authorization/promise"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/web/form"
)

// questionPage asks one thing and takes one of two answers.
type questionPage struct {
	Page
	Question promise.Question
	Base     string // of the addresses of its forms
	Waiting  bool
	Is       string // the answer that the link is of: it comes first
	Need     []field
	Remove   []field
	Problem  string
	Request  string
}

// answerShow shows the question of a mail's link. It changes nothing: mail scanners open
// links.
func (c *console) answerShow(w http.ResponseWriter, r *http.Request) error {
	q, err := c.Requests.Look(r.Context(), r.PathValue("secret"))
	if err != nil {
		return err
	}
	return c.showQuestion(w, r, q, "/answer/"+url.PathEscape(r.PathValue("secret")), form.OneOf(r, "is", "need", "remove"), authorize.Draft{}, "", nil)
}

// answerNeed and answerRemove answer by the link, as the person whom it was sent to.
func (c *console) answerNeed(w http.ResponseWriter, r *http.Request) error {
	return c.byLink(w, r, c.takeNeed)
}

func (c *console) answerRemove(w http.ResponseWriter, r *http.Request) error {
	return c.byLink(w, r, c.takeRemove)
}

func (c *console) byLink(w http.ResponseWriter, r *http.Request, take func(http.ResponseWriter, *http.Request, context.Context, promise.Question, string) error) error {
	ctx, q, err := c.Requests.ByLink(r.Context(), r.PathValue("secret"))
	if err != nil {
		return err
	}
	return take(w, r, ctx, q, "/answer/"+url.PathEscape(r.PathValue("secret")))
}

// questionShow, questionNeed and questionRemove are the same in the console.
func (c *console) questionShow(w http.ResponseWriter, r *http.Request) error {
	q, err := c.myQuestion(r)
	if err != nil {
		return err
	}
	return c.showQuestion(w, r, q, "/questions/"+r.PathValue("n"), form.OneOf(r, "is", "need", "remove"), authorize.Draft{}, "", nil)
}

func (c *console) questionNeed(w http.ResponseWriter, r *http.Request) error {
	q, err := c.myQuestion(r)
	if err != nil {
		return err
	}
	return c.takeNeed(w, r, r.Context(), q, "/questions/"+r.PathValue("n"))
}

func (c *console) questionRemove(w http.ResponseWriter, r *http.Request) error {
	q, err := c.myQuestion(r)
	if err != nil {
		return err
	}
	return c.takeRemove(w, r, r.Context(), q, "/questions/"+r.PathValue("n"))
}

func (c *console) myQuestion(r *http.Request) (promise.Question, error) {
	n, err := number(r, "n", "question.unknown")
	if err != nil {
		return promise.Question{}, err
	}
	return c.Requests.Mine(r.Context(), n)
}

func (c *console) takeNeed(w http.ResponseWriter, r *http.Request, ctx context.Context, q promise.Question, base string) error {
	d, err := postedDraft(r)
	if err == nil {
		_, err = c.Requests.Need(ctx, q.Row, d)
	}
	if err != nil {
		return c.showQuestion(w, r, q, base, "need", d, "", err)
	}
	http.Redirect(w, r, base, http.StatusSeeOther)
	return nil
}

func (c *console) takeRemove(w http.ResponseWriter, r *http.Request, ctx context.Context, q promise.Question, base string) error {
	day := posted(r, "day", 20)
	if _, err := c.Requests.Remove(ctx, q.Row, day); err != nil {
		return c.showQuestion(w, r, q, base, "remove", authorize.Draft{}, day, err)
	}
	http.Redirect(w, r, base, http.StatusSeeOther)
	return nil
}

func (c *console) showQuestion(w http.ResponseWriter, r *http.Request, q promise.Question, base, is string, d authorize.Draft, day string, failure error) error {
	p := questionPage{Page: c.newPage(w, r, "my"), Question: q, Base: base, Is: is, Waiting: q.Waiting(c.Now())}
	p.Title = p.T("question.title", "Program", q.Program)
	if q.Answer == promise.Need {
		p.Request = q.Request
	}
	if day == "" {
		day = p.day(p.Now.AddDate(0, 0, 2))
	}
	p.Need = []field{{Name: "purpose", Label: p.T("request.purpose"), Help: p.T("request.purpose.help"), Kind: "textarea", Value: d.Purpose, Required: true},
		{Name: "until", Label: p.T("request.until"), Help: p.T("request.until.help"), Kind: "date", Value: d.Until},
		{Name: "license", Label: p.T("request.license"), Help: p.T("request.license.help"), Kind: "text", Value: d.License}}
	p.Remove = []field{{Name: "day", Label: p.T("promise.day"), Help: p.T("promise.day.help"), Kind: "date", Value: day, Required: true}}
	if failure != nil {
		fields := p.Need
		if is == "remove" {
			fields = p.Remove
		}
		var err error
		if p.Problem, err = mark(&p.Page, fields, failure); err != nil {
			return err
		}
	}
	return c.execute(w, statusFor(failure), "question", "layout", p)
}

// findingAsk asks the user about a finding.
func (c *console) findingAsk(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r, "n", "web.no-finding")
	if err != nil {
		return err
	}
	if _, err := c.Requests.AskUser(r.Context(), n); err != nil {
		return err
	}
	return c.done(w, r, "/findings/"+r.PathValue("n"), "asked")
}

// askedOf is what was asked and promised about a finding.
type askedOf struct {
	Questions []promise.Question
	Promises  []promise.Promise
	CanAsk    bool
	Saved     bool
}

func (c *console) askedAbout(r *http.Request, finding int64, open bool, person string) (askedOf, error) {
	promises, questions, err := c.Requests.List(r.Context(), promise.Filter{Finding: finding, Limit: 20})
	if err != nil {
		return askedOf{}, err
	}
	a := askedOf{Questions: questions, Promises: promises, CanAsk: open && person != ""}
	for i := range questions {
		a.CanAsk = a.CanAsk && !questions[i].Waiting(c.Now())
	}
	for _, x := range promises {
		a.CanAsk = a.CanAsk && x.State != promise.Open
	}
	if form.OneOf(r, "done", "asked") != "" {
		a.Saved = true
	}
	return a, nil
}

// way adds the question to the ways out of a finding, for those who have them.
func (a askedOf) way(p *Page, ways []way, finding int64) []way {
	if len(ways) == 0 || !a.CanAsk {
		return ways
	}
	return append(ways, way{Title: p.T("question.section"), Text: p.T("question.ask.help"), Icon: "user", Action: "/findings/" + strconv.FormatInt(finding, 10) + "/ask", Button: p.T("question.ask")})
}
