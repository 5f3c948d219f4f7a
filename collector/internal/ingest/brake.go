package ingest

import (
	"context"

	"vigia/collector/internal/authorization"
)

// Brakes is where the brake is kept.
type Brakes interface {
	Brake(ctx context.Context) (authorization.Brake, error)
	SaveBrake(ctx context.Context, b authorization.Brake) error
	// RecordsOpened counts the records that were opened after a moment.
	RecordsOpened(ctx context.Context, since int64) (int, error)
}

// braked reports whether a record that a report or the policy would open must not be: the
// cap of the hour is reached. Whoever reaches it pauses the opening in the same
// transaction. What a person opens by hand is not held back.
func (k *recordKeeper) braked(ctx context.Context, n *note) (bool, error) {
	if n.why.by != "" {
		return false, nil
	}
	store := k.in.cfg.Store
	if k.brake == nil {
		b, err := store.Brake(ctx)
		if err != nil {
			return false, err
		}
		if !b.Paused() {
			if k.begun, err = store.RecordsOpened(ctx, b.Since(k.now).UnixMicro()); err != nil {
				return false, err
			}
		}
		k.brake = &b
	}
	if k.brake.Paused() {
		return true, nil
	}
	if k.begun < k.brake.Limit() {
		k.begun++
		return false, nil
	}
	k.brake.PausedAt, k.brake.Opened, k.brake.Told = k.now, k.begun, false
	return true, store.SaveBrake(ctx, *k.brake)
}
