package store

import (
	"context"
	"database/sql"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store/internal/db"
)

const tokenColumns = "SELECT id, secret_hash, site, area, uses_left, expires_at, serials, created_at, created_by, revoked_at, note, ca, uses"

func scanToken(r *sql.Rows, t *fleet.Token, more ...any) error {
	var v db.Token
	err := r.Scan(append([]any{&v.ID, &v.SecretHash, &v.Site, &v.Area, &v.UsesLeft, &v.ExpiresAt, &v.Serials, &v.CreatedAt, &v.CreatedBy, &v.RevokedAt, &v.Note, &v.Ca, &v.Uses}, more...)...)
	if err == nil {
		*t, err = toToken(v)
	}
	return err
}

// Token implements fleet.TokenStore.
func (s *Store) Token(ctx context.Context, id string) (t fleet.Token, err error) {
	row, err := tokenRow(id)
	if err != nil {
		return t, err
	}
	err = s.read(ctx, "reading a token", func(q *db.Queries) error {
		v, err := q.TokenByID(ctx, row)
		if err != nil {
			return unknown(err, "token.unknown", apperr.Args{"token": id})
		}
		t, err = toToken(v)
		return err
	})
	return t, err
}

// TokenPage implements fleet.TokenStore. Columns to sort by: "made", "expires", "left".
func (s *Store) TokenPage(ctx context.Context, f fleet.TokenFilter, o paging.Order) (paging.Page[fleet.Token], error) {
	by := sorting{key: "id", number: true, numericKey: true}
	switch o.By {
	case "", "made":
		by.expr, o.Desc = "id", o.Desc || o.By == ""
	case "expires":
		by.expr = "expires_at"
	case "left":
		by.expr = "uses_left"
	default:
		return paging.Page[fleet.Token]{}, paging.Unknown(o.By)
	}
	page, err := readPage(ctx, s.on(ctx), tokenColumns, " FROM token", tokenWhere(f), by, o, scanToken)
	return page, s.mapError("listing tokens", err)
}

// CountTokens implements fleet.TokenStore.
func (s *Store) CountTokens(ctx context.Context, f fleet.TokenFilter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), " FROM token", tokenWhere(f), most)
	return n, s.mapError("counting tokens", err)
}

func tokenWhere(f fleet.TokenFilter) (w where) {
	if f.Query != "" {
		w.add(`(fold(site || ' ' || area || ' ' || note || ' ' || created_by || ' T' || cast(id AS TEXT)) LIKE ? ESCAPE '\')`, like(f.Query))
	}
	if f.Site != "" {
		w.add("fold(site) = ?", Fold(f.Site))
	}
	if f.State == "" {
		return w
	}
	now := micros(f.Now)
	if f.State == fleet.TokenRevoked {
		w.add("revoked_at <> ?", 0)
		return w
	}
	w.add("revoked_at = ?", 0)
	if f.State == fleet.TokenExpired {
		w.add("expires_at <= ?", now)
		return w
	}
	w.add("expires_at > ?", now)
	if f.State == fleet.TokenUsedUp {
		w.add("uses_left <= ?", 0)
		return w
	}
	w.add("uses_left > ?", 0)
	marks := []string{"''"}
	for _, fp := range f.Trusted {
		marks = append(marks, w.number("?", fp))
	}
	known := "ca IN (" + strings.Join(marks, ", ") + ")"
	if f.State == fleet.TokenRetired {
		known = "NOT " + known
	}
	w.conds = append(w.conds, known)
	return w
}
