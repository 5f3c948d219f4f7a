package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest"
)

const findingColumns = `f.id, f.machine_id, f.item_id, f.ident, f.verdict, f.rule, f.reason, f.state, f.first_seen,
	f.last_seen, f.found_at, f.gone_at, f.report_id, f.gone_report_id, f.nonconformity, f.recurrences`

func scanIngestFinding(r *sql.Rows, into **ingest.Finding) error {
	f := &ingest.Finding{}
	var ident, report, goneReport []byte
	var state string
	var first, last, found, gone int64
	err := r.Scan(&f.Row, &f.Machine, &f.Item, &ident, &f.Verdict, &f.Rule, &f.Reason, &state, &first,
		&last, &found, &gone, &report, &goneReport, &f.Nonconformity, &f.Recurrences)
	if err != nil {
		return err
	}
	copy(f.Ident[:], ident)
	copy(f.Report[:], report)
	copy(f.GoneReport[:], goneReport)
	f.State = authorization.FindingState(state)
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
func (s *Store) FindingsAbout(ctx context.Context, machines, items []int64, idents [][16]byte) ([]*ingest.Finding, error) {
	keys := make([][]byte, len(idents))
	for i := range idents {
		keys[i] = idents[i][:]
	}
	from, arg := s.among(machines)
	args := []any{arg, any(items), any(keys)}
	among := "(f.item_id = ANY ($2::bigint[]) OR f.ident = ANY ($3::bytea[]))"
	if s.Engine() == "sqlite" {
		args[1], args[2] = jsonInts(items), jsonHex(keys)
		among = "(f.item_id IN (SELECT value FROM json_each($2)) OR f.ident IN (SELECT unhex(value) FROM json_each($3)))"
	}
	list, err := rows(ctx, s.on(ctx), "SELECT "+findingColumns+" FROM "+from+
		" CROSS JOIN finding f WHERE f.machine_id = j.value AND "+among+" ORDER BY f.id", args, scanIngestFinding)
	return list, s.mapError("reading findings", err)
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
	}
}
