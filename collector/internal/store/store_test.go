package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

func TestOpenTwice(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a %?# ñ.db")
	for _, cfg := range []store.Config{{Path: path}, {DatabaseURL: storetest.Postgres(t)}} {
		one := storetest.Open(t, cfg)
		two := storetest.Open(t, cfg)
		for _, s := range []*store.Store{one, two} {
			if err := s.Ping(ctx); err != nil {
				t.Fatal(err)
			}
			if v, err := s.SchemaVersion(ctx); err != nil || v < 1 {
				t.Fatalf("schema version %d, %v", v, err)
			}
		}
	}
	if found, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.db")); err != nil || len(found) != 1 || found[0] != path {
		t.Fatalf("database files %q, %v", found, err)
	}
}

func TestOpenRefusesWrongConfig(t *testing.T) {
	for key, cfg := range map[string]store.Config{
		"store.no-database":   {},
		"store.two-databases": {Path: "x", DatabaseURL: "postgres://h/d"},
		"store.database-url":  {DatabaseURL: "mysql://h/d"},
		"store.path":          {Path: filepath.Join(t.TempDir(), "absent", "x")},
		"store.synchronous":   {Path: filepath.Join(t.TempDir(), "x"), Synchronous: "SOMETIMES"},
	} {
		_, err := store.Open(context.Background(), cfg)
		var e *apperr.Error
		if !errors.As(err, &e) || e.Code != apperr.Invalid || e.Key != key {
			t.Errorf("%s: got %v", key, err)
		}
	}
}

// Several collectors, or a command beside a server, may be the first to start.
func TestFirstStartsAtOnce(t *testing.T) {
	server := storetest.NewServer(t)
	for _, cfg := range []store.Config{{Path: filepath.Join(t.TempDir(), "vigia.db")}, {DatabaseURL: server.URL(t, "vigia")}} {
		var wg sync.WaitGroup
		errs := make([]error, 5)
		for i := range errs {
			wg.Go(func() {
				s, err := store.Open(context.Background(), cfg)
				if err == nil {
					_, err = s.SchemaVersion(context.Background())
					err = errors.Join(err, s.Close())
				}
				errs[i] = err
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Errorf("%+v: %v", cfg, err)
		}
		if found, err := storetest.Open(t, cfg).Check(context.Background()); err != nil || len(found) != 0 {
			t.Errorf("problems of an empty database: %+v, %v", found, err)
		}
	}
}
