// Package store owns the collector's database: its schema, its SQL, its transactions
// and the mapping of driver errors to apperr. One set of SQL texts runs on SQLite and
// on PostgreSQL; what differs is a method of dialect. It refuses to decide anything
// about what it stores: rules live in the domains and use-cases, which see the ports
// that Store implements and never SQL.
package store

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/store/internal/db"
)

// Config tells which database to open. Exactly one of Path and DatabaseURL is given.
type Config struct {
	Path        string // of the SQLite file; made when absent, in a folder that exists
	DatabaseURL string // postgres://… or postgresql://…
	Logger      *slog.Logger
	Now         func() time.Time // nil means time.Now

	// Synchronous is SQLite's: "FULL" (also when empty) keeps every acknowledged
	// commit through a power cut; "NORMAL" may lose the last ones and is for tests
	// and trials only; "OFF" may lose the whole file, for one that is being filled.
	Synchronous string
	// MaxConns bounds the connections to PostgreSQL, and SQLite's readers; 0 means 16.
	MaxConns int
}

// Store is the database. Its methods may be called from several goroutines.
type Store struct {
	dialect dialect
	writer  *sql.DB // SQLite: one connection, each transaction begins by taking the write lock
	reader  *sql.DB // PostgreSQL: the same as writer
	log     *slog.Logger
	now     func() time.Time
}

// Open opens the database and brings its schema up to date. Errors: Invalid for a
// wrong Config; Conflict "store.newer" when the schema is newer than this program;
// Unavailable when the server does not answer or the disk is full.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	d, err := pickDialect(&cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{dialect: d, log: cfg.Logger, now: cfg.Now}
	if s.writer, s.reader, err = d.open(ctx, cfg); err != nil {
		return nil, s.mapError("opening the database", err)
	}
	err = s.migrate(ctx)
	if err == nil {
		err = s.countOldTitles(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, s.mapError("bringing the database up to date", err)
	}
	return s, nil
}

func pickDialect(cfg *Config) (dialect, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxConns <= 0 {
		cfg.MaxConns = 16
	}
	switch {
	case cfg.Path != "" && cfg.DatabaseURL != "":
		return nil, apperr.New(apperr.Invalid, "store.two-databases", apperr.Args{"field": "database-url"})
	case cfg.Path != "":
		return sqliteDialect{}, nil
	case strings.HasPrefix(cfg.DatabaseURL, "postgres://"), strings.HasPrefix(cfg.DatabaseURL, "postgresql://"):
		return postgresDialect{}, nil
	case cfg.DatabaseURL != "":
		return nil, apperr.New(apperr.Invalid, "store.database-url", apperr.Args{"field": "database-url"})
	}
	return nil, apperr.New(apperr.Invalid, "store.no-database", apperr.Args{"field": "data"})
}

// Close closes all connections. Transactions still running fail.
func (s *Store) Close() error {
	err := s.writer.Close()
	if s.reader != s.writer {
		if rerr := s.reader.Close(); err == nil {
			err = rerr
		}
	}
	return err
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string { return s.dialect.name() }

// Ping reports whether the database answers; Unavailable when it does not.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, "asking the database", func(q *db.Queries) error {
		_, err := q.Ping(ctx)
		return err
	})
}
