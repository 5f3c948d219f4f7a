package store

import (
	"context"

	"vigia/collector/internal/setting"
	"vigia/collector/internal/store/internal/db"
)

var _ setting.Store = (*Store)(nil)

// Settings implements setting.Store.
func (s *Store) Settings(ctx context.Context) (out []setting.Stored, err error) {
	err = s.read(ctx, "reading settings", func(q *db.Queries) error {
		list, err := q.ListSettings(ctx)
		for _, v := range list {
			out = append(out, setting.Stored{Name: v.Name, Value: v.Value, ChangedAt: fromMicros(v.ChangedAt), ChangedBy: v.ChangedBy})
		}
		return err
	})
	return out, err
}

// PutSetting implements setting.Store.
func (s *Store) PutSetting(ctx context.Context, v setting.Stored) error {
	return s.write(ctx, "changing a setting", func(ctx context.Context, q *db.Queries) error {
		return q.PutSetting(ctx, db.PutSettingParams{Name: v.Name, Value: v.Value, ChangedAt: micros(v.ChangedAt), ChangedBy: storable(v.ChangedBy)})
	})
}

// DeleteSetting implements setting.Store.
func (s *Store) DeleteSetting(ctx context.Context, name string) error {
	return s.write(ctx, "resetting a setting", func(ctx context.Context, q *db.Queries) error { return q.DeleteSetting(ctx, name) })
}
