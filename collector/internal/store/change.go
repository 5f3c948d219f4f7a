package store

import (
	"context"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

var _ fleet.Changes = (*Store)(nil)

// keepChanges is how long notices stay for collectors that were away.
const keepChanges = 24 * time.Hour

// Notify implements fleet.Changes. Numbers follow the order of commits: whoever
// numbers holds the ledger until the transaction ends.
func (s *Store) Notify(ctx context.Context, kind, subject string) error {
	return s.write(ctx, "noting a change", func(ctx context.Context, q *db.Queries) error {
		if err := s.lockLedger(ctx); err != nil {
			return err
		}
		now := s.now()
		if err := q.PruneChanges(ctx, micros(now.Add(-keepChanges))); err != nil {
			return err
		}
		return q.InsertChange(ctx, db.InsertChangeParams{Kind: kind, Subject: subject, At: micros(now)})
	})
}

// Since implements fleet.Changes. At most 10,000 changes come at once; newest is then
// the last of them.
func (s *Store) Since(ctx context.Context, seq int64) (changes []fleet.Change, newest int64, err error) {
	newest = seq
	err = s.read(ctx, "reading changes", func(q *db.Queries) error {
		found, err := q.ChangesSince(ctx, seq)
		for _, c := range found {
			changes = append(changes, fleet.Change{Seq: c.Seq, Kind: c.Kind, Subject: c.Subject})
			newest = c.Seq
		}
		return err
	})
	return changes, newest, err
}
