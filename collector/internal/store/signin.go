package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/store/internal/db"
)

var _ account.Links = (*Store)(nil)

// keepLinks is how long an expired link is still told from one that never was.
const keepLinks = 7 * 24 * time.Hour

// CreateLink implements account.Links.
func (s *Store) CreateLink(ctx context.Context, l account.Link) error {
	return s.write(ctx, "creating a sign-in link", func(ctx context.Context, q *db.Queries) error {
		if err := q.PruneSigninLinks(ctx, micros(s.now().Add(-keepLinks))); err != nil {
			return err
		}
		return q.InsertSigninLink(ctx, db.InsertSigninLinkParams{
			Hash: l.Hash[:], Person: l.Person, Purpose: string(l.Purpose), CreatedAt: micros(l.CreatedAt), CreatedBy: l.CreatedBy,
			ExpiresAt: micros(l.ExpiresAt), UsedAt: micros(l.UsedAt),
		})
	})
}

func toLink(v db.SigninLink) account.Link {
	l := account.Link{
		Person: v.Person, Purpose: account.Purpose(v.Purpose), CreatedAt: fromMicros(v.CreatedAt), CreatedBy: v.CreatedBy,
		ExpiresAt: fromMicros(v.ExpiresAt), UsedAt: fromMicros(v.UsedAt),
	}
	copy(l.Hash[:], v.Hash)
	return l
}

// Link implements account.Links.
func (s *Store) Link(ctx context.Context, hash [32]byte, now time.Time) (l account.Link, err error) {
	err = s.read(ctx, "reading a sign-in link", func(q *db.Queries) error {
		v, err := q.SigninLink(ctx, hash[:])
		switch {
		case err != nil:
			return unknown(err, "signin.unknown", nil)
		case v.UsedAt != 0:
			return apperr.New(apperr.Conflict, "signin.used", nil)
		case v.ExpiresAt <= micros(now):
			return apperr.New(apperr.Unauthenticated, "signin.expired", nil)
		}
		l = toLink(v)
		return nil
	})
	return l, err
}

// UseLink implements account.Links.
func (s *Store) UseLink(ctx context.Context, hash [32]byte, now time.Time) (l account.Link, err error) {
	err = s.write(ctx, "using a sign-in link", func(ctx context.Context, q *db.Queries) error {
		used, err := q.UseSigninLink(ctx, db.UseSigninLinkParams{UsedAt: micros(now), Hash: hash[:], ExpiresAt: micros(now)})
		if err != nil {
			return err
		}
		if used == 0 {
			if _, err = s.Link(ctx, hash, now); err == nil {
				err = apperr.New(apperr.Conflict, "signin.used", nil)
			}
			return err
		}
		v, err := q.SigninLink(ctx, hash[:])
		l = toLink(v)
		return err
	})
	return l, err
}

// DropLinks implements account.Links.
func (s *Store) DropLinks(ctx context.Context, person string) error {
	return s.write(ctx, "forgetting sign-in links", func(ctx context.Context, q *db.Queries) error {
		return q.DropSigninLinks(ctx, person)
	})
}

// Sessions is the store's side of github.com/alexedwards/scs: its CtxStore, and the same
// three methods without a context. Tokens are kept as their SHA-256 only.
type Sessions struct{ store *Store }

// Sessions returns the session store.
func (s *Store) Sessions() *Sessions { return &Sessions{store: s} }

func hashed(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// FindCtx implements scs.CtxStore: expired sessions are not found.
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

// CommitCtx implements scs.CtxStore.
func (n *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if data == nil {
		data = []byte{}
	}
	return n.store.write(ctx, "keeping a session", func(ctx context.Context, q *db.Queries) error {
		return q.SaveSession(ctx, db.SaveSessionParams{Hash: hashed(token), Data: data, ExpiresAt: micros(expiry)})
	})
}

// DeleteCtx implements scs.CtxStore.
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
