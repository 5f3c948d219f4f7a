// Package inbox owns the letters that come back: replies to the mails that the collector
// sent, which become comments of their sender on the record, and bounces, which end the
// mail they are about. It refuses to believe a sender's address alone: a reply counts
// only where it answers, by its Message-ID, a mail that was sent to that same address.
// Message-IDs are random, so only who got the mail, or whom they showed it, knows one;
// where the mail server tells who passed its checks (RFC 8601), that can be asked for too.
package inbox

import (
	"context"
	"time"

	"vigia/collector/internal/notify"
)

// Outcome is what became of a letter.
type Outcome string

// The outcomes.
const (
	Commented Outcome = "commented"      // a comment of its sender on the record
	Bounced   Outcome = "bounced"        // the mail that it is about did not arrive
	Automatic Outcome = "automatic"      // a holiday notice, a mailing list: left alone
	NoMail    Outcome = "no-mail"        // answers no mail of ours
	Stranger  Outcome = "stranger"       // not from whom the mail was sent to
	Unproven  Outcome = "unproven"       // the mail server does not vouch for the sender
	Empty     Outcome = "empty"          // nothing but what it quotes
	TooLarge  Outcome = "too-large"      //
	Broken    Outcome = "unreadable"     //
	Refused   Outcome = "refused"        // the record took no comment of this person
	NoRecord  Outcome = "without-record" // answers a mail that is about no record
)

// Outcomes lists every outcome, in the order in which they are offered.
func Outcomes() []Outcome {
	return []Outcome{Commented, Bounced, Stranger, Unproven, Refused, NoMail, NoRecord, Empty, Automatic, TooLarge, Broken}
}

// Received is one letter that came, without its text.
type Received struct {
	Row       int64
	MessageID string // or a hash of the letter, where it has none
	From      string
	Subject   string
	At        time.Time // when it was read
	Outcome   Outcome
	Object    string // the record, or the mail that bounced
	Problem   string
}

// Filter narrows a list of letters, newest first.
type Filter struct {
	Outcome Outcome
	Query   string // part of a sender, a subject or an object
	After   int64  // Row of the last of the page before
}

// Store keeps what came. Its writes join the transaction in ctx.
type Store interface {
	// KeepReceived keeps r; kept is false when a letter with its id is there already.
	KeepReceived(ctx context.Context, r Received) (kept bool, err error)
	FinishReceived(ctx context.Context, r Received) error // outcome, object and problem
	// MailByMessageID finds a mail of ours; NotFound "mail.unknown".
	MailByMessageID(ctx context.Context, id string) (notify.Mail, error)
	// BounceMail ends a mail that was sent, as bounced; false when it was not sent.
	BounceMail(ctx context.Context, id string, at time.Time, problem string, code int) (bool, error)
}
