package store

import (
	"context"
	"database/sql"

	"vigia/collector/internal/ingest"
	"vigia/internal/inventory"
)

// FindingsToGrade implements ingest.Evaluations.
func (s *Store) FindingsToGrade(ctx context.Context, graded int64, most int) ([]*ingest.Finding, []inventory.Program, error) {
	type pair struct {
		row int64
		p   inventory.Program
	}
	list, err := rows(ctx, s.on(ctx), `SELECT f.id, i.name, i.version, i.publisher, i.origin, i.source, i.scope, i.user_name, i.path, i.sha256, i.signer
		FROM finding f JOIN item i ON i.id = f.item_id WHERE f.graded < $1 ORDER BY f.graded, f.id LIMIT $2`, []any{graded, limit(most)},
		func(r *sql.Rows, x *pair) error {
			p := &x.p
			return r.Scan(&x.row, &p.Name, &p.Version, &p.Publisher, &p.Origin, &p.Source, &p.Scope, &p.User, &p.Path, &p.SHA256, &p.Signer)
		})
	found, programs := make([]*ingest.Finding, len(list)), make([]inventory.Program, len(list))
	for i := range list {
		found[i], programs[i] = &ingest.Finding{Row: list[i].row}, list[i].p
	}
	return found, programs, s.mapError("reading findings to grade", err)
}

// SaveGrades implements ingest.Evaluations.
func (s *Store) SaveGrades(ctx context.Context, list []*ingest.Finding) error {
	return s.mapError("storing grades", s.bulkUpdate(ctx, "finding",
		col{"id", mapOf(list, func(f *ingest.Finding) int64 { return f.Row })},
		col{"category", mapOf(list, func(f *ingest.Finding) string { return string(f.Category) })},
		col{"severity", mapOf(list, func(f *ingest.Finding) int64 { return int64(f.Severity.Rank()) })},
		col{"graded", mapOf(list, func(f *ingest.Finding) int64 { return f.Graded })}))
}
