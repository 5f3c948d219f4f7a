package store

import (
	"context"

	"vigia/collector/internal/ingest"
)

// Evaluation implements ingest.Evaluations.
func (s *Store) Evaluation(ctx context.Context) (ingest.Evaluation, error) {
	var e ingest.Evaluation
	var pending, boundary, until int64
	err := s.on(ctx).QueryRowContext(ctx, `SELECT coalesce((SELECT max(version) FROM allowlist), 0),
		coalesce((SELECT max(version) FROM severity_catalogue), 0), pending, version, boundary,
		cursor_item, change_seq, claimed_by, claimed_until FROM evaluation WHERE id = 1`).
		Scan(&e.Current, &e.Catalogue, &pending, &e.Version, &boundary, &e.Cursor, &e.Change, &e.ClaimedBy, &until)
	e.Pending, e.Boundary, e.ClaimedUntil = pending != 0, fromMicros(boundary), fromMicros(until)
	return e, s.mapError("reading the state of evaluation", err)
}

// SaveEvaluation implements ingest.Evaluations.
func (s *Store) SaveEvaluation(ctx context.Context, e ingest.Evaluation) error {
	tx, err := s.bulkTx(ctx)
	if err != nil {
		return err
	}
	pending := int64(0)
	if e.Pending {
		pending = 1
	}
	_, err = tx.ExecContext(ctx, `UPDATE evaluation SET pending = $1, version = $2, boundary = $3, cursor_item = $4,
		change_seq = $5, claimed_by = $6, claimed_until = $7 WHERE id = 1`, pending, e.Version, micros(e.Boundary), e.Cursor, e.Change, e.ClaimedBy, micros(e.ClaimedUntil))
	return s.mapError("storing the state of evaluation", err)
}
