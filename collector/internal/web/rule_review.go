package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/web/form"
	"vigia/internal/policy"
)

// RuleReviews is what pages ask about the review of rules; authorize.Reviews has it.
type RuleReviews interface {
	List(ctx context.Context) ([]authorize.Reviewed, error)
	One(ctx context.Context, id string) (authorize.Reviewed, error)
	Keep(ctx context.Context, ids []string, note string) error
	Shorten(ctx context.Context, id string, days int) (allowlist.Plan, error)
	Remove(ctx context.Context, id string, apply bool) (allowlist.Plan, error)
	Exceptions(ctx context.Context, month time.Time) ([]authorize.Exception, error)
}

// Where the review of rules and the exceptions are.
const (
	rulesPath      = requestsPath + "/rules"
	exceptionsPath = requestsPath + "/exceptions"
)

// shortenDays is how long a rule stands that a review lets end.
const shortenDays = 30

// ruleLinks leads to what IT does with authorizations beside requests.
func ruleLinks(p *Page) []headLink {
	if !access.May(p.actor, access.SeeAllowlist) {
		return nil
	}
	return []headLink{{URL: rulesPath, Text: p.T("rules.review"), Icon: "clipboard-text"}, {URL: exceptionsPath, Text: p.T("exceptions.title"), Icon: "filter"}, {URL: brakePath, Text: p.T("brake.title"), Icon: "clock"}}
}

// slicePage is one page of a list that is read whole; its places are positions.
func slicePage[T any](all []T, o paging.Order) paging.Page[T] {
	from, err := strconv.Atoi(o.After.Key)
	if err != nil || from < 0 {
		from = 0
	}
	all = all[min(from, len(all)):]
	if o.Limit <= 0 || len(all) <= o.Limit {
		return paging.Page[T]{Rows: all}
	}
	return paging.Page[T]{Rows: all[:o.Limit], Next: paging.Place{Key: strconv.Itoa(from + o.Limit), Value: "-"}}
}

// ruleReviewList declares the list of rules, those whose review is due first.
func (c *console) ruleReviewList() *listOf[authorize.Reviewed] {
	type row = authorize.Reviewed
	read := func(ctx context.Context, n narrowing) ([]row, error) {
		all, err := c.RuleReviews.List(ctx)
		return slices.DeleteFunc(all, func(r row) bool {
			return n.get("due") == "over" && !r.Over || n.get("due") == "soon" && r.Due.After(c.Now().AddDate(0, 1, 0)) || n.Text != "" && !strings.Contains(policy.Fold(r.Name+"\n"+r.Owner+"\n"+r.Reason), policy.Fold(n.Text))
		}), err
	}
	return &listOf[row]{
		name: "rules", path: rulesPath, section: "authorizations", title: "rules.review", about: "rules.review.about", search: "rules.search", count: "count.rules", empty: "rules.none", order: "due",
		columns: []column[row]{
			{key: "rule", heading: "rules.rule", show: func(p *Page, r row) cell {
				return cell{Text: r.Name, URL: reviewedPath(r.ID), Sub: p.Word("effect", string(r.Effect))}
			}},
			{key: "purpose", heading: "rules.purpose", show: func(p *Page, r row) cell { return p.textCell(r.Reason) }},
			{key: "owner", heading: "rules.owner", show: func(p *Page, r row) cell { return p.textCell(r.Owner) }},
			{key: "request", heading: "rules.request", show: func(p *Page, r row) cell {
				if r.Request == "" {
					return cell{Text: p.T("list.none"), Quiet: true}
				}
				return cell{Text: r.Request, URL: requestPath(r.Request)}
			}},
			{key: "made", heading: "rules.made", off: true, show: func(p *Page, r row) cell { return p.dateCell(r.MadeAt) }},
			{key: "reviewed", heading: "rules.reviewed", show: func(p *Page, r row) cell {
				x := p.dateCell(r.ReviewedAt)
				if r.ReviewedBy != "" {
					x.Sub = p.Actor(r.ReviewedBy)
				}
				return x
			}},
			{key: "due", heading: "rules.due", show: func(p *Page, r row) cell {
				x := cell{Text: p.Date(r.RuleReview.Due), Time: r.RuleReview.Due}
				if r.Over {
					x.Tags = append(x.Tags, p.Tag("rules.state", "over"))
				}
				return x
			}},
			{key: "until", heading: "request.valid-until", off: true, show: func(p *Page, r row) cell { return p.dateCell(r.ValidUntil) }},
		},
		filters: []filter{{name: "due", label: "rules.due", quick: true, closed: true, offer: words("rules.state", "over", "soon")}},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[row], error) {
			all, err := read(ctx, n)
			return slicePage(all, o), err
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			all, err := read(ctx, n)
			return min(len(all), most), err
		},
		key: func(r row) string { return r.ID }, label: func(r row) string { return r.Name },
		actions: []bulkAction{{Path: rulesPath + "/keep", Icon: "circle-check", text: "rules.keep", right: access.ChangeAllowlist}},
		links: func(p *Page) []headLink {
			return []headLink{{URL: exceptionsPath, Text: p.T("exceptions.title"), Icon: "filter"}}
		},
	}
}

func reviewedPath(id string) string { return rulesPath + "/" + url.PathEscape(id) }

// ruleReviewPage is one rule with its review, and what removing it would open.
type ruleReviewPage struct {
	Page
	Rule  authorize.Reviewed
	May   bool
	Plan  *allowlist.Plan // of the removal that is looked at
	Saved string
}

// ruleReviewShow shows one rule; with ?look=remove also what removing it opens.
func (c *console) ruleReviewShow(w http.ResponseWriter, r *http.Request) error {
	p := ruleReviewPage{Page: c.newPage(w, r, "authorizations")}
	var err error
	if p.Rule, err = c.RuleReviews.One(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	p.Title, p.May = p.Rule.Name, access.May(p.actor, access.ChangeAllowlist)
	if done := form.OneOf(r, "done", "kept", "shortened"); done != "" {
		p.Saved = p.Word("rules.done", done)
	}
	if p.May && form.Text(r, "look") == "remove" {
		plan, err := c.RuleReviews.Remove(r.Context(), p.Rule.ID, false)
		if err != nil {
			return err
		}
		p.Plan = &plan
	}
	return c.render(w, r, "rule_review", p)
}

// ruleKeep says that the chosen rules are still needed.
func (c *console) ruleKeep(w http.ResponseWriter, r *http.Request) error {
	ids, err := chosenRows(r)
	if err != nil {
		return err
	}
	if err := c.RuleReviews.Keep(r.Context(), ids, posted(r, "note", 2000)); err != nil {
		return err
	}
	if r.PostForm.Get("back") == "" {
		return c.done(w, r, reviewedPath(ids[0]), "kept")
	}
	c.backToList(w, r, rulesPath, c.newPage(w, r, "").N("rules.kept", len(ids)))
	return nil
}

// ruleShorten lets a rule end soon.
func (c *console) ruleShorten(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := c.RuleReviews.Shorten(r.Context(), id, shortenDays); err != nil {
		return err
	}
	return c.done(w, r, reviewedPath(id), "shortened")
}

// ruleTakeOut takes a rule away, which the page before showed the effect of.
func (c *console) ruleTakeOut(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.RuleReviews.Remove(r.Context(), r.PathValue("id"), true); err != nil {
		return err
	}
	r.PostForm.Set("back", "")
	c.backToList(w, r, rulesPath, c.newPage(w, r, "").T("rules.removed"))
	return nil
}

// exceptionList declares the list of what is authorized beside the standard, month by
// month.
func (c *console) exceptionList() *listOf[authorize.Exception] {
	type row = authorize.Exception
	read := func(ctx context.Context, n narrowing) ([]row, error) {
		month, err := c.month(ctx, n.get("month"))
		if err != nil {
			return nil, err
		}
		all, err := c.RuleReviews.Exceptions(ctx, month)
		return slices.DeleteFunc(all, func(r row) bool {
			return n.Text != "" && !strings.Contains(policy.Fold(r.Name+"\n"+r.Person+"\n"+r.Reason), policy.Fold(n.Text))
		}), err
	}
	return &listOf[row]{
		name: "exceptions", path: exceptionsPath, section: "authorizations", title: "exceptions.title", about: "exceptions.about", search: "rules.search", count: "count.exceptions", empty: "exceptions.none", order: "from",
		columns: []column[row]{
			{key: "rule", heading: "rules.rule", show: func(p *Page, r row) cell {
				if r.ID != "" {
					return cell{Text: r.Name, URL: reviewedPath(r.ID)}
				}
				return cell{Text: r.Name}
			}},
			{key: "program", heading: "program", show: func(p *Page, r row) cell { return cell{Text: p.orNothing(r.Match.Name), Sub: r.Match.Publisher} }},
			{key: "purpose", heading: "rules.purpose", show: func(p *Page, r row) cell { return p.textCell(r.Reason) }},
			{key: "person", heading: "rules.owner", show: func(p *Page, r row) cell { return p.textCell(r.Person) }},
			{key: "category", heading: "severity.category", show: func(p *Page, r row) cell {
				if r.Category == "" {
					return cell{Text: p.T("not-told"), Quiet: true}
				}
				return cell{Text: p.categoryName(r.Category)}
			}},
			{key: "request", heading: "rules.request", show: func(p *Page, r row) cell {
				if r.Request == "" {
					return cell{Text: p.T("list.none"), Quiet: true}
				}
				return cell{Text: r.Request, URL: requestPath(r.Request)}
			}},
			{key: "from", heading: "exceptions.from", show: func(p *Page, r row) cell { return p.dateCell(r.From) }},
			{key: "until", heading: "request.valid-until", show: func(p *Page, r row) cell {
				if r.Until.IsZero() {
					return cell{Text: p.T("request.no-end"), Quiet: true}
				}
				x := p.dateCell(r.Until)
				if r.Over {
					x.Tags = append(x.Tags, p.Tag("rules.state", "ended"))
				}
				return x
			}},
			{key: "reviewed", heading: "rules.reviewed", off: true, show: func(p *Page, r row) cell { return p.dateCell(r.LastLook) }},
		},
		filters: []filter{{name: "month", label: "exceptions.month", closed: true, offer: c.months}},
		page: func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[row], error) {
			all, err := read(ctx, n)
			return slicePage(all, o), err
		},
		total: func(ctx context.Context, n narrowing, most int) (int, error) {
			all, err := read(ctx, n)
			return min(len(all), most), err
		},
		links: func(p *Page) []headLink {
			return []headLink{{URL: rulesPath, Text: p.T("rules.review"), Icon: "clipboard-text"}}
		},
	}
}

// month is the first moment of a month such as 2026-11; "" is the current one.
func (c *console) month(ctx context.Context, text string) (time.Time, error) {
	zone := c.Zone
	if c.ZoneNow != nil {
		if z := c.ZoneNow(ctx); z != nil {
			zone = z
		}
	}
	if text == "" {
		text = c.Now().In(zone).Format("2006-01")
	}
	t, err := time.ParseInLocation("2006-01", text, zone)
	if err != nil {
		return t, apperr.Wrap(err, apperr.Invalid, "exceptions.bad-month", apperr.Args{"field": "month", "value": text})
	}
	return t, nil
}

// months offers the last year, the current month first.
func (c *console) months(ctx context.Context, p *Page) ([]choice, error) {
	t, err := c.month(ctx, "")
	var list []choice
	for i := range 13 {
		m := t.AddDate(0, -i, 0)
		list = append(list, choice{m.Format("2006-01"), p.T("exceptions.month-name", "Month", p.Word("month", m.Format("01")), "Year", m.Format("2006"))})
	}
	return list, err
}
