package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/signin"
	"vigia/collector/internal/store/internal/db"
)

var (
	_ signin.LinkStore    = (*Store)(nil)
	_ signin.SessionStore = (*Sessions)(nil)
)

// keepLinks is how long an expired link is still told from one that never was.
const keepLinks = 7 * 24 * time.Hour

// CreateSigninLink implements signin.LinkStore.
func (s *Store) CreateSigninLink(ctx context.Context, l signin.Link) error {
	return s.write(ctx, "creating a sign-in link", func(ctx context.Context, q *db.Queries) error {
		if err := q.PruneSigninLinks(ctx, micros(s.now().Add(-keepLinks))); err != nil {
			return err
		}
		return q.InsertSigninLink(ctx, db.InsertSigninLinkParams{
			Hash: l.Hash[:], Person: l.Person, CreatedAt: micros(l.CreatedAt), CreatedBy: l.CreatedBy,
			ExpiresAt: micros(l.ExpiresAt), UsedAt: micros(l.UsedAt),
		})
	})
}

// UseSigninLink implements signin.LinkStore.
func (s *Store) UseSigninLink(ctx context.Context, hash [32]byte, now time.Time) (l signin.Link, err error) {
	err = s.write(ctx, "using a sign-in link", func(ctx context.Context, q *db.Queries) error {
		used, err := q.UseSigninLink(ctx, db.UseSigninLinkParams{UsedAt: micros(now), Hash: hash[:], ExpiresAt: micros(now)})
		if err != nil {
			return err
		}
		v, err := q.SigninLink(ctx, hash[:])
		switch {
		case err != nil:
			return unknown(err, "signin.unknown", nil)
		case used == 1:
			l = signin.Link{
				Hash: hash, Person: v.Person, CreatedAt: fromMicros(v.CreatedAt), CreatedBy: v.CreatedBy,
				ExpiresAt: fromMicros(v.ExpiresAt), UsedAt: fromMicros(v.UsedAt),
			}
			return nil
		case v.UsedAt != 0:
			return apperr.New(apperr.Conflict, "signin.used", nil)
		}
		return apperr.New(apperr.Unauthenticated, "signin.expired", nil)
	})
	return l, err
}

// Sessions is the store's side of package scs: its CtxStore. Tokens are kept as their
// SHA-256 only.
type Sessions struct{ store *Store }

// Sessions returns the session store.
func (s *Store) Sessions() *Sessions { return &Sessions{store: s} }

func hashed(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// FindCtx implements signin.SessionStore: expired sessions are not found.
func (n *Sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = n.store.read(ctx, "reading a session", func(q *db.Queries) error {
		data, err = q.SessionByHash(ctx, db.SessionByHashParams{Hash: hashed(token), ExpiresAt: micros(n.store.now())})
		found = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return data, found, err
}

// CommitCtx implements signin.SessionStore.
func (n *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if data == nil {
		data = []byte{}
	}
	return n.store.write(ctx, "keeping a session", func(ctx context.Context, q *db.Queries) error {
		return q.SaveSession(ctx, db.SaveSessionParams{Hash: hashed(token), Data: data, ExpiresAt: micros(expiry)})
	})
}

// DeleteCtx implements signin.SessionStore.
func (n *Sessions) DeleteCtx(ctx context.Context, token string) error {
	return n.store.write(ctx, "ending a session", func(ctx context.Context, q *db.Queries) error {
		return q.DeleteSession(ctx, hashed(token))
	})
}

// Find is FindCtx without a context, as scs asks for.
func (n *Sessions) Find(token string) ([]byte, bool, error) {
	return n.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (n *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return n.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context.
func (n *Sessions) Delete(token string) error { return n.DeleteCtx(context.Background(), token) }

// Prune removes the sessions that expired until now and tells how many; for a job.
func (n *Sessions) Prune(ctx context.Context, now time.Time) (removed int64, err error) {
	err = n.store.write(ctx, "removing expired sessions", func(ctx context.Context, q *db.Queries) error {
		removed, err = q.PruneSessions(ctx, micros(now))
		return err
	})
	return removed, err
}
