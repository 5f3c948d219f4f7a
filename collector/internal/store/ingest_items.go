package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/ingest"
	"vigia/collector/internal/ingest/pack"
	"vigia/collector/internal/title"
	"vigia/internal/inventory"
)

const itemColumns = `i.id, i.version_id, i.key, i.name, i.version, i.publisher, i.origin, i.source, i.scope,
	i.user_name, i.path, i.arch, i.requested, i.base, i.hidden, i.sha256, i.signer`

// itemFields are where itemColumns are scanned to.
func itemFields(it *ingest.Item, key *[]byte) []any {
	p := &it.Program
	return []any{&it.ID, &it.Version, key, &p.Name, &p.Version, &p.Publisher, &p.Origin, &p.Source, &p.Scope,
		&p.User, &p.Path, &p.Arch, &p.Requested, &p.Base, &p.Hidden, &p.SHA256, &p.Signer}
}

func scanItem(r *sql.Rows, it *ingest.Item) error {
	var key []byte
	if err := r.Scan(itemFields(it, &key)...); err != nil {
		return err
	}
	copy(it.Key[:], key)
	return nil
}

// FindItems implements ingest.Items.
func (s *Store) FindItems(ctx context.Context, keys []inventory.Key) ([]ingest.Item, error) {
	list := make([][]byte, len(keys))
	for i := range keys {
		list[i] = keys[i][:]
	}
	from, arg := s.among(list)
	found, err := rows(ctx, s.on(ctx), "SELECT i.id, i.version_id, i.key FROM "+from+" CROSS JOIN item i WHERE i.key = j.value", []any{arg},
		func(r *sql.Rows, it *ingest.Item) error {
			var key []byte
			if err := r.Scan(&it.ID, &it.Version, &key); err != nil {
				return err
			}
			copy(it.Key[:], key)
			return nil
		})
	return found, s.mapError("looking for items", err)
}

// ItemPrograms implements ingest.Items.
func (s *Store) ItemPrograms(ctx context.Context, ids []int64) ([]ingest.Item, error) {
	from, arg := s.among(ids)
	found, err := rows(ctx, s.on(ctx), "SELECT "+itemColumns+" FROM "+from+" CROSS JOIN item i WHERE i.id = j.value", []any{arg}, scanItem)
	return found, s.mapError("reading items", err)
}

// NextItems implements ingest.Items.
func (s *Store) NextItems(ctx context.Context, after int64, limit int) ([]ingest.Item, error) {
	found, err := rows(ctx, s.on(ctx), "SELECT "+itemColumns+` FROM item i WHERE i.id > $1
		AND EXISTS (SELECT 1 FROM presence p WHERE p.item_id = i.id) ORDER BY i.id LIMIT $2`, []any{after, limit}, scanItem)
	return found, s.mapError("reading items", err)
}

// Presence implements ingest.Items.
func (s *Store) Presence(ctx context.Context, items []int64) (map[int64][]int64, error) {
	from, arg := s.among(items)
	out := make(map[int64][]int64, len(items))
	_, err := rows(ctx, s.on(ctx), "SELECT p.item_id, p.chunk, p.bits FROM "+from+
		" CROSS JOIN presence p WHERE p.item_id = j.value ORDER BY p.item_id, p.chunk", []any{arg},
		func(r *sql.Rows, _ *struct{}) error {
			var item, chunk int64
			var form []byte
			if err := r.Scan(&item, &chunk, &form); err != nil {
				return err
			}
			b, err := pack.ReadBitmap(form)
			if err != nil {
				return fmt.Errorf("presence of item %d, chunk %d: %w", item, chunk, err)
			}
			out[item] = b.Machines(out[item], chunk)
			return nil
		})
	return out, s.mapError("reading presence", err)
}

// AddItems implements ingest.Items: titles first, then versions, then items.
func (s *Store) AddItems(ctx context.Context, list []ingest.NewItem, at time.Time) ([]ingest.Item, error) {
	versions, err := s.addVersions(ctx, list, micros(at))
	if err != nil {
		return nil, s.mapError("adding software", err)
	}
	n := len(list)
	keys, firsts := make([][]byte, n), make([]int64, n)
	texts := make([][]string, 11)
	for k := range texts {
		texts[k] = make([]string, n)
	}
	flags := [3][]bool{make([]bool, n), make([]bool, n), make([]bool, n)}
	for i := range list {
		p := list[i].Program
		keys[i], firsts[i] = list[i].Key[:], micros(at)
		for k, v := range [...]string{p.Name, p.Version, p.Publisher, p.Origin, p.Source, p.Scope, p.User, p.Path, p.Arch, p.SHA256, p.Signer} {
			texts[k][i] = v
		}
		flags[0][i], flags[1][i], flags[2][i] = p.Requested, p.Base, p.Hidden
	}
	cols := []col{{"key", keys}, {"version_id", versions}}
	for k, name := range [...]string{"name", "version", "publisher", "origin", "source", "scope", "user_name", "path", "arch", "sha256", "signer"} {
		cols = append(cols, col{name, texts[k]})
	}
	cols = append(cols, col{"requested", flags[0]}, col{"base", flags[1]}, col{"hidden", flags[2]}, col{"first_seen", firsts})
	ids, err := s.upsertIDs(ctx, "item", 1, cols...)
	if err != nil {
		return nil, s.mapError("adding software", err)
	}
	out := make([]ingest.Item, n)
	for i := range out {
		out[i] = ingest.Item{ID: ids[i], Version: versions[i], Key: list[i].Key}
	}
	return out, nil
}

func (s *Store) addVersions(ctx context.Context, list []ingest.NewItem, at int64) ([]int64, error) {
	type version struct {
		title           int64
		version, source string
	}
	var titles distinct[title.Key]
	for i := range list {
		titles.add(title.Key{Name: list[i].Program.Name, Publisher: list[i].Program.Publisher})
	}
	rules, err := s.TitleRules(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := s.titleIDs(ctx, mapOf(titles.values, func(t title.Key) title.Key {
		k, _ := rules.Show(t)
		return k
	}), at)
	if err != nil {
		return nil, err
	}
	ids, err := s.upsertIDs(ctx, "software_title", 2,
		col{"name", mapOf(titles.values, func(t title.Key) string { return t.Name })},
		col{"publisher", mapOf(titles.values, func(t title.Key) string { return t.Publisher })},
		col{"name_fold", mapOf(titles.values, func(t title.Key) string { return Fold(t.Name) })},
		col{"shown_id", shown})
	if err != nil {
		return nil, err
	}
	var versions distinct[version]
	for i := range list {
		versions.add(version{ids[titles.at[i]], list[i].Program.Version, list[i].Program.Source})
	}
	vids, err := s.upsertIDs(ctx, "software_version", 3,
		col{"title_id", mapOf(versions.values, func(v version) int64 { return v.title })},
		col{"version", mapOf(versions.values, func(v version) string { return v.version })},
		col{"source", mapOf(versions.values, func(v version) string { return v.source })},
		col{"installs", make([]int64, len(versions.values))},
		col{"first_seen", mapOf(versions.values, func(version) int64 { return at })})
	if err != nil {
		return nil, err
	}
	return mapOf(versions.at, func(i int) int64 { return vids[i] }), nil
}

// distinct numbers values: values holds each once, at its place for the i-th added.
type distinct[T comparable] struct {
	values []T
	at     []int
	index  map[T]int
}

func (d *distinct[T]) add(v T) {
	i, ok := d.index[v]
	if !ok {
		if d.index == nil {
			d.index = make(map[T]int)
		}
		i = len(d.values)
		d.values, d.index[v] = append(d.values, v), i
	}
	d.at = append(d.at, i)
}

func mapOf[T, R any](list []T, f func(T) R) []R {
	out := make([]R, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// upsertIDs inserts rows that are not there, told apart by the first unique columns,
// and returns the ids of all, in order.
func (s *Store) upsertIDs(ctx context.Context, table string, unique int, cols ...col) ([]int64, error) {
	tx, err := s.bulkTx(ctx)
	if err != nil {
		return nil, err
	}
	names := mapOf(cols[:unique], func(c col) string { return c.name })
	if err := s.bulkInsert(ctx, table, "ON CONFLICT ("+strings.Join(names, ", ")+") DO NOTHING", cols...); err != nil {
		return nil, err
	}
	ids := make([]int64, cols[0].len())
	if s.Engine() == "postgres" {
		return ids, s.idsOf(ctx, tx, table, ids, cols[:unique])
	}
	conds := make([]string, unique)
	for i, n := range names {
		conds[i] = fmt.Sprintf("%s = ?%d", n, i+1)
	}
	stmt, err := tx.PrepareContext(ctx, "SELECT id FROM "+table+" WHERE "+strings.Join(conds, " AND "))
	if err != nil {
		return nil, err
	}
	defer stmt.Close()
	args := make([]any, unique)
	for i := range ids {
		for k := range args {
			args[k] = cols[k].value(i)
		}
		if err := stmt.QueryRowContext(ctx, args...).Scan(&ids[i]); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// idsOf fills ids by one query over arrays.
func (s *Store) idsOf(ctx context.Context, tx *sql.Tx, table string, ids []int64, cols []col) error {
	arrays, names, conds, args := []string{}, []string{}, []string{}, []any{}
	for i, c := range cols {
		arrays = append(arrays, fmt.Sprintf("$%d::%s", i+1, c.cast()))
		names = append(names, c.name)
		conds = append(conds, fmt.Sprintf("t.%s = u.%s", c.name, c.name))
		args = append(args, c.values)
	}
	_, err := rows(ctx, tx, fmt.Sprintf("SELECT u.n, t.id FROM unnest(%s) WITH ORDINALITY AS u (%s, n) JOIN %s t ON %s",
		strings.Join(arrays, ", "), strings.Join(names, ", "), table, strings.Join(conds, " AND ")), args,
		func(r *sql.Rows, _ *struct{}) error {
			var n, id int64
			if err := r.Scan(&n, &id); err != nil {
				return err
			}
			ids[n-1] = id
			return nil
		})
	return err
}
