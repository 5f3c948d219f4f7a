package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify"
)

// Reader fetches letters and has each taken up once. All fields are required.
type Reader struct {
	InTx   func(ctx context.Context, fn func(ctx context.Context) error) error
	Store  Store
	Server func(ctx context.Context) (Server, error) // as it is now; an empty Host: nothing is fetched
	// Person returns who has an address, as they would act; NotFound where nobody active has.
	Person func(ctx context.Context, email string) (actor.Actor, error)
	// Comment puts text on a record on behalf of the actor in ctx.
	Comment func(ctx context.Context, record, text string) error
	Now     func() time.Time
	Log     *slog.Logger
}

// Round takes up what nobody has read yet. One collector at a time does it; where two
// do, each letter still has the effect of once.
func (r *Reader) Round(ctx context.Context) error {
	to, err := r.Server(ctx)
	if err != nil || to.Host == "" {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	box, err := to.open(ctx)
	if err != nil {
		return err
	}
	defer box.close()
	list, err := box.unseen()
	if err != nil {
		return err
	}
	for _, x := range list {
		var raw []byte
		if x.RFC822Size <= maxLetter {
			if raw, err = box.fetch(x.UID); err != nil {
				return err
			}
		}
		if err := r.Take(ctx, to, raw, fmt.Sprintf("%s/%d", to.Mailbox, x.UID)); err != nil {
			return err
		}
		if err := box.done(x.UID); err != nil {
			return err
		}
	}
	return nil
}

// Take takes up one letter, in one transaction with what is kept of it. raw is nil for
// one that is too large; name tells it apart then. It returns errors of the store only:
// what is wrong with a letter is its outcome.
func (r *Reader) Take(ctx context.Context, to Server, raw []byte, name string) error {
	letter, perr := Letter{MessageID: name}, error(nil)
	if raw != nil {
		letter, perr = Parse(raw)
	}
	got := Received{MessageID: letter.MessageID, From: limit(letter.From, 254), Subject: letter.Subject, At: r.Now().UTC().Truncate(time.Microsecond)}
	switch {
	case raw == nil:
		got.Outcome = TooLarge
	case perr != nil:
		got.MessageID, got.Outcome, got.Problem = name, Broken, limit(clean(perr.Error()), 500)
	}
	err := r.InTx(ctx, func(ctx context.Context) error {
		kept, err := r.Store.KeepReceived(ctx, got)
		if err != nil || !kept || got.Outcome != "" {
			return err // seen before, or there is nothing to do
		}
		if err := r.judge(ctx, to, letter, &got); err != nil {
			return err
		}
		return r.Store.FinishReceived(ctx, got)
	})
	if refused := new(refusal); errors.As(err, &refused) { // the comment was taken back with its transaction
		got.Outcome, got.Problem = Refused, refused.key
		_, err = r.Store.KeepReceived(ctx, got)
	}
	if err == nil {
		r.Log.InfoContext(ctx, "letter read", "outcome", got.Outcome, "object", got.Object)
	}
	return err
}

// refusal is that a record took no comment.
type refusal struct{ key string }

func (r *refusal) Error() string { return "refused: " + r.key }

// judge decides what a letter is, and does what it asks for.
func (r *Reader) judge(ctx context.Context, to Server, l Letter, got *Received) error {
	if l.Bounce != nil {
		return r.bounce(ctx, *l.Bounce, got)
	}
	if l.Auto {
		got.Outcome = Automatic
		return nil
	}
	m, found, err := r.answered(ctx, l)
	switch {
	case err != nil:
		return err
	case !found:
		got.Outcome = NoMail
		return nil
	case m.Thread == "":
		got.Outcome = NoRecord
		return nil
	case l.From == "" || !strings.EqualFold(m.To, l.From):
		got.Outcome, got.Object = Stranger, m.Thread
		return nil
	case !vouched(to.Vouches, l):
		got.Outcome, got.Object = Unproven, m.Thread
		return nil
	case l.Text == "":
		got.Outcome, got.Object = Empty, m.Thread
		return nil
	}
	return r.comment(ctx, m, l, got)
}

func (r *Reader) comment(ctx context.Context, m notify.Mail, l Letter, got *Received) error {
	got.Object = m.Thread
	who, err := r.Person(ctx, l.From)
	if apperr.Is(err, apperr.NotFound) {
		got.Outcome = Stranger
		return nil
	} else if err != nil {
		return err
	}
	err = r.Comment(actor.With(ctx, who), m.Thread, l.Text)
	var e *apperr.Error
	switch {
	case err == nil:
		got.Outcome = Commented
	case errors.As(err, &e) && e.Code != apperr.Unavailable && e.Code != apperr.Internal:
		return &refusal{e.Key}
	}
	return err
}

// bounce ends the mail that a notification is about.
func (r *Reader) bounce(ctx context.Context, b Bounce, got *Received) error {
	got.Outcome = NoMail
	m, err := r.Store.MailByMessageID(ctx, b.MessageID)
	if apperr.Is(err, apperr.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if got.Object, got.Problem = m.To, b.Problem; !b.Final {
		got.Outcome = Automatic // it is late: the server goes on trying
		return nil
	}
	got.Outcome = Bounced
	_, err = r.Store.BounceMail(ctx, b.MessageID, got.At, b.Problem, b.Code)
	return err
}

// answered finds the mail of ours that a letter answers.
func (r *Reader) answered(ctx context.Context, l Letter) (notify.Mail, bool, error) {
	for _, id := range l.Answers {
		m, err := r.Store.MailByMessageID(ctx, id)
		if err == nil || !apperr.Is(err, apperr.NotFound) {
			return m, err == nil, err
		}
	}
	return notify.Mail{}, false, nil
}

// vouched reports whether the mail server called server says that the sender passed DMARC.
func vouched(server string, l Letter) bool {
	if server == "" {
		return true
	}
	for _, text := range l.Checks { // the topmost of that server: it takes away what others claim in its name
		id, results, _ := strings.Cut(text, ";")
		if fields := strings.Fields(id); len(fields) == 0 || !strings.EqualFold(fields[0], server) {
			continue
		}
		for result := range strings.SplitSeq(results, ";") {
			if strings.HasPrefix(strings.ToLower(strings.TrimSpace(result)), "dmarc=pass") {
				return true
			}
		}
		return false
	}
	return false
}
