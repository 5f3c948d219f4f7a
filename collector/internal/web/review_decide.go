package web

import (
	"net/http"
	"strconv"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/review"
	"vigia/collector/internal/web/form"
)

// sureAbove is how many nonconformities one step opens without asking again.
const sureAbove = 10

// pickOf reads what a decision is about: the group whose own button was pressed, or
// those that are marked, or findings.
func pickOf(r *http.Request) (review.Pick, error) {
	if err := r.ParseForm(); err != nil {
		return review.Pick{}, apperr.Wrap(err, apperr.Invalid, "list.none-chosen", apperr.Args{"field": "row"})
	}
	p := review.Pick{Filter: reviewFilter(r, r.Form.Get), Keys: r.Form["row"]}
	if one := r.Form["one"]; len(one) > 0 {
		p.Keys = one
	}
	for _, s := range r.Form["finding"] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 1 {
			return p, apperr.New(apperr.NotFound, "web.no-finding", nil)
		}
		p.Rows = append(p.Rows, n)
	}
	return p, nil
}

// pickPairs are the pick as pairs for hidden fields and addresses.
func pickPairs(p review.Pick) [][2]string {
	var list [][2]string
	for _, pair := range [][2]string{{"view", string(p.Filter.View)}, {"q", p.Filter.Query}, {"source", p.Filter.Source}, {"site", p.Filter.Site}} {
		if pair[1] != "" {
			list = append(list, pair)
		}
	}
	for _, k := range p.Keys {
		list = append(list, [2]string{"row", k})
	}
	for _, n := range p.Rows {
		list = append(list, [2]string{"finding", strconv.FormatInt(n, 10)})
	}
	return list
}

// backToReview goes back to where the decision came from: the finding, or the queue as
// it was narrowed, at the line where the reader was.
func (c *console) backToReview(w http.ResponseWriter, r *http.Request, p review.Pick) error {
	if len(p.Rows) == 1 {
		http.Redirect(w, r, "/findings/"+strconv.FormatInt(p.Rows[0], 10), http.StatusSeeOther)
		return nil
	}
	at := ""
	if n, err := strconv.Atoi(r.FormValue("at")); err == nil && n >= 0 && n < 1000 {
		at = strconv.Itoa(n)
	}
	http.Redirect(w, r, form.Link(reviewPath, "view", string(p.Filter.View), "q", p.Filter.Query, "source", p.Filter.Source, "site", p.Filter.Site, "at", at), http.StatusSeeOther)
	return nil
}

// reviewLater puts findings off.
func (c *console) reviewLater(w http.ResponseWriter, r *http.Request) error {
	p, err := pickOf(r)
	if err != nil {
		return err
	}
	if _, err := c.Reviews.PutOff(r.Context(), p); err != nil {
		return c.showQueue(w, r, p.Filter, err)
	}
	return c.backToReview(w, r, p)
}

type reviewRecordPage struct {
	Page
	Crumbs    []headLink
	Selection review.Selection
	Pairs     [][2]string
	At        string
	Back      string
}

// reviewRecord opens nonconformities; above sureAbove machines it asks first.
func (c *console) reviewRecord(w http.ResponseWriter, r *http.Request) error {
	p, err := pickOf(r)
	if err != nil {
		return err
	}
	if r.PostForm.Get("sure") == "" {
		sel, err := c.Reviews.Select(r.Context(), p)
		if err != nil {
			return c.showQueue(w, r, p.Filter, err)
		}
		if sel.Machines > sureAbove {
			page := reviewRecordPage{Page: c.newPage(w, r, "findings"), Selection: sel, Pairs: pickPairs(p), At: r.PostForm.Get("at"), Back: reviewPath}
			page.Title, page.Crumbs = page.T("review.record.title"), page.reviewCrumbs()
			return c.render(w, r, "review_record", page)
		}
	}
	if _, err := c.Reviews.OpenRecords(r.Context(), p); err != nil {
		return c.showQueue(w, r, p.Filter, err)
	}
	return c.backToReview(w, r, p)
}

// reviewUndo takes a decision back.
func (c *console) reviewUndo(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PostFormValue("decision"), 10, 64)
	if err != nil {
		return apperr.New(apperr.NotFound, "review.unknown", nil)
	}
	f := reviewFilter(r, r.PostFormValue)
	d, err := c.Reviews.Undo(r.Context(), id)
	if err != nil {
		return c.showQueue(w, r, f, err)
	}
	p := c.newPage(w, r, "findings")
	c.sessions.Put(r.Context(), sessionNotice, p.T("review.undone-now", "What", p.Decided(d)))
	if back := r.PostFormValue("back"); strings.HasPrefix(back, "/findings/") && local(back) == back {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return nil
	}
	return c.backToReview(w, r, review.Pick{Filter: f})
}

func (p Page) reviewCrumbs() []headLink {
	return []headLink{{URL: "/findings", Text: p.T("nav.findings")}, {URL: reviewPath, Text: p.T("review.title")}}
}
