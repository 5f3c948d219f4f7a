package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"
)

// micros is how a time is stored: microseconds since 1970 in UTC, 0 for no time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the way back.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// where collects the conditions of a list's filter. Each "?" of a condition becomes
// the next $N, so that numbers stand in order of first appearance, as SQLite needs.
type where struct {
	conds []string
	args  []any
}

func (w *where) add(cond string, args ...any) {
	w.conds = append(w.conds, w.number(cond, args...))
}

// number returns text with its "?" numbered, and keeps the arguments.
func (w *where) number(text string, args ...any) string {
	var b strings.Builder
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		w.args = append(w.args, arg)
		b.WriteString(before + "$" + strconv.Itoa(len(w.args)))
		text = after
	}
	b.WriteString(text)
	return b.String()
}

// clause is " WHERE a AND b", or nothing.
func (w *where) clause() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

// like returns the pattern of a folded substring, for "LIKE ? ESCAPE '\'".
func like(query string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(Fold(query)) + "%"
}

// limit puts a wanted page size into 1–1000.
func limit(n int) int {
	if n < 1 || n > 1000 {
		return 1000
	}
	return n
}

// rows runs a query and scans every row with scan.
func rows[T any](ctx context.Context, q querier, query string, args []any, scan func(*sql.Rows, *T) error) ([]T, error) {
	found, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var out []T
	for found.Next() {
		var v T
		if err := scan(found, &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, found.Err()
}

// column runs a query of one text column.
func column(ctx context.Context, q querier, query string, args ...any) ([]string, error) {
	return rows(ctx, q, query, args, func(r *sql.Rows, v *string) error { return r.Scan(v) })
}
