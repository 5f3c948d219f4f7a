package store

import (
	"context"
	"database/sql"
	"strconv"

	"vigia/collector/internal/paging"
)

// sorting is one way in which a list can stand: by an expression that is never NULL,
// ties broken by a key that is unique in the list.
type sorting struct {
	expr, key          string
	number, numericKey bool // how a place writes them
	start              bool // tell the engine where to begin in an index that has expr but not key
	desc               bool // the direction, set by of
	value              any  // of the place after which the page begins
	keyValue           any
	after              bool
}

// at takes over the direction and the place of an order.
func (by sorting) at(o paging.Order) (sorting, error) {
	by.desc, by.after = o.Desc, !o.After.IsZero()
	if !by.after {
		return by, nil
	}
	by.value, by.keyValue = o.After.Value, o.After.Key
	var err error
	if by.number {
		by.value, err = strconv.ParseInt(o.After.Value, 10, 64)
	}
	if by.numericKey && err == nil {
		by.keyValue, err = strconv.ParseInt(o.After.Key, 10, 64)
	}
	if err != nil {
		return by, paging.Unknown(o.After.String())
	}
	return by, nil
}

// narrow keeps the rows after the place.
func (by sorting) narrow(w *where) {
	if !by.after {
		return
	}
	sign := ">"
	if by.desc {
		sign = "<"
	}
	if by.start {
		w.add(by.expr+" "+sign+"= ?", by.value)
	}
	w.add("("+by.expr+", "+by.key+") "+sign+" (?, ?)", by.value, by.keyValue)
}

func (by sorting) clause() string {
	direction := ""
	if by.desc {
		direction = " DESC"
	}
	return " ORDER BY " + by.expr + direction + ", " + by.key + direction
}

// pageRow is one row of a page with its place.
type pageRow[T any] struct {
	value T
	place paging.Place
}

// readPage reads one page of a list. columns begins with SELECT and has no FROM; scan
// reads them into a T, and what it is given besides.
func readPage[T any](ctx context.Context, q querier, columns, from string, w where, by sorting, o paging.Order,
	scan func(r *sql.Rows, into *T, more ...any) error) (paging.Page[T], error) {
	by, err := by.at(o)
	if err != nil {
		return paging.Page[T]{}, err
	}
	by.narrow(&w)
	n := limit(o.Limit)
	query := columns + ", " + by.expr + ", " + by.key + from + w.clause() + by.clause() + " LIMIT " + strconv.Itoa(n+1)
	list, err := rows(ctx, q, query, w.args, func(r *sql.Rows, into *pageRow[T]) error {
		return scan(r, &into.value, &into.place.Value, &into.place.Key)
	})
	page := paging.Page[T]{}
	if len(list) > n {
		list = list[:n]
		page.Next = list[n-1].place
	}
	for _, row := range list {
		page.Rows = append(page.Rows, row.value)
	}
	return page, err
}

// countRows counts what a filter lets through, at most most.
func countRows(ctx context.Context, q querier, from string, w where, most int) (int, error) {
	var n int
	query := "SELECT count(*) FROM (SELECT 1" + from + w.clause() + " LIMIT " + strconv.Itoa(max(1, most)) + ") AS counted"
	err := q.QueryRowContext(ctx, query, w.args...).Scan(&n)
	return n, err
}
