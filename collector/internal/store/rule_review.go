package store

import (
	"context"
	"database/sql"

	"vigia/collector/internal/authorization"
)

var _ authorization.ReviewStore = (*Store)(nil)

// RuleReviews implements authorization.ReviewStore.
func (s *Store) RuleReviews(ctx context.Context) (map[string]authorization.RuleReview, error) {
	out := make(map[string]authorization.RuleReview)
	_, err := rows(ctx, s.on(ctx), "SELECT rule_id, made_at, made_by, reviewed_at, reviewed_by, note, due_at FROM rule_review", nil, func(r *sql.Rows, _ *struct{}) error {
		var v authorization.RuleReview
		var made, reviewed, due int64
		err := r.Scan(&v.RuleID, &made, &v.MadeBy, &reviewed, &v.ReviewedBy, &v.Note, &due)
		v.MadeAt, v.ReviewedAt, v.Due = fromMicros(made), fromMicros(reviewed), fromMicros(due)
		out[v.RuleID] = v
		return err
	})
	return out, s.mapError("reading reviews of rules", err)
}

// SaveRuleReview implements authorization.ReviewStore.
func (s *Store) SaveRuleReview(ctx context.Context, v authorization.RuleReview) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		_, err := s.txFrom(ctx).tx.ExecContext(ctx, `INSERT INTO rule_review (rule_id, made_at, made_by, reviewed_at, reviewed_by, note, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (rule_id) DO UPDATE SET reviewed_at = excluded.reviewed_at, reviewed_by = excluded.reviewed_by, note = excluded.note, due_at = excluded.due_at`,
			v.RuleID, micros(v.MadeAt), storable(v.MadeBy), micros(v.ReviewedAt), storable(v.ReviewedBy), storable(v.Note), micros(v.Due))
		return s.mapError("storing a review of a rule", err)
	})
}

// ReviewedUpTo implements authorization.ReviewStore.
func (s *Store) ReviewedUpTo(ctx context.Context) (int64, error) {
	if s.txFrom(ctx) != nil {
		if err := s.lockLedger(ctx); err != nil {
			return 0, err
		}
	}
	var v int64
	err := s.on(ctx).QueryRowContext(ctx, "SELECT version FROM rule_review_state WHERE id = 1").Scan(&v)
	return v, s.mapError("reading reviews of rules", err)
}

// SetReviewedUpTo implements authorization.ReviewStore.
func (s *Store) SetReviewedUpTo(ctx context.Context, version int64) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		_, err := s.txFrom(ctx).tx.ExecContext(ctx, "UPDATE rule_review_state SET version = $1 WHERE id = 1", version)
		return s.mapError("storing reviews of rules", err)
	})
}
