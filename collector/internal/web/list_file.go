package web

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/report"
)

// Bounds of one file.
const (
	maxFileRows  = 200_000
	fileChunk    = 1000 // rows read at once
	fileDeadline = 10 * time.Minute
)

// fileLink leads to what is shown as a file.
type fileLink struct{ Name, URL string }

// files offers what is shown as files: at the same address, with their ending. The
// columns are in it even where the person's own choice is meant.
func (v *listView[T]) files(page *listPage) {
	pairs := append(without(page.List.Filters, "cols"), "cols", strings.Join(columnKeys(v.columns), "."))
	for _, f := range report.Formats() {
		l := listing{Path: v.list.path + "." + string(f), Query: v.by.Text, Filters: pairs}
		page.Files = append(page.Files, fileLink{Name: strings.ToUpper(string(f)), URL: l.url()})
	}
}

// sendList answers with a file of every row that the address lets through, in its order
// and with its columns. A failure after the first rows breaks the connection, so that
// nobody takes a part for the whole.
func sendList[T any](c *console, declare func() *listOf[T], f report.Format) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		l := declare()
		p := c.newPage(w, r, l.section)
		v, err := l.view(r, &p)
		if err != nil {
			return err
		}
		v.after = paging.Place{}
		first, err := v.begin(r.Context())
		if err != nil {
			return err
		}
		control := http.NewResponseController(w)
		if err := control.SetWriteDeadline(time.Now().Add(fileDeadline)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", f.ContentType())
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(p.T(l.title), p.Now.In(p.Zone), f)}))
		if err := v.write(r.Context(), w, f, p.T(l.title), first); err != nil {
			c.Log.Error("a file was not sent whole", "path", r.URL.Path, "error", err)
			panic(http.ErrAbortHandler)
		}
		return nil
	}
}

// begin reads the first rows, and refuses a list that is too long for a file.
func (v *listView[T]) begin(ctx context.Context) (paging.Page[T], error) {
	first, err := v.list.page(ctx, v.by, v.order(fileChunk))
	if err != nil || first.Next.IsZero() {
		return first, err
	}
	n, err := v.list.total(ctx, v.by, maxFileRows+1)
	if err == nil && n > maxFileRows {
		err = apperr.New(apperr.TooMany, "list.file-too-long", apperr.Args{"most": maxFileRows})
	}
	return first, err
}

func (v *listView[T]) write(ctx context.Context, w http.ResponseWriter, f report.Format, title string, page paging.Page[T]) error {
	headings := make([]string, len(v.columns))
	for i, col := range v.columns {
		headings[i] = v.p.T(col.heading)
	}
	table, err := report.New(f, w, title, headings, v.p.Zone)
	if err != nil {
		return err
	}
	if err := v.rows(ctx, table, page); err != nil {
		return errors.Join(err, table.Abandon())
	}
	return table.Close()
}

// rows writes the page and those after it.
func (v *listView[T]) rows(ctx context.Context, table report.Table, page paging.Page[T]) error {
	for written := 0; ; {
		for _, row := range page.Rows {
			if err := table.Row(v.values(row)); err != nil {
				return err
			}
		}
		if written += len(page.Rows); page.Next.IsZero() || written > maxFileRows {
			return nil
		}
		v.after = page.Next
		var err error
		if page, err = v.list.page(ctx, v.by, v.order(fileChunk)); err != nil {
			return err
		}
	}
}

func (v *listView[T]) values(row T) []any {
	values := make([]any, len(v.columns))
	for i, col := range v.columns {
		c := col.show(v.p, row)
		c.Number = col.number
		values[i] = c.value()
	}
	return values
}

// fileName is a name that every system takes: "no-conformidades-2026-11-23.csv".
func fileName(title string, at time.Time, f report.Format) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(title))
	return name + "-" + at.Format(time.DateOnly) + "." + string(f)
}
