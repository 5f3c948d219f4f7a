// Package signin owns how a person gets into the console: one-time links and
// sessions. It refuses to know who the person is (org) and what they may do (actor),
// and never sees a secret in clear once it was handed out: links and sessions are
// known by the SHA-256 of theirs.
package signin

import (
	"context"
	"time"
)

// Link lets one person sign in once.
type Link struct {
	Hash      [32]byte // SHA-256 of the secret in the address
	Person    string   // e-mail; empty for whoever administers the server
	CreatedAt time.Time
	CreatedBy string // actor.Actor.String()
	ExpiresAt time.Time
	UsedAt    time.Time // zero until used
}

// LinkStore keeps links. Links long expired are forgotten.
type LinkStore interface {
	CreateSigninLink(ctx context.Context, l Link) error
	// UseSigninLink uses the link up, once whoever else tries at the same moment, and
	// returns it. NotFound "signin.unknown", Conflict "signin.used", Unauthenticated
	// "signin.expired".
	UseSigninLink(ctx context.Context, hash [32]byte, now time.Time) (Link, error)
}

// SessionStore keeps the data of sessions under the hash of their token, as package
// github.com/alexedwards/scs asks for it (its CtxStore is these three methods and the
// same three without a context).
type SessionStore interface {
	FindCtx(ctx context.Context, token string) (data []byte, found bool, err error)
	CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error
	DeleteCtx(ctx context.Context, token string) error
}
