package web

import (
	"context"
	"net/http"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/web/form"
)

// maxCount is how far a list counts its rows; beyond, it says "more than".
const maxCount = 10_000

// listOf declares one list: its columns, how it is narrowed, and where its rows come
// from. Everything else that lists do (search, chips, sorting, pages, choice of
// columns, selection, files) follows from it.
type listOf[T any] struct {
	name      string // of its cookie and files: "machines"
	path      string
	section   string // of the rail
	title     string // keys of sentences, from here …
	about     string
	search    string
	count     string // "{{.N}} equipos"
	empty     string
	emptyHelp string // … to here
	enroll    bool   // an empty list shows how to enroll
	columns   []column[T]
	filters   []filter
	order     string // how it stands when nobody chose: a column's sort, "-" before it for descending
	page      func(ctx context.Context, n narrowing, o paging.Order) (paging.Page[T], error)
	total     func(ctx context.Context, n narrowing, most int) (int, error)
	key       func(T) string // of a row, for actions on several
	label     func(T) string // of a row, read out beside its box
	actions   []bulkAction   // on several rows, for those who have the right
	note      func(ctx context.Context) (authorization.Mode, error)
	tabs      func(p *Page) []headLink                    // to lists beside this one; nil: none
	links     func(p *Page) []headLink                    // what else can be done here; nil: nothing
	after     func(r *http.Request, page *listPage) error // what else one request asks; nil: nothing
	help      string                                      // page of the manual; "": that of the section
	done      string                                      // group of the words that ?done= may show; "": none
}

// column is one column of a list.
type column[T any] struct {
	key     string // in addresses
	heading string // key of a sentence
	sort    string // what the rows can stand by; "": they cannot
	down    bool   // the first click sorts from the greatest: counts and times
	off     bool   // shown only to those who choose it
	number  bool
	show    func(p *Page, row T) cell
}

// narrowing is what a list is narrowed by.
type narrowing struct {
	Text   string
	values map[string]string
}

func (n narrowing) get(name string) string { return n.values[name] }

// empty reports whether nothing narrows the list.
func (n narrowing) empty() bool { return n.Text == "" && len(n.values) == 0 }

// listView is what one request asks of a list.
type listView[T any] struct {
	list    *listOf[T]
	p       *Page
	by      narrowing
	sort    string // as in the address, "" for the list's own
	cols    string // as in the address
	columns []column[T]
	after   paging.Place
}

// view reads what a request asks of the list.
func (l *listOf[T]) view(r *http.Request, p *Page) (*listView[T], error) {
	v := &listView[T]{list: l, p: p, by: narrowing{Text: form.Text(r, "q"), values: map[string]string{}}}
	for _, f := range l.filters {
		value, err := f.read(r, p)
		if err != nil {
			return nil, err
		}
		if value != "" {
			v.by.values[f.name] = value
		}
	}
	if s := form.Text(r, "sort"); s != l.order && l.sortable(s) {
		v.sort = s
	}
	v.cols, v.columns = l.chosen(r)
	var err error
	v.after, err = paging.Parse(r.URL.Query().Get("after"))
	return v, err
}

// sortable reports whether a column stands by s, which may begin with "-".
func (l *listOf[T]) sortable(s string) bool {
	s = strings.TrimPrefix(s, "-")
	for _, c := range l.columns {
		if s != "" && c.sort == s {
			return true
		}
	}
	return false
}

// order is the order that the view asks for, from its place on.
func (v *listView[T]) order(limit int) paging.Order {
	s := v.sort
	if s == "" {
		s = v.list.order
	}
	by, desc := strings.CutPrefix(s, "-")
	return paging.Order{By: by, Desc: desc, After: v.after, Limit: limit}
}

// pairs are the view's parts of an address besides the search and the place.
func (v *listView[T]) pairs() []string {
	var list []string
	for _, f := range v.list.filters {
		list = append(list, f.name, v.by.get(f.name))
	}
	return append(list, "sort", v.sort, "cols", v.cols)
}

// listPage is what the template of lists gets.
type listPage struct {
	Page
	List    listing
	Search  string
	About   string
	Count   string // "120 equipos"
	Heads   []listHead
	Rows    []listRow
	Filters []filterField
	Columns []columnChoice
	Files   []fileLink
	Actions []bulkAction
	Reset   string // address that takes back a choice of columns; "" when there is none
	Empty   string
	Advice  string
	Enroll  bool
	Mode    authorization.Mode
	Tabs    []headLink
	Links   []headLink
	Saved   string // what was just done
	Notice  string // what was just done
	Changed *changedBar
	Here    string // the page's own address, for actions to come back to
}

// listHead is a column's heading.
type listHead struct {
	Text, URL string
	Sorted    string // "ascending", "descending" or ""
	Number    bool
}

type listRow struct {
	Key, Label string
	Cells      []cell
}

// showList answers with one page of a list.
func showList[T any](c *console, declare func() *listOf[T]) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		l := declare()
		p := c.newPage(w, r, l.section)
		p.Title = p.T(l.title)
		if done := c.chooseColumns(w, r, l.name, l.path, columnKeys(l.columns)); done {
			return nil
		}
		v, err := l.view(r, &p)
		if err != nil {
			return err
		}
		page, err := v.fill(r.Context())
		if err != nil {
			return err
		}
		l.around(page, form.OneOf(r, "done", "created", "saved", "deleted"))
		page.Notice = c.sessions.PopString(r.Context(), sessionNotice)
		if l.help != "" {
			page.Help = "/help/" + l.help
		}
		if l.after != nil {
			if err := l.after(r, page); err != nil {
				return err
			}
		}
		return c.render(w, r, "list", page)
	}
}

// around leads to what is beside the list and says what was just done.
func (l *listOf[T]) around(page *listPage, done string) {
	if l.tabs != nil {
		page.Tabs = l.tabs(&page.Page)
	}
	if l.links != nil {
		page.Links = l.links(&page.Page)
	}
	if l.done != "" && done != "" {
		page.Saved = page.Word(l.done, done)
	}
}

// fill reads the page's rows and says everything about them.
func (v *listView[T]) fill(ctx context.Context) (*listPage, error) {
	l := v.list
	rows, err := l.page(ctx, v.by, v.order(pageSize))
	if err != nil {
		return nil, err
	}
	page := &listPage{Page: *v.p, Search: v.p.T(l.search), List: listing{Path: l.path, Query: v.by.Text, Filters: v.pairs(), Filtered: !v.by.empty()}}
	if l.about != "" {
		page.About = v.p.T(l.about)
	}
	for _, row := range rows.Rows {
		page.Rows = append(page.Rows, v.row(row))
	}
	if !rows.Next.IsZero() {
		page.List.Next = page.List.url("after", rows.Next.String())
	}
	page.Here = page.List.url("after", v.after.String())
	if !v.after.IsZero() {
		page.List.First = page.List.url()
	}
	v.heads(page)
	v.columnsMenu(page)
	v.files(page)
	if err := v.filters(ctx, page); err != nil {
		return nil, err
	}
	if page.Count, err = v.counted(ctx, len(rows.Rows), page.List); err != nil {
		return nil, err
	}
	return page, v.around(ctx, page)
}

// around says what to do with rows, and what when there are none.
func (v *listView[T]) around(ctx context.Context, page *listPage) error {
	l := v.list
	for _, a := range l.actions {
		if may, err := v.p.May(string(a.right)); err != nil {
			return err
		} else if may && len(page.Rows) > 0 {
			a.Text = v.p.T(a.text)
			page.Actions = append(page.Actions, a)
		}
	}
	if len(page.Rows) > 0 {
		return nil
	}
	if l.empty != "" {
		page.Empty = v.p.T(l.empty)
	}
	if l.emptyHelp != "" {
		page.Advice = v.p.T(l.emptyHelp)
	}
	page.Enroll = l.enroll
	if l.note == nil {
		return nil
	}
	var err error
	page.Mode, err = l.note(ctx)
	if apperr.Is(err, apperr.Forbidden) { // not for this reader
		return nil
	}
	return err
}

func (v *listView[T]) row(row T) listRow {
	out := listRow{}
	if len(v.list.actions) > 0 {
		out.Key, out.Label = v.list.key(row), v.list.label(row)
	}
	for i, col := range v.columns {
		c := col.show(v.p, row)
		c.Label, c.Number, c.Head = v.p.T(col.heading), col.number, i == 0
		out.Cells = append(out.Cells, c)
	}
	return out
}

// counted says how many rows there are; a list that fits one page needs no counting.
func (v *listView[T]) counted(ctx context.Context, shown int, l listing) (string, error) {
	n := shown
	if l.First != "" || l.Next != "" {
		var err error
		if n, err = v.list.total(ctx, v.by, maxCount+1); err != nil {
			return "", err
		}
	}
	if n > maxCount {
		return v.p.T("list.more-than", "Count", v.p.N(v.list.count, maxCount)), nil
	}
	return v.p.N(v.list.count, n), nil
}

// heads makes the headings; a column that is sorted by turns round at the next click.
func (v *listView[T]) heads(page *listPage) {
	now := v.order(0)
	for _, col := range v.columns {
		h := listHead{Text: v.p.T(col.heading), Number: col.number}
		if col.sort != "" {
			next := col.sort
			if col.down {
				next = "-" + col.sort
			}
			if now.By == col.sort {
				h.Sorted, next = "ascending", "-"+col.sort
				if now.Desc {
					h.Sorted, next = "descending", col.sort
				}
			}
			if next == v.list.order {
				next = ""
			}
			h.URL = page.List.with("sort", next)
		}
		page.Heads = append(page.Heads, h)
	}
}
