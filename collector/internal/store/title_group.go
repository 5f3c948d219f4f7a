package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/ingest/pack"
	"vigia/collector/internal/title"
)

const titleRulesColumns = "SELECT version, rules, created_at, created_by, cause, undoes FROM title_rules"

// titleRules returns the first set of rules that a query finds, or the empty one.
func (s *Store) titleRules(ctx context.Context, query string, args ...any) (title.Ruleset, error) {
	list, err := rows(ctx, s.on(ctx), query, args, func(r *sql.Rows, v *title.Ruleset) error {
		var rules string
		var at int64
		if err := r.Scan(&v.Version, &rules, &at, &v.CreatedBy, &v.Cause, &v.Undoes); err != nil {
			return err
		}
		v.CreatedAt = fromMicros(at)
		if err := json.Unmarshal([]byte(rules), &v.Rules); err != nil {
			return fmt.Errorf("rules of titles, version %d: %w", v.Version, err)
		}
		return nil
	})
	if err != nil || len(list) == 0 {
		return title.Ruleset{}, s.mapError("reading the rules of titles", err)
	}
	return list[0], nil
}

// TitleRules implements title.Store.
func (s *Store) TitleRules(ctx context.Context) (title.Ruleset, error) {
	return s.titleRules(ctx, titleRulesColumns+" ORDER BY version DESC LIMIT 1")
}

// TitleRulesVersion implements title.Store.
func (s *Store) TitleRulesVersion(ctx context.Context, version int64) (title.Ruleset, error) {
	v, err := s.titleRules(ctx, titleRulesColumns+" WHERE version = $1", version)
	if err == nil && v.Version != version {
		err = apperr.New(apperr.NotFound, "title.rules-unknown", apperr.Args{"version": version})
	}
	return v, err
}

// SaveTitleRules implements title.Store. Installs and what was reported stay as they
// are: only the names change hands, and the titles that lose or gain some are counted
// again from the bitmaps.
func (s *Store) SaveTitleRules(ctx context.Context, v title.Ruleset) error {
	if v.Rules == nil {
		v.Rules = []title.Rule{}
	}
	rules, err := json.Marshal(v.Rules)
	if err != nil {
		return s.mapError("keeping the rules of titles", err)
	}
	return s.InTx(ctx, func(ctx context.Context) error {
		if err := s.Lock(ctx); err != nil { // no report counts while names change hands
			return err
		}
		current, err := s.TitleRules(ctx)
		if err != nil {
			return err
		}
		if v.Version != current.Version+1 {
			return apperr.New(apperr.Conflict, "title.rules-changed", apperr.Args{"current": current.Version})
		}
		_, err = s.txFrom(ctx).tx.ExecContext(ctx, "INSERT INTO title_rules (version, rules, created_at, created_by, cause, undoes) VALUES ($1, $2, $3, $4, $5, $6)",
			v.Version, string(rules), micros(v.CreatedAt), storable(v.CreatedBy), v.Cause, v.Undoes)
		if err == nil {
			err = s.regroup(ctx, v)
		}
		return s.mapError("keeping the rules of titles", err)
	})
}

// titleChunk is how many titles are counted, or names looked at, at once.
const titleChunk = 500

// regroup gives names to the titles that v shows them as, and counts again.
func (s *Store) regroup(ctx context.Context, v title.Ruleset) error {
	var moved []title.Raw
	var from, ids []int64
	all, err := rows(ctx, s.on(ctx), `SELECT s.id, s.name, s.publisher, t.id, t.name, t.publisher
		FROM software_title s JOIN title t ON t.id = s.shown_id ORDER BY s.id`, nil, func(r *sql.Rows, x *struct {
		raw   title.Raw
		shown int64
	}) error {
		return r.Scan(&x.raw.ID, &x.raw.Told.Name, &x.raw.Told.Publisher, &x.shown, &x.raw.Shown.Name, &x.raw.Shown.Publisher)
	})
	if err != nil {
		return err
	}
	var keys []title.Key
	for _, x := range all {
		if to, _ := v.Show(x.raw.Told); to != x.raw.Shown {
			moved, keys, from, ids = append(moved, x.raw), append(keys, to), append(from, x.shown), append(ids, x.raw.ID)
		}
	}
	if len(moved) == 0 {
		return nil
	}
	to, err := s.titleIDs(ctx, keys, micros(v.CreatedAt))
	if err != nil {
		return err
	}
	if err := s.bulkUpdate(ctx, "software_title", col{"id", ids}, col{"shown_id", to}); err != nil {
		return err
	}
	var touched distinct[int64]
	for _, id := range append(from, to...) {
		touched.add(id)
	}
	return s.recountTitles(ctx, touched.values)
}

// titleIDs returns the titles of the given names, in their order; those that are not
// there are added.
func (s *Store) titleIDs(ctx context.Context, keys []title.Key, at int64) ([]int64, error) {
	var set distinct[title.Key]
	for _, k := range keys {
		set.add(k)
	}
	text := func(f func(k title.Key) string) []string { return mapOf(set.values, f) }
	ids, err := s.upsertIDs(ctx, "title", 2,
		col{"name", text(func(k title.Key) string { return k.Name })},
		col{"publisher", text(func(k title.Key) string { return k.Publisher })},
		col{"name_fold", text(func(k title.Key) string { return Fold(k.Name) })},
		col{"publisher_fold", text(func(k title.Key) string { return Fold(k.Publisher) })},
		col{"machines", make([]int64, len(set.values))},
		col{"first_seen", mapOf(set.values, func(title.Key) int64 { return at })})
	if err != nil {
		return nil, err
	}
	return mapOf(set.at, func(i int) int64 { return ids[i] }), nil
}

// recountTitles counts the machines of titles from the bitmaps, and says since when they
// were seen.
func (s *Store) recountTitles(ctx context.Context, titles []int64) error {
	for len(titles) > 0 {
		some := titles[:min(len(titles), titleChunk)]
		titles = titles[len(some):]
		counts, err := s.machinesOf(ctx, "t.shown_id", some)
		if err != nil {
			return err
		}
		first := make(map[int64]int64, len(some))
		from, arg := s.among(some)
		_, err = rows(ctx, s.on(ctx), "SELECT t.shown_id, min(v.first_seen) FROM "+from+` CROSS JOIN software_title t JOIN software_version v ON v.title_id = t.id
			WHERE t.shown_id = j.value GROUP BY t.shown_id`, []any{arg}, func(r *sql.Rows, _ *struct{}) error {
			var id, at int64
			err := r.Scan(&id, &at)
			first[id] = at
			return err
		})
		if err != nil {
			return err
		}
		err = s.bulkUpdate(ctx, "title", col{"id", some},
			col{"machines", mapOf(some, func(id int64) int64 { return counts[id] })},
			col{"first_seen", mapOf(some, func(id int64) int64 { return first[id] })})
		if err != nil {
			return err
		}
	}
	return nil
}

// machinesOf counts the machines that have any item of each group of reported names;
// column is what the groups are told apart by.
func (s *Store) machinesOf(ctx context.Context, column string, groups []int64) (map[int64]int64, error) {
	union := make(map[place]*pack.Bitmap)
	err := s.eachBitmap(ctx, column, groups, func(at place, b *pack.Bitmap) {
		if u := union[at]; u != nil {
			u.Add(b)
			return
		}
		union[at] = b
	})
	counts := make(map[int64]int64, len(groups))
	for at, b := range union {
		counts[at.item] += int64(b.Count())
	}
	return counts, err
}

// eachBitmap calls fn for every bitmap of every item of the groups; the place is the
// group's number and the chunk.
func (s *Store) eachBitmap(ctx context.Context, column string, groups []int64, fn func(at place, b *pack.Bitmap)) error {
	from, arg := s.among(groups)
	_, err := rows(ctx, s.on(ctx), "SELECT "+column+", p.chunk, p.bits FROM "+from+` CROSS JOIN software_title t
		JOIN software_version v ON v.title_id = t.id JOIN item i ON i.version_id = v.id JOIN presence p ON p.item_id = i.id
		WHERE `+column+" = j.value", []any{arg}, func(r *sql.Rows, _ *struct{}) error {
		var at place
		var form sql.RawBytes
		if err := r.Scan(&at.item, &at.chunk, &form); err != nil {
			return err
		}
		b, err := pack.ReadBitmap(form)
		if err != nil {
			return fmt.Errorf("presence of title %d, chunk %d: %w", at.item, at.chunk, err)
		}
		fn(at, &b)
		return nil
	})
	return err
}

// countOldTitles counts titles that were there before there were counts.
func (s *Store) countOldTitles(ctx context.Context) error {
	var pending int64
	if err := s.reader.QueryRowContext(ctx, "SELECT uncounted FROM title_state WHERE id = 1").Scan(&pending); err != nil || pending == 0 {
		return err
	}
	return s.InTx(ctx, func(ctx context.Context) error {
		if err := s.Lock(ctx); err != nil {
			return err
		}
		ids, err := rows(ctx, s.on(ctx), "SELECT id FROM title ORDER BY id", nil, func(r *sql.Rows, id *int64) error { return r.Scan(id) })
		if err != nil {
			return err
		}
		if err := s.recountTitles(ctx, ids); err != nil {
			return err
		}
		_, err = s.txFrom(ctx).tx.ExecContext(ctx, "UPDATE title_state SET uncounted = 0 WHERE id = 1")
		return err
	})
}

// checkTitles tells which titles have another count of machines than the bitmaps, at
// most 100.
func (s *Store) checkTitles(ctx context.Context) ([]string, error) {
	told := make(map[int64]int64)
	_, err := rows(ctx, s.on(ctx), "SELECT id, machines FROM title ORDER BY id", nil, func(r *sql.Rows, _ *struct{}) error {
		var id, n int64
		err := r.Scan(&id, &n)
		told[id] = n
		return err
	})
	if err != nil {
		return nil, s.mapError("reading titles", err)
	}
	var problems []string
	for rest := slices.Sorted(maps.Keys(told)); len(rest) > 0 && len(problems) < 100; {
		some := rest[:min(len(rest), titleChunk)]
		rest = rest[len(some):]
		counts, err := s.machinesOf(ctx, "t.shown_id", some)
		if err != nil {
			return problems, s.mapError("counting titles", err)
		}
		for _, id := range some {
			if counts[id] != told[id] && len(problems) < 100 {
				problems = append(problems, fmt.Sprintf("title %d: %d machines, counted %d", id, told[id], counts[id]))
			}
		}
	}
	return problems, nil
}

// TitlesOf implements ingest.Items.
func (s *Store) TitlesOf(ctx context.Context, items []int64) (map[int64]int64, error) {
	from, arg := s.among(items)
	out := make(map[int64]int64, len(items))
	_, err := rows(ctx, s.on(ctx), "SELECT i.id, t.shown_id FROM "+from+` CROSS JOIN item i JOIN software_version v ON v.id = i.version_id
		JOIN software_title t ON t.id = v.title_id WHERE i.id = j.value`, []any{arg}, func(r *sql.Rows, _ *struct{}) error {
		var item, shown int64
		err := r.Scan(&item, &shown)
		out[item] = shown
		return err
	})
	return out, s.mapError("reading titles", err)
}

// TitleItems implements ingest.Items.
func (s *Store) TitleItems(ctx context.Context, titles []int64) (map[int64][]int64, error) {
	from, arg := s.among(titles)
	out := make(map[int64][]int64, len(titles))
	_, err := rows(ctx, s.on(ctx), "SELECT t.shown_id, i.id FROM "+from+` CROSS JOIN software_title t JOIN software_version v ON v.title_id = t.id
		JOIN item i ON i.version_id = v.id WHERE t.shown_id = j.value`, []any{arg}, func(r *sql.Rows, _ *struct{}) error {
		var shown, item int64
		err := r.Scan(&shown, &item)
		out[shown] = append(out[shown], item)
		return err
	})
	return out, s.mapError("reading titles", err)
}

func (s *Store) saveTitles(ctx context.Context, c *ingest.Changes) error {
	return s.bulkUpdate(ctx, "title",
		col{"id", mapOf(c.Titles, func(t ingest.TitleChange) int64 { return t.Title })},
		col{"+machines", mapOf(c.Titles, func(t ingest.TitleChange) int64 { return int64(t.Machines) })})
}
