package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest"
)

const findingColumns = `f.id, f.machine_id, f.item_id, f.ident, f.verdict, f.rule, f.reason, f.state, f.first_seen,
	f.last_seen, f.found_at, f.gone_at, f.report_id, f.gone_report_id, f.nonconformity, f.recurrences,
	f.category, f.severity, f.graded, f.parent_id`

func scanIngestFinding(r *sql.Rows, into **ingest.Finding) error {
	f := &ingest.Finding{}
	var ident, report, goneReport []byte
	var state string
	var first, last, found, gone, rank int64
	err := r.Scan(&f.Row, &f.Machine, &f.Item, &ident, &f.Verdict, &f.Rule, &f.Reason, &state, &first,
		&last, &found, &gone, &report, &goneReport, &f.Nonconformity, &f.Recurrences,
		&f.Category, &rank, &f.Graded, &f.Parent)
	if err != nil {
		return err
	}
	copy(f.Ident[:], ident)
	copy(f.Report[:], report)
	copy(f.GoneReport[:], goneReport)
	f.State, f.Severity = authorization.FindingState(state), authorization.SeverityOfRank(int(rank))
	f.FirstSeen, f.LastSeen, f.FoundAt, f.GoneAt = fromMicros(first), fromMicros(last), fromMicros(found), fromMicros(gone)
	*into = f
	return nil
}

// FindingsOf implements ingest.Findings.
func (s *Store) FindingsOf(ctx context.Context, machines []int64) ([]*ingest.Finding, error) {
	from, arg := s.among(machines)
	list, err := rows(ctx, s.on(ctx), "SELECT "+findingColumns+" FROM "+from+
		" CROSS JOIN finding f WHERE f.machine_id = j.value ORDER BY f.id", []any{arg}, scanIngestFinding)
	return list, s.mapError("reading findings", err)
}

// FindingsAbout implements ingest.Findings.
func (s *Store) FindingsAbout(ctx context.Context, keys []ingest.FindingKey) ([]*ingest.Finding, error) {
	named := slices.DeleteFunc(slices.Clone(keys), func(k ingest.FindingKey) bool { return k.Ident == [16]byte{} })
	list, err := s.findingsBy(ctx, "item_id", "bigint[]", "value->>1", keys,
		mapOf(keys, func(k ingest.FindingKey) any { return k.Item }), mapOf(keys, func(k ingest.FindingKey) int64 { return k.Item }))
	if err == nil && len(named) > 0 {
		var more []*ingest.Finding
		more, err = s.findingsBy(ctx, "ident", "bytea[]", "unhex(value->>1)", named,
			mapOf(named, func(k ingest.FindingKey) any { return hex.EncodeToString(k.Ident[:]) }), mapOf(named, func(k ingest.FindingKey) []byte { return k.Ident[:] }))
		list = append(list, more...)
	}
	slices.SortFunc(list, func(a, b *ingest.Finding) int { return cmp.Compare(a.Row, b.Row) })
	list = slices.CompactFunc(list, func(a, b *ingest.Finding) bool { return a.Row == b.Row })
	return list, s.mapError("reading findings", err)
}

// findingsBy returns the findings of each key's machine with the key's value in a
// column: on SQLite values come as JSON (values) and are read by the expression lite, on
// PostgreSQL as an array of the type cast.
func (s *Store) findingsBy(ctx context.Context, column, cast, lite string, keys []ingest.FindingKey, values []any, array any) ([]*ingest.Finding, error) {
	from, args := "unnest($1::bigint[], $2::"+cast+") AS j (machine, value)", []any{mapOf(keys, func(k ingest.FindingKey) int64 { return k.Machine }), array}
	if s.Engine() == "sqlite" {
		pairs := make([][2]any, len(keys))
		for i := range keys {
			pairs[i] = [2]any{keys[i].Machine, values[i]}
		}
		b, err := json.Marshal(pairs)
		if err != nil {
			return nil, err
		}
		from, args = "(SELECT value->>0 AS machine, "+lite+" AS value FROM json_each($1)) AS j", []any{string(b)}
	}
	return rows(ctx, s.on(ctx), "SELECT "+findingColumns+" FROM "+from+
		" CROSS JOIN finding f WHERE f.machine_id = j.machine AND f."+column+" = j.value", args, scanIngestFinding)
}

// FindingsOn implements ingest.Findings.
func (s *Store) FindingsOn(ctx context.Context, items []int64) ([]*ingest.Finding, error) {
	from, arg := s.among(items)
	list, err := rows(ctx, s.on(ctx), "SELECT "+findingColumns+" FROM "+from+
		" CROSS JOIN finding f WHERE f.item_id = j.value AND f.state IN ('open', 'authorized') ORDER BY f.id", []any{arg}, scanIngestFinding)
	return list, s.mapError("reading findings", err)
}

// AddFindings implements ingest.Findings.
func (s *Store) AddFindings(ctx context.Context, list []*ingest.Finding) error {
	if len(list) == 0 {
		return nil
	}
	err := s.insertFindings(ctx, list)
	return s.mapError("storing findings", err)
}

// insertFindings sets rows. No two of list have the same machine and item.
func (s *Store) insertFindings(ctx context.Context, list []*ingest.Finding) error {
	tx, err := s.bulkTx(ctx)
	if err != nil {
		return err
	}
	cols := findingCols(list)
	names, marks, arrays := make([]string, len(cols)), make([]string, len(cols)), make([]string, len(cols))
	for i, c := range cols {
		names[i], marks[i], arrays[i] = c.name, fmt.Sprintf("?%d", i+1), fmt.Sprintf("$%d::%s", i+1, c.cast())
	}
	head := "INSERT INTO finding (" + strings.Join(names, ", ") + ") "
	args := make([]any, len(cols))
	if s.Engine() == "postgres" {
		for k, c := range cols {
			args[k] = c.values
		}
		return s.returnedRows(ctx, tx, list, head+"SELECT * FROM unnest("+strings.Join(arrays, ", ")+") RETURNING id, machine_id, item_id", args)
	}
	stmt, err := tx.PrepareContext(ctx, head+"VALUES ("+strings.Join(marks, ", ")+") RETURNING id")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i, f := range list {
		for k, c := range cols {
			args[k] = c.value(i)
		}
		if err := stmt.QueryRowContext(ctx, args...).Scan(&f.Row); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) returnedRows(ctx context.Context, tx *sql.Tx, list []*ingest.Finding, query string, args []any) error {
	type place struct{ machine, item int64 }
	at := make(map[place]*ingest.Finding, len(list))
	for _, f := range list {
		at[place{f.Machine, f.Item}] = f
	}
	_, err := rows(ctx, tx, query, args, func(r *sql.Rows, _ *struct{}) error {
		var id int64
		var p place
		if err := r.Scan(&id, &p.machine, &p.item); err != nil {
			return err
		}
		at[p].Row = id
		return nil
	})
	return err
}

// SaveFindings implements ingest.Findings.
func (s *Store) SaveFindings(ctx context.Context, list []*ingest.Finding) error {
	id := col{"id", mapOf(list, func(f *ingest.Finding) int64 { return f.Row })}
	return s.mapError("storing findings", s.bulkUpdate(ctx, "finding", append([]col{id}, findingCols(list)[1:]...)...))
}

func findingCols(list []*ingest.Finding) []col {
	return []col{
		{"machine_id", mapOf(list, func(f *ingest.Finding) int64 { return f.Machine })},
		{"item_id", mapOf(list, func(f *ingest.Finding) int64 { return f.Item })},
		{"ident", mapOf(list, func(f *ingest.Finding) []byte { return f.Ident[:] })},
		{"verdict", mapOf(list, func(f *ingest.Finding) string { return f.Verdict })},
		{"rule", mapOf(list, func(f *ingest.Finding) string { return f.Rule })},
		{"reason", mapOf(list, func(f *ingest.Finding) string { return f.Reason })},
		{"state", mapOf(list, func(f *ingest.Finding) string { return string(f.State) })},
		{"first_seen", mapOf(list, func(f *ingest.Finding) int64 { return micros(f.FirstSeen) })},
		{"last_seen", mapOf(list, func(f *ingest.Finding) int64 { return micros(f.LastSeen) })},
		{"found_at", mapOf(list, func(f *ingest.Finding) int64 { return micros(f.FoundAt) })},
		{"gone_at", mapOf(list, func(f *ingest.Finding) int64 { return micros(f.GoneAt) })},
		{"report_id", mapOf(list, func(f *ingest.Finding) []byte { return f.Report[:] })},
		{"gone_report_id", mapOf(list, func(f *ingest.Finding) []byte { return f.GoneReport[:] })},
		{"nonconformity", mapOf(list, func(f *ingest.Finding) string { return f.Nonconformity })},
		{"recurrences", mapOf(list, func(f *ingest.Finding) int64 { return int64(f.Recurrences) })},
		{"category", mapOf(list, func(f *ingest.Finding) string { return string(f.Category) })},
		{"severity", mapOf(list, func(f *ingest.Finding) int64 { return int64(f.Severity.Rank()) })},
		{"graded", mapOf(list, func(f *ingest.Finding) int64 { return f.Graded })},
		{"parent_id", mapOf(list, func(f *ingest.Finding) int64 { return f.Parent })},
	}
}
