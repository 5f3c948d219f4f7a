package store

import (
	"context"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest"
)

var _ ingest.Brakes = (*Store)(nil)

// Brake implements ingest.Brakes.
func (s *Store) Brake(ctx context.Context) (authorization.Brake, error) {
	var b authorization.Brake
	var paused, told, resumed int64
	err := s.on(ctx).QueryRowContext(ctx, "SELECT paused_at, opened, cap, told, by_whom, resumed_at FROM brake WHERE id = 1").Scan(&paused, &b.Opened, &b.Cap, &told, &b.By, &resumed)
	b.PausedAt, b.Told, b.ResumedAt = fromMicros(paused), told != 0, fromMicros(resumed)
	return b, s.mapError("reading whether nonconformities are opened", err)
}

// SaveBrake implements ingest.Brakes.
func (s *Store) SaveBrake(ctx context.Context, b authorization.Brake) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		_, err := s.txFrom(ctx).tx.ExecContext(ctx, "UPDATE brake SET paused_at = $1, opened = $2, cap = $3, told = $4, by_whom = $5, resumed_at = $6 WHERE id = 1",
			micros(b.PausedAt), b.Opened, b.Cap, number01(b.Told), storable(b.By), micros(b.ResumedAt))
		return s.mapError("storing whether nonconformities are opened", err)
	})
}

// RecordsOpened implements ingest.Brakes.
func (s *Store) RecordsOpened(ctx context.Context, since int64) (int, error) {
	var n int
	err := s.on(ctx).QueryRowContext(ctx, "SELECT count(*) FROM nonconformity WHERE opened_at > $1", since).Scan(&n)
	return n, s.mapError("counting nonconformities", err)
}
