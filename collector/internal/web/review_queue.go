package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/review"
	"vigia/collector/internal/web/form"
)

// Reviews is what pages ask of the review of findings; review.Service has it.
type Reviews interface {
	Queue(ctx context.Context, f review.Filter, after paging.Place, limit int, day time.Time) (review.Queue, error)
	Select(ctx context.Context, p review.Pick) (review.Selection, error)
	Draft(ctx context.Context, p review.Pick, t review.Terms) (review.Draft, error)
	Authorize(ctx context.Context, p review.Pick, t review.Terms) (review.Decision, error)
	OpenRecords(ctx context.Context, p review.Pick) (review.Decision, error)
	PutOff(ctx context.Context, p review.Pick) (review.Decision, error)
	Undo(ctx context.Context, id int64) (review.Decision, error)
	Mine(ctx context.Context, since time.Time, most int) ([]review.Decision, error)
	On(ctx context.Context, finding int64) ([]review.Decision, error)
}

// reviewPath is where the queue is.
const reviewPath = "/findings/review"

// undoable is how long a decision is offered to be taken back in the queue.
const undoable = 24 * time.Hour

type reviewPage struct {
	Page
	Tabs    []reviewTab
	List    listing
	View    review.View
	Fields  []filterField
	Queue   review.Queue
	Rows    []reviewRow
	Total   int    // decided and left, for the bar
	At      string // the row that is to have the focus
	Last    []doneDecision
	Notice  string
	Problem string
}

type reviewTab struct {
	URL, Text string
	Current   bool
}

type reviewRow struct {
	review.Group
	N     int
	More  int // versions that are not named
	Found string
}

// doneDecision is a decision in words, with the way back.
type doneDecision struct {
	ID   int64
	Text string
	When time.Time
}

// reviewQueue shows what is to be decided, one line for a program.
func (c *console) reviewQueue(w http.ResponseWriter, r *http.Request) error {
	return c.showQueue(w, r, reviewFilter(r, r.FormValue), nil)
}

// reviewFilter reads how the queue is narrowed, from the address or from a form.
func reviewFilter(r *http.Request, value func(string) string) review.Filter {
	f := review.Filter{Query: shortText(value("q")), Source: shortText(value("source")), Site: shortText(value("site"))}
	switch v := review.View(value("view")); v {
	case review.PutOff, review.Recorded:
		f.View = v
	}
	return f
}

// shortText cuts what a browser sends to one short line.
func shortText(s string) string { return cleaned(s, maxName) }

// showQueue answers with the queue, after a failure with what is wrong above it.
func (c *console) showQueue(w http.ResponseWriter, r *http.Request, f review.Filter, failure error) error {
	ctx := r.Context()
	p := reviewPage{Page: c.newPage(w, r, "findings"), View: f.View}
	status := http.StatusOK
	if failure != nil {
		if code := apperr.CodeOf(failure); code == apperr.Internal || code == apperr.Unavailable || code == apperr.Forbidden {
			return failure
		}
		status, p.Problem = statusOf(apperr.CodeOf(failure)), p.Error(failure)
	}
	after, err := paging.Parse(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	if p.Queue, err = c.Reviews.Queue(ctx, f, after, pageSize, c.today(r)); err != nil {
		return err
	}
	if p.Last, err = c.lastDecisions(ctx, &p.Page); err != nil {
		return err
	}
	p.Title = p.T("review.title")
	p.List = listing{Path: reviewPath, Query: f.Query, Filters: []string{"view", string(f.View), "source", f.Source, "site", f.Site}, Filtered: f.Query+f.Source+f.Site != ""}
	if !after.IsZero() {
		p.List.First = p.List.url()
	}
	if !p.Queue.Next.IsZero() {
		p.List.Next = p.List.url("after", p.Queue.Next.String())
	}
	for i, g := range p.Queue.Groups {
		p.Rows = append(p.Rows, reviewRow{Group: g, N: i, More: len(g.Versions) - 1, Found: form.Link("/findings", "q", g.Program, "state", "open")})
	}
	p.Total = p.Queue.Left + p.Queue.Decided
	p.At = strconv.FormatInt(form.Number(r, "at", 1000), 10)
	if r.URL.Query().Get("at") == "" {
		p.At = ""
	}
	p.Notice = c.sessions.PopString(ctx, sessionNotice)
	if err := c.reviewAround(ctx, &p, f); err != nil {
		return err
	}
	return c.execute(w, status, "review_queue", "layout", p)
}

// today is when the day began where times are shown.
func (c *console) today(r *http.Request) time.Time {
	now := c.Now().In(c.zone(r))
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
}

// reviewAround makes the tabs and the fields of the filter.
func (c *console) reviewAround(ctx context.Context, p *reviewPage, f review.Filter) error {
	for _, v := range []review.View{review.Undecided, review.PutOff, review.Recorded} {
		word := "open"
		if v != "" {
			word = string(v)
		}
		p.Tabs = append(p.Tabs, reviewTab{URL: form.Link(reviewPath, "view", string(v)), Text: p.Word("review.view", word), Current: v == f.View})
	}
	sites, err := c.sitesInUse(ctx, &p.Page)
	if err != nil {
		return err
	}
	sources, err := names("source", programSources()...)(ctx, &p.Page)
	if err != nil {
		return err
	}
	p.Fields = []filterField{{Name: "site", Label: p.T("machine.site"), Value: f.Site, Choices: sites}, {Name: "source", Label: p.T("source"), Value: f.Source, Choices: sources}}
	return nil
}

// lastDecisions are the reader's, newest first, in words.
func (c *console) lastDecisions(ctx context.Context, p *Page) ([]doneDecision, error) {
	list, err := c.Reviews.Mine(ctx, c.Now().Add(-undoable), 5)
	var out []doneDecision
	for _, d := range list {
		out = append(out, doneDecision{ID: d.ID, Text: p.Decided(d), When: d.At})
	}
	return out, err
}

// Decided tells a decision in a sentence.
func (p Page) Decided(d review.Decision) string {
	names := ""
	for i, n := range d.Programs {
		if i > 0 {
			names += ", "
		}
		names += n
	}
	if more := d.Choices - len(d.Programs); more > 0 {
		names += " " + p.N("review.and-more", more)
	}
	switch d.Kind {
	case review.Authorize:
		return p.N("review.did.authorize", d.Findings, "Programs", names)
	case review.Record:
		return p.N("review.did.record", d.Machines, "Programs", names)
	}
	return p.N("review.did.later", d.Findings, "Programs", names, "Until", p.Date(d.Until))
}
