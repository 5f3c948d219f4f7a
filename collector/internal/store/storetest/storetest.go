// Package storetest gives tests a real store on each engine: SQLite in a temporary
// file, and PostgreSQL, started once per test process in a temporary folder and
// stopped when the process ends, however it ends. It refuses to stand in for an
// engine: where PostgreSQL is absent, the test fails and says what to install.
package storetest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"vigia/collector/internal/store"
)

// Each runs fn as a subtest on every engine, each time on an empty store of its own.
func Each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, Open(t, store.Config{DatabaseURL: Postgres(t)})) })
}

// SQLite returns an empty store in a temporary file, closed when the test ends.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, store.Config{Path: filepath.Join(t.TempDir(), "vigia.db")})
}

// Open opens a store and closes it when the test ends.
func Open(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := store.Open(ctx, cfg)
	if err != nil {
		t.Fatalf("opening the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	return s
}
