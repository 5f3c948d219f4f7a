// Package notify owns the mail that the collector sends: what a message is, its
// queue, and sending it once, in the reader's language, by whichever collector holds
// it. It refuses to decide who is to be told of what, and to hold sentences: its
// callers decide, and package locale speaks.
//
// A message is queued in the transaction of what causes it, so that neither exists
// without the other. It has a key; a second one with the same key is not queued. A
// message is held by one collector at a time. When that collector dies between the
// server's "250" and its own note of it, the message is sent again, with the same
// Message-ID, which mailboxes fold into one: SMTP allows no better promise.
package notify

import (
	"context"
	"time"
)

// Template is one kind of message. Each has a subject, a text and the label of its
// button in the catalogues, under "mail.<template>.".
type Template string

// The templates. Args that each needs are beside it.
const (
	Invitation    Template = "invitation"     // Inviter
	PasswordReset Template = "password-reset" // none
	SigninLink    Template = "signin-link"    // Minutes
	TestMessage   Template = "test"           // Sender
	Digest        Template = "digest"         // Count
)

// Message is what is asked to be sent.
type Message struct {
	Key      string    // tells this message from every other, for good: 1–200 bytes such as "invitation/ana@example.com/7"
	To       string    // one address: ana@example.com
	ToName   string    // the person's name, may be empty
	Lang     string    // "es", "en"; any other is the company's language
	Template Template  // one of the above
	Args     []any     // pairs of a name and its value, for the template's sentences
	Path     string    // of the console, with a leading "/": where the one button leads; empty: no button
	Second   string    // where a second button leads; empty: there is one at most
	Thread   string    // the record it belongs to, such as "NC-2026-0001": its mails form a thread; may be empty
	Secret   bool      // Path lets somebody in: the text is never shown, and wiped once sent
	Expires  time.Time // not sent after this; zero: five days from now
	Items    []Item    // of a digest
}

// Item is one message that a digest tells of.
type Item struct {
	Subject string
	URL     string // may be empty
}

// State is what became of a message.
type State string

// The states.
const (
	Waiting State = "waiting" // to be sent, or to be tried again
	Sent    State = "sent"    // the server took it
	Bounced State = "bounced" // the server refused it for good
	Expired State = "expired" // it could not be sent in its time
)

// States lists every state, in the order in which they are offered.
func States() []State { return []State{Waiting, Bounced, Expired, Sent} }

// Mail is a message in the queue.
type Mail struct {
	Row       int64
	Key       string
	MessageID string // without angle brackets, fixed for good
	Thread    string
	To        string
	ToName    string
	Lang      string
	Template  Template
	Subject   string
	Text      string // empty once wiped
	HTML      string // empty once wiped
	Secret    bool
	State     State
	Attempts  int
	CreatedAt time.Time
	CreatedBy string // actor.Actor.String()
	ExpiresAt time.Time
	NextAt    time.Time // when it is tried next, while waiting
	EndedAt   time.Time // when it was sent, bounced or expired
	Problem   string    // what the server said last, empty when nothing is wrong
	Code      int       // its SMTP code, 0 when there was none

	Path       string // of the console, where its button leads
	Digest     bool   // it waits for its reader's digest
	MergedInto int64  // Row of the digest that told of it, 0: none
}

// Filter narrows a list of mail, newest first. Zero means "any".
type Filter struct {
	State State
	Query string // part of an address or a subject
	After int64  // Row of the last of the page before
	Limit int    // 1–1000; 0 = 1000
}

// Counts is how many messages there are of each state.
type Counts struct {
	ByState map[State]int
	Oldest  time.Time // when the longest waiting message was queued; zero when none waits
}

// Result is how one attempt ended.
type Result struct {
	State   State // Waiting: to be tried again at NextAt
	NextAt  time.Time
	At      time.Time
	Problem string
	Code    int
}

// Store keeps the queue. Its writes join the transaction in ctx.
type Store interface {
	// QueueMail keeps a message; queued is false when one with its key is there
	// already, which is then returned. TooMany "mail.queue-full".
	QueueMail(ctx context.Context, m Mail) (kept Mail, queued bool, err error)
	MailByRow(ctx context.Context, row int64) (Mail, error) // NotFound "mail.unknown"
	MailList(ctx context.Context, f Filter) ([]Mail, error)
	MailCounts(ctx context.Context) (Counts, error)
	// ClaimMail takes up to limit messages that are due and that nobody holds, and
	// holds them until then. row > 0 takes that message alone, due or not.
	ClaimMail(ctx context.Context, holder string, now, until time.Time, row int64, limit int) ([]Mail, error)
	// FinishMail writes down an attempt and lets go of the message; it does nothing and
	// returns false when holder lost it meanwhile.
	FinishMail(ctx context.Context, row int64, holder string, r Result) (bool, error)
	// ReleaseMail lets go of everything holder holds, untried.
	ReleaseMail(ctx context.Context, holder string) error
	// RetryMail makes a message wait again, as if new, to be sent before expires.
	// Conflict "mail.cannot-retry" when it was sent, or its text was wiped.
	RetryMail(ctx context.Context, row int64, now, expires time.Time) (Mail, error)
	// ExpireMail ends what waits past its time and returns how many did.
	ExpireMail(ctx context.Context, now time.Time, limit int) (int, error)
	// DigestReaders lists addresses whose digest is due.
	DigestReaders(ctx context.Context, now time.Time, limit int) ([]string, error)
	// TakeDigest ends, as sent, up to limit messages that wait for a digest of to that
	// is due, and returns them; MergeMail notes which message told of them.
	TakeDigest(ctx context.Context, to string, now time.Time, limit int) ([]Mail, error)
	MergeMail(ctx context.Context, row, into int64) error
	// PruneMail wipes texts ended before wipe, and removes messages ended before remove;
	// at most limit of each. It returns how many it changed.
	PruneMail(ctx context.Context, wipe, remove time.Time, limit int) (int, error)
}
