package store

import (
	"bytes"
	"context"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

var _ fleet.BlobStore = (*Store)(nil)

// Blob implements fleet.BlobStore.
func (s *Store) Blob(ctx context.Context, name string) (value []byte, err error) {
	err = s.read(ctx, "reading a setting", func(q *db.Queries) error {
		value, err = q.BlobByName(ctx, name)
		return unknown(err, "blob.unknown", apperr.Args{"name": name})
	})
	return value, err
}

// SetBlob implements fleet.BlobStore. What is equal already writes nothing.
func (s *Store) SetBlob(ctx context.Context, name string, value []byte) error {
	if old, err := s.Blob(ctx, name); err == nil && bytes.Equal(old, value) {
		return nil
	}
	if value == nil {
		value = []byte{}
	}
	return s.write(ctx, "keeping a setting", func(ctx context.Context, q *db.Queries) error {
		return q.InsertBlob(ctx, db.InsertBlobParams{Name: name, Value: value})
	})
}
