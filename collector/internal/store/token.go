package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

var _ fleet.TokenStore = (*Store)(nil)

// tokenID is the short public name of a token: "T7".
func tokenID(row int64) string { return "T" + strconv.FormatInt(row, 10) }

func tokenRow(id string) (int64, error) {
	digits, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(id)), "T")
	row, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || row < 1 {
		return 0, apperr.New(apperr.NotFound, "token.unknown", apperr.Args{"token": id})
	}
	return row, nil
}

func toToken(v db.Token) (fleet.Token, error) {
	t := fleet.Token{
		Row: v.ID, ID: tokenID(v.ID), Site: v.Site, Area: v.Area, UsesLeft: int(v.UsesLeft), ExpiresAt: fromMicros(v.ExpiresAt),
		CreatedAt: fromMicros(v.CreatedAt), CreatedBy: v.CreatedBy, RevokedAt: fromMicros(v.RevokedAt), Note: v.Note,
		CA: v.Ca, Uses: int(v.Uses),
	}
	copy(t.SecretHash[:], v.SecretHash)
	if err := json.Unmarshal([]byte(v.Serials), &t.Serials); err != nil {
		return t, fmt.Errorf("serial numbers of token %s: %w", t.ID, err)
	}
	return t, nil
}

// CreateToken implements fleet.TokenStore.
func (s *Store) CreateToken(ctx context.Context, t fleet.Token) (fleet.Token, error) {
	serials, err := json.Marshal(t.Serials)
	if err != nil {
		return t, s.mapError("creating a token", err)
	}
	err = s.write(ctx, "creating a token", func(ctx context.Context, q *db.Queries) error {
		t.Row, err = q.InsertToken(ctx, db.InsertTokenParams{
			SecretHash: t.SecretHash[:], Site: t.Site, Area: t.Area, UsesLeft: int64(t.UsesLeft), ExpiresAt: micros(t.ExpiresAt),
			Serials: string(serials), CreatedAt: micros(t.CreatedAt), CreatedBy: t.CreatedBy, RevokedAt: micros(t.RevokedAt), Note: t.Note,
			Ca: t.CA, Uses: int64(t.Uses),
		})
		t.ID = tokenID(t.Row)
		return err
	})
	return t, err
}

// Tokens implements fleet.TokenStore.
func (s *Store) Tokens(ctx context.Context) (out []fleet.Token, err error) {
	err = s.read(ctx, "listing tokens", func(q *db.Queries) error {
		found, err := q.ListTokens(ctx)
		for _, v := range found {
			t, err := toToken(v)
			if err != nil {
				return err
			}
			out = append(out, t)
		}
		return err
	})
	return out, err
}

// TokenBySecret implements fleet.TokenStore.
func (s *Store) TokenBySecret(ctx context.Context, hash [32]byte) (t fleet.Token, err error) {
	err = s.read(ctx, "reading a token", func(q *db.Queries) error {
		v, err := q.TokenBySecret(ctx, hash[:])
		if err != nil {
			return unknown(err, "token.unknown", nil)
		}
		t, err = toToken(v)
		return err
	})
	return t, err
}

// UseToken implements fleet.TokenStore.
func (s *Store) UseToken(ctx context.Context, row int64) error {
	return s.write(ctx, "using a token", func(ctx context.Context, q *db.Queries) error {
		n, err := q.UseToken(ctx, row)
		if err == nil && n == 0 {
			return apperr.New(apperr.Conflict, "token.used-up", apperr.Args{"token": tokenID(row)})
		}
		return err
	})
}

// RevokeToken implements fleet.TokenStore. A token revoked already keeps its time.
func (s *Store) RevokeToken(ctx context.Context, id string, at time.Time) (t fleet.Token, err error) {
	row, err := tokenRow(id)
	if err != nil {
		return t, err
	}
	err = s.write(ctx, "revoking a token", func(ctx context.Context, q *db.Queries) error {
		v, err := q.TokenByID(ctx, row)
		if err != nil {
			return unknown(err, "token.unknown", apperr.Args{"token": id})
		}
		if v.RevokedAt == 0 {
			v.RevokedAt = micros(at)
			if err := q.RevokeToken(ctx, db.RevokeTokenParams{RevokedAt: v.RevokedAt, ID: row}); err != nil {
				return err
			}
		}
		t, err = toToken(v)
		return err
	})
	return t, err
}
