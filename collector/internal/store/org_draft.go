package store

import (
	"context"

	"vigia/collector/internal/org"
	"vigia/collector/internal/store/internal/db"
)

var _ org.DraftStore = (*Store)(nil)

// SaveDraft implements org.DraftStore.
func (s *Store) SaveDraft(ctx context.Context, d org.Draft) error {
	return s.write(ctx, "keeping a file of people", func(ctx context.Context, q *db.Queries) error {
		if err := q.DropDraftsBefore(ctx, db.DropDraftsBeforeParams{ExpiresAt: micros(d.CreatedAt), Actor: d.Actor}); err != nil {
			return err
		}
		return q.InsertDraft(ctx, db.InsertDraftParams{ID: d.ID, Actor: d.Actor, Name: d.Name, CreatedAt: micros(d.CreatedAt),
			ExpiresAt: micros(d.ExpiresAt), Sum: d.Sum[:], Body: d.Body})
	})
}

// Draft implements org.DraftStore.
func (s *Store) Draft(ctx context.Context, id string) (d org.Draft, err error) {
	err = s.read(ctx, "reading a kept file of people", func(q *db.Queries) error {
		v, err := q.DraftByID(ctx, id)
		d = org.Draft{ID: v.ID, Actor: v.Actor, Name: v.Name, CreatedAt: fromMicros(v.CreatedAt), ExpiresAt: fromMicros(v.ExpiresAt), Body: v.Body}
		copy(d.Sum[:], v.Sum)
		return unknown(err, "org.no-draft", nil)
	})
	return d, err
}

// SealDraft implements org.DraftStore.
func (s *Store) SealDraft(ctx context.Context, id string, sum [32]byte) error {
	return s.write(ctx, "keeping what was shown of a file of people", func(ctx context.Context, q *db.Queries) error {
		return q.SealDraft(ctx, db.SealDraftParams{Sum: sum[:], ID: id})
	})
}

// DropDraft implements org.DraftStore.
func (s *Store) DropDraft(ctx context.Context, id string) error {
	return s.write(ctx, "dropping a kept file of people", func(ctx context.Context, q *db.Queries) error { return q.DropDraft(ctx, id) })
}
