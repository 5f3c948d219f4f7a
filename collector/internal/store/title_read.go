package store

import (
	"context"
	"database/sql"
	"slices"
	"strconv"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/ingest/pack"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/title"
)

var _ title.Store = (*Store)(nil)

const shownColumns = `SELECT t.id, t.name, t.publisher, t.machines, t.first_seen,
	(SELECT count(*) FROM software_title s JOIN software_version v ON v.title_id = s.id WHERE s.shown_id = t.id AND v.installs > 0),
	(SELECT count(*) FROM software_title s WHERE s.shown_id = t.id)`

const shownFrom = " FROM title t"

func scanShown(r *sql.Rows, t *title.Row, more ...any) error {
	var first int64
	err := r.Scan(append([]any{&t.ID, &t.Name, &t.Publisher, &t.Machines, &first, &t.Versions, &t.Names}, more...)...)
	t.FirstSeen = fromMicros(first)
	return err
}

func shownWhere(f title.Filter) where {
	var w where
	w.add("t.machines > ?", 0)
	if f.Query != "" {
		q := like(f.Query)
		w.add(`(t.name_fold LIKE ? ESCAPE '\' OR t.publisher_fold LIKE ? ESCAPE '\')`, q, q)
	}
	if f.Merged {
		w.add("(SELECT count(*) FROM software_title s WHERE s.shown_id = t.id) > 1")
	}
	return w
}

// ShownTitle implements title.Store.
func (s *Store) ShownTitle(ctx context.Context, id int64) (title.Row, error) {
	list, err := rows(ctx, s.on(ctx), shownColumns+shownFrom+" WHERE t.id = $1", []any{id}, func(r *sql.Rows, t *title.Row) error { return scanShown(r, t) })
	if err != nil || len(list) > 0 && list[0].Names > 0 {
		return append(list, title.Row{})[0], s.mapError("reading a title", err)
	}
	return title.Row{}, apperr.New(apperr.NotFound, "title.unknown", apperr.Args{"title": id})
}

// ShownTitlePage implements title.Store.
func (s *Store) ShownTitlePage(ctx context.Context, f title.Filter, o paging.Order) (paging.Page[title.Row], error) {
	by := sorting{key: "t.id", numericKey: true}
	switch o.By {
	case "", "name":
		by.expr, by.start = "t.name_fold", true
	case "publisher":
		by.expr = "t.publisher_fold"
	case "machines":
		by.expr, by.number = "t.machines", true
	case "seen":
		by.expr, by.number = "t.first_seen", true
	default:
		return paging.Page[title.Row]{}, paging.Unknown(o.By)
	}
	page, err := readPage(ctx, s.on(ctx), shownColumns, shownFrom, shownWhere(f), by, o, scanShown)
	return page, s.mapError("listing titles", err)
}

// CountShownTitles implements title.Store.
func (s *Store) CountShownTitles(ctx context.Context, f title.Filter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), shownFrom, shownWhere(f), most)
	return n, s.mapError("counting titles", err)
}

// TitleVersions implements title.Store.
func (s *Store) TitleVersions(ctx context.Context, id int64, most int) ([]title.Version, error) {
	list, err := rows(ctx, s.on(ctx), `SELECT t.name, t.publisher, v.version, v.source, v.installs, v.first_seen FROM software_title t
		JOIN software_version v ON v.title_id = t.id WHERE t.shown_id = $1 AND v.installs > 0 ORDER BY v.installs DESC, v.id DESC LIMIT $2`,
		[]any{id, limit(most)}, func(r *sql.Rows, v *title.Version) error {
			var first int64
			err := r.Scan(&v.Name, &v.Publisher, &v.Version, &v.Source, &v.Installs, &first)
			v.FirstSeen = fromMicros(first)
			return err
		})
	return list, s.mapError("listing versions", err)
}

// RawTitles implements title.Store.
func (s *Store) RawTitles(ctx context.Context, after int64, most int) ([]title.Raw, error) {
	list, err := rows(ctx, s.on(ctx), `SELECT s.id, s.name, s.publisher, t.name, t.publisher FROM software_title s JOIN title t ON t.id = s.shown_id
		WHERE s.id > $1 ORDER BY s.id LIMIT $2`, []any{after, limit(most)}, func(r *sql.Rows, x *title.Raw) error {
		return r.Scan(&x.ID, &x.Told.Name, &x.Told.Publisher, &x.Shown.Name, &x.Shown.Publisher)
	})
	return list, s.mapError("listing reported names", err)
}

// MachinesWith implements title.Store.
func (s *Store) MachinesWith(ctx context.Context, raw []int64) (int, error) {
	var union chunks
	for rest := raw; len(rest) > 0; {
		some := rest[:min(len(rest), titleChunk)]
		rest = rest[len(some):]
		if err := s.eachBitmap(ctx, "t.id", some, func(at place, b *pack.Bitmap) { union.add(at.chunk, b) }); err != nil {
			return 0, s.mapError("counting machines", err)
		}
	}
	n := 0
	for _, b := range union.maps {
		n += b.Count()
	}
	return n, nil
}

// chunks is the union of bitmaps, by chunk.
type chunks struct{ maps map[int64]*pack.Bitmap }

func (c *chunks) add(chunk int64, b *pack.Bitmap) {
	if c.maps == nil {
		c.maps = make(map[int64]*pack.Bitmap)
	}
	if u := c.maps[chunk]; u != nil {
		u.Add(b)
		return
	}
	c.maps[chunk] = b
}

// machines returns the rows of the machines, ascending.
func (c *chunks) machines() []int64 {
	var list []int64
	for chunk, b := range c.maps {
		list = b.Machines(list, chunk)
	}
	slices.Sort(list)
	return list
}

// TitleMachines implements title.Store, in the order in which machines came.
func (s *Store) TitleMachines(ctx context.Context, id int64, o paging.Order) (paging.Page[title.Place], error) {
	var page paging.Page[title.Place]
	by, err := sorting{expr: "m.id", key: "m.id", number: true, numericKey: true}.at(paging.Order{After: o.After})
	if err != nil {
		return page, err
	}
	var union chunks
	if err := s.eachBitmap(ctx, "t.shown_id", []int64{id}, func(at place, b *pack.Bitmap) { union.add(at.chunk, b) }); err != nil {
		return page, s.mapError("listing machines", err)
	}
	all := union.machines()
	if by.after {
		n, found := slices.BinarySearch(all, by.keyValue.(int64))
		if found {
			n++
		}
		all = all[n:]
	}
	some := all[:min(len(all), limit(o.Limit))]
	from, arg := s.among(some)
	page.Rows, err = rows(ctx, s.on(ctx), `SELECT m.uuid, m.hostname, m.site, m.area, m.last_seen FROM `+from+` CROSS JOIN machine_view m WHERE m.id = j.value ORDER BY m.id`,
		[]any{arg}, func(r *sql.Rows, p *title.Place) error {
			var seen int64
			err := r.Scan(&p.Machine, &p.Hostname, &p.Site, &p.Area, &seen)
			p.LastSeen = fromMicros(seen)
			return err
		})
	if len(all) > len(some) {
		last := strconv.FormatInt(some[len(some)-1], 10)
		page.Next = paging.Place{Value: last, Key: last}
	}
	return page, s.mapError("listing machines", err)
}
