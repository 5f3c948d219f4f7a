package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"

	"vigia/collector/internal/apperr"
)

//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrationFiles embed.FS

// migrate brings the schema up to date. Several programs may do so at once: on
// PostgreSQL they take turns by a session lock; on SQLite each file is one
// transaction, and whoever comes second looks again.
func (s *Store) migrate(ctx context.Context) error {
	// A database that cannot be read is told as such: goose would try to begin a new one.
	_, err := s.SchemaVersion(ctx)
	if err != nil && s.dialect.classify(err) == damaged {
		return err
	}
	for range 20 {
		if err = s.migrateOnce(ctx); err == nil || s.Engine() != "sqlite" || apperr.Is(err, apperr.Conflict) {
			return err
		}
		if !sleep(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return err
}

func (s *Store) migrateOnce(ctx context.Context) error {
	files, err := fs.Sub(migrationFiles, "migrations/"+s.Engine())
	if err != nil {
		return err
	}
	dialect, options, err := s.dialect.migrations()
	if err != nil {
		return err
	}
	options = append(options, goose.WithDisableGlobalRegistry(true))
	p, err := goose.NewProvider(dialect, s.writer, files, options...)
	if err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("reading the schema's version: %w", err)
	case have > want:
		return apperr.New(apperr.Conflict, "store.newer", apperr.Args{"database": have, "program": want})
	case have == want:
		return nil
	}
	done, err := p.Up(ctx)
	for _, r := range done {
		s.log.InfoContext(ctx, "schema migrated", "file", r.Source.Path, "took", r.Duration)
	}
	return err
}

// SchemaVersion returns the number of the newest migration that the database has.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	var v int64
	err := s.on(ctx).QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version").Scan(&v)
	return v, s.mapError("reading the schema's version", err)
}
