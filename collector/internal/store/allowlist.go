package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/store/internal/db"
	"vigia/internal/policy"
)

var _ authorization.Store = (*Store)(nil)

func toAllowlist(v db.Allowlist) (authorization.Allowlist, error) {
	a := authorization.Allowlist{
		Version: v.Version, Mode: authorization.Mode(v.Mode), Baseline: v.Baseline, CreatedAt: fromMicros(v.CreatedAt),
		CreatedBy: v.CreatedBy, Cause: v.Cause, Undoes: v.Undoes,
	}
	if err := json.Unmarshal([]byte(v.Rules), &a.Rules); err != nil {
		return a, fmt.Errorf("rules of allowlist version %d: %w", v.Version, err)
	}
	return a, nil
}

// CurrentAllowlist implements authorization.Store.
func (s *Store) CurrentAllowlist(ctx context.Context) (a authorization.Allowlist, err error) {
	err = s.read(ctx, "reading the allowlist", func(q *db.Queries) error {
		v, err := q.CurrentAllowlist(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			a = authorization.Allowlist{Mode: authorization.Learn, Baseline: true}
			return nil
		}
		if err == nil {
			a, err = toAllowlist(v)
		}
		return err
	})
	return a, err
}

// AllowlistVersion implements authorization.Store.
func (s *Store) AllowlistVersion(ctx context.Context, version int64) (a authorization.Allowlist, err error) {
	err = s.read(ctx, "reading a version of the allowlist", func(q *db.Queries) error {
		v, err := q.AllowlistVersion(ctx, version)
		if err != nil {
			return unknown(err, "allowlist.unknown", apperr.Args{"version": version})
		}
		a, err = toAllowlist(v)
		return err
	})
	return a, err
}

// AllowlistHistory implements authorization.Store.
func (s *Store) AllowlistHistory(ctx context.Context, max int) (out []authorization.Allowlist, err error) {
	err = s.read(ctx, "reading the allowlist's history", func(q *db.Queries) error {
		found, err := q.AllowlistHistory(ctx, int64(limit(max)))
		for _, v := range found {
			out = append(out, authorization.Allowlist{
				Version: v.Version, Mode: authorization.Mode(v.Mode), Baseline: v.Baseline, CreatedAt: fromMicros(v.CreatedAt),
				CreatedBy: v.CreatedBy, Cause: v.Cause, Undoes: v.Undoes,
			})
		}
		return err
	})
	return out, err
}

// SaveAllowlist implements authorization.Store. a.Version is the number that it is
// meant to get, one more than the version it was made from; Conflict
// "allowlist.changed" when somebody was faster. With Version 0 it follows whatever is
// current.
func (s *Store) SaveAllowlist(ctx context.Context, a authorization.Allowlist) (authorization.Allowlist, error) {
	if a.Rules == nil {
		a.Rules = []policy.Rule{}
	}
	rules, err := json.Marshal(a.Rules)
	if err != nil {
		return a, s.mapError("keeping the allowlist", err)
	}
	err = s.write(ctx, "keeping the allowlist", func(ctx context.Context, q *db.Queries) error {
		if err := s.lockLedger(ctx); err != nil {
			return err
		}
		current, err := q.CurrentAllowlistVersion(ctx)
		if err != nil {
			return err
		}
		if a.Version != 0 && a.Version != current+1 {
			return apperr.New(apperr.Conflict, "allowlist.changed", apperr.Args{"current": current, "wanted": a.Version})
		}
		a.Version = current + 1
		return q.InsertAllowlist(ctx, db.InsertAllowlistParams{
			Version: a.Version, Mode: string(a.Mode), Baseline: a.Baseline, Rules: string(rules), CreatedAt: micros(a.CreatedAt),
			CreatedBy: a.CreatedBy, Cause: a.Cause, Undoes: a.Undoes,
		})
	})
	return a, err
}
