package store

import (
	"context"
	"database/sql"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

const titleColumns = "SELECT t.name, v.version, t.publisher, v.source, v.installs, v.first_seen"

const titleFrom = " FROM software_title t JOIN software_version v ON v.title_id = t.id"

func scanTitle(r *sql.Rows, t *fleet.TitleRow, more ...any) error {
	var first int64
	err := r.Scan(append([]any{&t.Name, &t.Version, &t.Publisher, &t.Source, &t.Installs, &first}, more...)...)
	t.FirstSeen = fromMicros(first)
	return err
}

// titleWhere narrows titles t and their versions v to what is installed.
func titleWhere(f fleet.TitleFilter) where {
	var w where
	w.add("v.installs > ?", 0)
	if f.Query != "" {
		q := like(f.Query)
		w.add(`(t.name_fold LIKE ? ESCAPE '\' OR fold(t.publisher) LIKE ? ESCAPE '\')`, q, q)
	}
	if f.Source != "" {
		w.add("v.source = ?", f.Source)
	}
	return w
}

// Titles implements fleet.InventoryReader, in the order of names. After is how many
// lines the pages before had.
func (s *Store) Titles(ctx context.Context, f fleet.TitleFilter) ([]fleet.TitleRow, error) {
	w := titleWhere(f)
	query := titleColumns + titleFrom + w.clause() +
		w.number(" ORDER BY t.name_fold, t.id, v.id LIMIT ?", limit(f.Limit)) + w.number(" OFFSET ?", max(0, f.After))
	list, err := rows(ctx, s.on(ctx), query, w.args, func(r *sql.Rows, t *fleet.TitleRow) error { return scanTitle(r, t) })
	return list, s.mapError("listing software", err)
}

// titleSorting is how the list can stand by the column of that key.
func titleSorting(key string) (sorting, error) {
	by := sorting{key: "v.id", numericKey: true}
	switch key {
	case "", "name":
		by.expr, by.start = "t.name_fold", true
	case "version":
		by.expr = "v.version"
	case "publisher":
		by.expr = "lower(t.publisher)"
	case "source":
		by.expr = "v.source"
	case "installs":
		by.expr, by.number = "v.installs", true
	case "seen":
		by.expr, by.number = "v.first_seen", true
	default:
		return by, paging.Unknown(key)
	}
	return by, nil
}

// TitlePage returns one page of the programs that f lets through, sorted by "name" (the
// default), "version", "publisher", "source", "installs" or "seen". After and Limit of
// f do not count.
func (s *Store) TitlePage(ctx context.Context, f fleet.TitleFilter, o paging.Order) (paging.Page[fleet.TitleRow], error) {
	by, err := titleSorting(o.By)
	if err != nil {
		return paging.Page[fleet.TitleRow]{}, err
	}
	page, err := readPage(ctx, s.on(ctx), titleColumns, titleFrom, titleWhere(f), by, o, scanTitle)
	return page, s.mapError("listing software", err)
}

// CountTitles counts the programs that f lets through, at most most of them.
func (s *Store) CountTitles(ctx context.Context, f fleet.TitleFilter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), titleFrom, titleWhere(f), most)
	return n, s.mapError("counting software", err)
}
