package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"vigia/collector/internal/notify"
	"vigia/collector/internal/store/internal/db"
)

// DigestReaders implements notify.Store.
func (s *Store) DigestReaders(ctx context.Context, now time.Time, max int) (out []string, err error) {
	err = s.read(ctx, "looking for digests", func(q *db.Queries) error {
		out, err = q.DigestReaders(ctx, db.DigestReadersParams{NextAt: micros(now), Limit: int32(limit(max))})
		return err
	})
	return out, err
}

// TakeDigest implements notify.Store.
func (s *Store) TakeDigest(ctx context.Context, to string, now time.Time, max int) (out []notify.Mail, err error) {
	err = s.write(ctx, "taking a digest", func(ctx context.Context, q *db.Queries) error {
		list, err := q.TakeDigest(ctx, db.TakeDigestParams{Now: micros(now), Recipient: to, MaxRows: int32(limit(max))})
		slices.SortFunc(list, func(a, b db.Mail) int { return int(a.ID - b.ID) })
		out = toMails(list)
		return err
	})
	return out, err
}

// MergeMail implements notify.Store.
func (s *Store) MergeMail(ctx context.Context, row, into int64) error {
	return s.write(ctx, "noting a digest", func(ctx context.Context, q *db.Queries) error {
		return q.MergeMail(ctx, db.MergeMailParams{MergedInto: into, ID: row})
	})
}

// Wish implements notify.WishStore.
func (s *Store) Wish(ctx context.Context, person string) (w notify.Wish, err error) {
	err = s.read(ctx, "reading how somebody is told", func(q *db.Queries) error {
		v, err := q.MailPreference(ctx, person)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		minutes := func(n int64) time.Duration { return time.Duration(n) * time.Minute }
		w = notify.Wish{Delivery: notify.Delivery(v.Delivery), Quiet: v.Quiet != 0, QuietFrom: minutes(v.QuietFrom), QuietTo: minutes(v.QuietTo)}
		return err
	})
	return w, err
}

// PutWish implements notify.WishStore.
func (s *Store) PutWish(ctx context.Context, person string, w notify.Wish) error {
	return s.write(ctx, "keeping how somebody is told", func(ctx context.Context, q *db.Queries) error {
		return q.PutMailPreference(ctx, db.PutMailPreferenceParams{Person: person, Delivery: string(w.Delivery), Quiet: number(w.Quiet),
			QuietFrom: int64(w.QuietFrom / time.Minute), QuietTo: int64(w.QuietTo / time.Minute)})
	})
}
