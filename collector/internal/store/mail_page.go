package store

import (
	"context"
	"database/sql"

	"vigia/collector/internal/notify"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store/internal/db"
)

// MailPage reads one page of mail, without its text. Columns to sort by: "queued".
func (s *Store) MailPage(ctx context.Context, f notify.Filter, o paging.Order) (paging.Page[notify.Mail], error) {
	if o.By != "" && o.By != "queued" {
		return paging.Page[notify.Mail]{}, paging.Unknown(o.By)
	}
	if o.By == "" {
		o.Desc = true
	}
	by := sorting{expr: "id", key: "id", number: true, numericKey: true}
	page, err := readPage(ctx, s.on(ctx), mailColumns, " FROM mail", mailWhere(f), by, o, func(r *sql.Rows, m *notify.Mail, more ...any) error { return scanMail(r, m, more...) })
	return page, s.mapError("listing mail", err)
}

// MailCount counts messages, at most most.
func (s *Store) MailCount(ctx context.Context, f notify.Filter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), " FROM mail", mailWhere(f), most)
	return n, s.mapError("counting mail", err)
}

const mailColumns = `SELECT id, key, message_id, thread, recipient, name, lang, template, subject, secret, state, attempts, created_at, created_by,
	expires_at, next_at, ended_at, problem, code, digest, merged_into`

func mailWhere(f notify.Filter) where {
	var w where
	if f.State != "" {
		w.add("state = ?", string(f.State))
	}
	if f.Query != "" {
		w.add(`fold LIKE ? ESCAPE '\'`, like(f.Query))
	}
	if f.After > 0 {
		w.add("id < ?", f.After)
	}
	return w
}

func scanMail(r *sql.Rows, m *notify.Mail, more ...any) error {
	var v db.Mail
	err := r.Scan(append([]any{&v.ID, &v.Key, &v.MessageID, &v.Thread, &v.Recipient, &v.Name, &v.Lang, &v.Template, &v.Subject, &v.Secret, &v.State, &v.Attempts,
		&v.CreatedAt, &v.CreatedBy, &v.ExpiresAt, &v.NextAt, &v.EndedAt, &v.Problem, &v.Code, &v.Digest, &v.MergedInto}, more...)...)
	*m = toMail(v)
	return err
}
