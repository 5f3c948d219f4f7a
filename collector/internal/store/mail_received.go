package store

import (
	"context"
	"database/sql"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/notify/inbox"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store/internal/db"
)

var _ inbox.Store = (*Store)(nil)

func receivedFold(r inbox.Received) string {
	return Fold(r.From + "\n" + r.Subject + "\n" + r.Object)
}

// KeepReceived implements inbox.Store.
func (s *Store) KeepReceived(ctx context.Context, r inbox.Received) (kept bool, err error) {
	err = s.write(ctx, "keeping a letter", func(ctx context.Context, q *db.Queries) error {
		n, err := q.InsertReceived(ctx, db.InsertReceivedParams{MessageID: storable(r.MessageID), Sender: storable(r.From), Subject: storable(r.Subject), At: micros(r.At),
			Outcome: string(r.Outcome), Object: storable(r.Object), Problem: storable(r.Problem), Fold: receivedFold(r)})
		kept = n == 1
		return err
	})
	return kept, err
}

// FinishReceived implements inbox.Store.
func (s *Store) FinishReceived(ctx context.Context, r inbox.Received) error {
	return s.write(ctx, "noting what became of a letter", func(ctx context.Context, q *db.Queries) error {
		return q.FinishReceived(ctx, db.FinishReceivedParams{Outcome: string(r.Outcome), Object: storable(r.Object), Problem: storable(r.Problem), Fold: receivedFold(r), MessageID: storable(r.MessageID)})
	})
}

// MailByMessageID implements inbox.Store.
func (s *Store) MailByMessageID(ctx context.Context, id string) (m notify.Mail, err error) {
	err = s.read(ctx, "reading mail", func(q *db.Queries) error {
		v, err := q.MailByMessageID(ctx, storable(id))
		m = toMail(v)
		return unknown(err, "mail.unknown", apperr.Args{"mail": id})
	})
	return m, err
}

// BounceMail implements inbox.Store.
func (s *Store) BounceMail(ctx context.Context, id string, at time.Time, problem string, code int) (bounced bool, err error) {
	err = s.write(ctx, "ending mail that did not arrive", func(ctx context.Context, q *db.Queries) error {
		list, err := q.BounceMail(ctx, db.BounceMailParams{EndedAt: micros(at), Problem: storable(problem), Code: int64(code), MessageID: storable(id)})
		bounced = len(list) == 1
		return err
	})
	return bounced, err
}

// PruneReceived forgets letters that came before a moment.
func (s *Store) PruneReceived(ctx context.Context, before time.Time, max int) (n int64, err error) {
	err = s.write(ctx, "forgetting letters", func(ctx context.Context, q *db.Queries) error {
		n, err = q.PruneReceived(ctx, db.PruneReceivedParams{At: micros(before), Limit: int32(limit(max))})
		return err
	})
	return n, err
}

const receivedColumns = "SELECT id, message_id, sender, subject, at, outcome, object, problem"

func receivedWhere(f inbox.Filter) where {
	var w where
	if f.Outcome != "" {
		w.add("outcome = ?", string(f.Outcome))
	}
	if f.Query != "" {
		w.add(`fold LIKE ? ESCAPE '\'`, like(f.Query))
	}
	if f.After > 0 {
		w.add("id < ?", f.After)
	}
	return w
}

func scanReceived(r *sql.Rows, x *inbox.Received, more ...any) error {
	var at int64
	var outcome string
	err := r.Scan(append([]any{&x.Row, &x.MessageID, &x.From, &x.Subject, &at, &outcome, &x.Object, &x.Problem}, more...)...)
	x.At, x.Outcome = fromMicros(at), inbox.Outcome(outcome)
	return err
}

// ReceivedPage reads one page of letters. Columns to sort by: "at".
func (s *Store) ReceivedPage(ctx context.Context, f inbox.Filter, o paging.Order) (paging.Page[inbox.Received], error) {
	if o.By != "" && o.By != "at" {
		return paging.Page[inbox.Received]{}, paging.Unknown(o.By)
	}
	if o.By == "" {
		o.Desc = true
	}
	by := sorting{expr: "id", key: "id", number: true, numericKey: true}
	page, err := readPage(ctx, s.on(ctx), receivedColumns, " FROM mail_received", receivedWhere(f), by, o, func(r *sql.Rows, x *inbox.Received, more ...any) error { return scanReceived(r, x, more...) })
	return page, s.mapError("listing letters", err)
}

// ReceivedCount counts letters, at most most.
func (s *Store) ReceivedCount(ctx context.Context, f inbox.Filter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), " FROM mail_received", receivedWhere(f), most)
	return n, s.mapError("counting letters", err)
}
