package store

import (
	"context"
	"database/sql"
	"strconv"

	"vigia/collector/internal/notify"
)

// MailList implements notify.Store; texts are left out.
func (s *Store) MailList(ctx context.Context, f notify.Filter) ([]notify.Mail, error) {
	w := mailWhere(f)
	query := mailColumns + " FROM mail" + w.clause() + " ORDER BY id DESC LIMIT " + strconv.Itoa(limit(f.Limit))
	found, err := rows(ctx, s.on(ctx), query, w.args, func(r *sql.Rows, m *notify.Mail) error { return scanMail(r, m) })
	return found, s.mapError("listing mail", err)
}
