package store

import (
	"context"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/store/internal/db"
)

var _ notify.Store = (*Store)(nil)

// maxWaitingMail bounds the queue: a server that takes nothing must not fill the disk.
const maxWaitingMail = 100_000

func toMail(v db.Mail) notify.Mail {
	return notify.Mail{
		Row: v.ID, Key: v.Key, MessageID: v.MessageID, Thread: v.Thread, To: v.Recipient, ToName: v.Name, Lang: v.Lang, Template: notify.Template(v.Template),
		Subject: v.Subject, Text: v.BodyText, HTML: v.BodyHtml, Secret: v.Secret != 0, State: notify.State(v.State), Attempts: int(v.Attempts),
		CreatedAt: fromMicros(v.CreatedAt), CreatedBy: v.CreatedBy, ExpiresAt: fromMicros(v.ExpiresAt), NextAt: fromMicros(v.NextAt),
		EndedAt: fromMicros(v.EndedAt), Problem: v.Problem, Code: int(v.Code), Digest: v.Digest != 0, MergedInto: v.MergedInto, Path: v.Path,
	}
}

func toMails(list []db.Mail) (out []notify.Mail) {
	for _, v := range list {
		out = append(out, toMail(v))
	}
	return out
}

// QueueMail implements notify.Store.
func (s *Store) QueueMail(ctx context.Context, m notify.Mail) (kept notify.Mail, queued bool, err error) {
	var secret int64
	if m.Secret {
		secret = 1
	}
	err = s.write(ctx, "queueing mail", func(ctx context.Context, q *db.Queries) error {
		full, err := q.WaitingMailAt(ctx, maxWaitingMail)
		if err != nil {
			return err
		}
		if len(full) > 0 {
			return apperr.New(apperr.TooMany, "mail.queue-full", apperr.Args{"max": maxWaitingMail})
		}
		n, err := q.InsertMail(ctx, db.InsertMailParams{
			Key: m.Key, MessageID: m.MessageID, Thread: m.Thread, Recipient: m.To, Name: m.ToName, Lang: m.Lang, Template: string(m.Template),
			Subject: m.Subject, BodyText: m.Text, BodyHtml: m.HTML, Secret: secret, CreatedAt: micros(m.CreatedAt), CreatedBy: storable(m.CreatedBy),
			ExpiresAt: micros(m.ExpiresAt), NextAt: micros(m.NextAt), Fold: Fold(m.To + "\n" + m.ToName + "\n" + m.Subject), Digest: number(m.Digest), Path: m.Path,
		})
		if err != nil {
			return err
		}
		queued = n == 1
		v, err := q.MailByKey(ctx, m.Key)
		kept = toMail(v)
		return err
	})
	return kept, queued, err
}

// MailByRow implements notify.Store.
func (s *Store) MailByRow(ctx context.Context, row int64) (m notify.Mail, err error) {
	err = s.read(ctx, "reading mail", func(q *db.Queries) error {
		v, err := q.MailByRow(ctx, row)
		m = toMail(v)
		return unknown(err, "mail.unknown", apperr.Args{"mail": row})
	})
	return m, err
}

// MailCounts implements notify.Store.
func (s *Store) MailCounts(ctx context.Context) (c notify.Counts, err error) {
	c.ByState = map[notify.State]int{}
	err = s.read(ctx, "counting mail", func(q *db.Queries) error {
		list, err := q.CountMail(ctx)
		if err != nil {
			return err
		}
		for _, v := range list {
			c.ByState[notify.State(v.State)] = int(v.N)
		}
		oldest, err := q.OldestWaitingMail(ctx)
		c.Oldest = fromMicros(oldest)
		return err
	})
	return c, err
}

// ClaimMail implements notify.Store.
func (s *Store) ClaimMail(ctx context.Context, holder string, now, until time.Time, row int64, max int) (out []notify.Mail, err error) {
	if row == 0 { // most looks end here and write nothing
		due, err := column(ctx, s.on(ctx), "SELECT '1' FROM mail WHERE state = 'waiting' AND digest = 0 AND next_at <= $1 AND held_until <= $1 AND expires_at > $1 LIMIT 1", micros(now))
		if err != nil || len(due) == 0 {
			return nil, s.mapError("looking for mail", err)
		}
	}
	err = s.write(ctx, "taking mail", func(ctx context.Context, q *db.Queries) error {
		var list []db.Mail
		var err error
		if row > 0 {
			list, err = q.ClaimOneMail(ctx, db.ClaimOneMailParams{HeldBy: holder, HeldUntil: micros(until), ID: row, HeldUntil_2: micros(now)})
		} else {
			list, err = q.ClaimDueMail(ctx, db.ClaimDueMailParams{HeldBy: holder, HeldUntil: micros(until), NextAt: micros(now), Limit: int32(limit(max))})
		}
		out = toMails(list)
		return err
	})
	return out, err
}

// FinishMail implements notify.Store.
func (s *Store) FinishMail(ctx context.Context, row int64, holder string, r notify.Result) (mine bool, err error) {
	ended := micros(r.At)
	if r.State == notify.Waiting {
		ended = 0
	}
	err = s.write(ctx, "noting what became of mail", func(ctx context.Context, q *db.Queries) error {
		n, err := q.FinishMail(ctx, db.FinishMailParams{State: string(r.State), NextAt: micros(r.NextAt), EndedAt: ended, Problem: storable(r.Problem), Code: int64(r.Code), ID: row, Holder: holder})
		mine = n == 1
		return err
	})
	return mine, err
}

// ReleaseMail implements notify.Store.
func (s *Store) ReleaseMail(ctx context.Context, holder string) error {
	return s.write(ctx, "letting go of mail", func(ctx context.Context, q *db.Queries) error { return q.ReleaseMail(ctx, holder) })
}

// RetryMail implements notify.Store.
func (s *Store) RetryMail(ctx context.Context, row int64, now, expires time.Time) (m notify.Mail, err error) {
	err = s.write(ctx, "sending mail again", func(ctx context.Context, q *db.Queries) error {
		n, err := q.RetryMail(ctx, db.RetryMailParams{NextAt: micros(now), ExpiresAt: micros(expires), ID: row})
		if err != nil {
			return err
		}
		v, err := q.MailByRow(ctx, row)
		if err != nil {
			return unknown(err, "mail.unknown", apperr.Args{"mail": row})
		}
		if m = toMail(v); n == 0 {
			return apperr.New(apperr.Conflict, "mail.cannot-retry", apperr.Args{"mail": row, "state": v.State})
		}
		return nil
	})
	return m, err
}

// ExpireMail implements notify.Store.
func (s *Store) ExpireMail(ctx context.Context, now time.Time, max int) (n int, err error) {
	due, err := column(ctx, s.on(ctx), "SELECT '1' FROM mail WHERE state = 'waiting' AND expires_at <= $1 AND held_until <= $1 LIMIT 1", micros(now))
	if err != nil || len(due) == 0 {
		return 0, s.mapError("looking for mail past its time", err)
	}
	err = s.write(ctx, "ending mail past its time", func(ctx context.Context, q *db.Queries) error {
		done, err := q.ExpireMail(ctx, db.ExpireMailParams{EndedAt: micros(now), Limit: int32(limit(max))})
		n = int(done)
		return err
	})
	return n, err
}

// PruneMail implements notify.Store.
func (s *Store) PruneMail(ctx context.Context, wipe, remove time.Time, max int) (n int, err error) {
	err = s.write(ctx, "forgetting old mail", func(ctx context.Context, q *db.Queries) error {
		removed, err := q.RemoveMail(ctx, db.RemoveMailParams{EndedAt: micros(remove), Limit: int32(limit(max))})
		if err != nil {
			return err
		}
		wiped, err := q.WipeMail(ctx, db.WipeMailParams{EndedAt: micros(wipe), Limit: int32(limit(max))})
		n = int(removed + wiped)
		return err
	})
	return n, err
}
