package account

import (
	"context"
	"time"
)

// Transactor runs fn in one transaction that its context carries.
type Transactor interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Directory knows the people. NotFound where there is none.
type Directory interface {
	AccountPerson(ctx context.Context, email string) (Person, error)
}

// Store keeps accounts and their recovery codes.
type Store interface {
	// Account returns an empty account, with its person, where there is none yet.
	Account(ctx context.Context, person string) (Account, error)
	SaveAccount(ctx context.Context, a Account) error
	// UseTOTPStep keeps step as the newest that was used; false when one as new was
	// used already, by whoever came first.
	UseTOTPStep(ctx context.Context, person string, step int64) (bool, error)
	// SaveCodes puts the hashes of recovery codes in place of all earlier ones.
	SaveCodes(ctx context.Context, person string, hashes [][32]byte) error
	// UseCode uses a recovery code up, once; false when there is none to use.
	UseCode(ctx context.Context, person string, hash [32]byte, at time.Time) (bool, error)
	CodesLeft(ctx context.Context, person string) (int, error)
}

// Links keeps one-time links. Links long expired are forgotten.
type Links interface {
	CreateLink(ctx context.Context, l Link) error
	// Link returns a link that can be used. NotFound "signin.unknown", Conflict
	// "signin.used", Unauthenticated "signin.expired".
	Link(ctx context.Context, hash [32]byte, now time.Time) (Link, error)
	// UseLink uses the link up, once whoever else tries at the same moment. Errors as
	// for Link.
	UseLink(ctx context.Context, hash [32]byte, now time.Time) (Link, error)
	// DropLinks forgets a person's links that were not used.
	DropLinks(ctx context.Context, person string) error
}

// Sessions keeps who is signed in.
type Sessions interface {
	CreateSession(ctx context.Context, s Session) error
	// Session is NotFound "account.session-unknown" where there is none.
	Session(ctx context.Context, id string) (Session, error)
	TouchSession(ctx context.Context, id string, seen time.Time) error
	// ListSessions returns a person's sessions, everybody's where all is set, newest
	// use first, at most 1000.
	ListSessions(ctx context.Context, person string, all bool) ([]Session, error)
	DropSession(ctx context.Context, id string) error
	// DropSessions ends all of a person's sessions but one; it tells how many.
	DropSessions(ctx context.Context, person, but string) (int, error)
}

// Guard counts attempts and knows devices.
type Guard interface {
	// Take takes one attempt from the bucket of key: it moves the bucket's time by
	// every, unless that is more than most after now; then it returns the time.
	// A zero time means that the attempt was taken.
	Take(ctx context.Context, key string, now time.Time, every, most time.Duration) (until time.Time, err error)
	// GiveBack puts one attempt back.
	GiveBack(ctx context.Context, key string, every time.Duration) error
	KnowsDevice(ctx context.Context, person string, hash [32]byte) (bool, error)
	SaveDevice(ctx context.Context, person string, hash [32]byte, seen time.Time) error
	// DropDevices forgets a person's devices but one.
	DropDevices(ctx context.Context, person string, but [32]byte) error
	// Forget removes buckets that are full again, sessions that ended and devices not
	// seen since.
	Forget(ctx context.Context, now, devicesSince time.Time) error
}

// Mail is one message to a person, before it is put into words.
type Mail struct {
	To        string
	Name      string
	Language  string // as the person chose; may be empty
	Purpose   Purpose
	By        string // e-mail of whoever invites; empty: IT
	Secret    string // of the link, which is at /signin/ and this
	Next      string // page of the console that it leads to; empty: home
	ExpiresAt time.Time
}

// Mailer sends mail, sooner or later. Enqueue keeps the message in the transaction that
// ctx carries, and tries nothing itself.
type Mailer interface {
	// Ready returns Conflict "mail.not-configured" when no mail can be sent.
	Ready(ctx context.Context) error
	Enqueue(ctx context.Context, m Mail) error
}
