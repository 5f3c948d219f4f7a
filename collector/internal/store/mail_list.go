package store

import (
	"context"
	"database/sql"
	"strconv"

	"vigia/collector/internal/notify"
	"vigia/collector/internal/store/internal/db"
)

// MailList implements notify.Store; texts are left out.
func (s *Store) MailList(ctx context.Context, f notify.Filter) ([]notify.Mail, error) {
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
	query := `SELECT id, key, message_id, thread, recipient, name, lang, template, subject, secret, state, attempts, created_at, created_by,
		expires_at, next_at, ended_at, problem, code FROM mail` + w.clause() + " ORDER BY id DESC LIMIT " + strconv.Itoa(limit(f.Limit))
	found, err := rows(ctx, s.on(ctx), query, w.args, func(r *sql.Rows, m *notify.Mail) error {
		var v db.Mail
		err := r.Scan(&v.ID, &v.Key, &v.MessageID, &v.Thread, &v.Recipient, &v.Name, &v.Lang, &v.Template, &v.Subject, &v.Secret, &v.State, &v.Attempts,
			&v.CreatedAt, &v.CreatedBy, &v.ExpiresAt, &v.NextAt, &v.EndedAt, &v.Problem, &v.Code)
		*m = toMail(v)
		return err
	})
	return found, s.mapError("listing mail", err)
}
