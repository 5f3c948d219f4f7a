//go:build cgo

package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"

	"vigia/collector/internal/apperr"
)

type sqliteDialect struct{}

func (sqliteDialect) name() string { return "sqlite" }

// sqliteConnector opens connections with fold() defined, without registering a
// driver under a global name.
type sqliteConnector struct {
	driver *sqlite3.SQLiteDriver
	dsn    string
}

func (c *sqliteConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c *sqliteConnector) Driver() driver.Driver                        { return c.driver }

func sqlitePool(path string, params string, conns int) *sql.DB {
	drv := &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
		// After a peak the log shrinks to 64 MiB again.
		if _, err := c.Exec("PRAGMA journal_size_limit = 67108864", nil); err != nil {
			return err
		}
		return c.RegisterFunc("fold", Fold, true)
	}}
	escaped := (&url.URL{Path: filepath.ToSlash(filepath.Clean(path))}).EscapedPath()
	pool := sql.OpenDB(&sqliteConnector{driver: drv, dsn: "file:" + strings.ReplaceAll(escaped, "?", "%3f") + "?" + params})
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	return pool
}

func (sqliteDialect) open(ctx context.Context, cfg Config) (*sql.DB, *sql.DB, error) {
	sync := cfg.Synchronous
	switch sync {
	case "":
		sync = "FULL"
	case "FULL", "NORMAL", "OFF":
	default:
		return nil, nil, apperr.New(apperr.Invalid, "store.synchronous", apperr.Args{"field": "synchronous", "value": sync})
	}
	if err := createPrivate(cfg.Path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, nil, apperr.Wrap(err, apperr.Invalid, "store.path", apperr.Args{"field": "data", "value": cfg.Path})
	}
	const common = "_busy_timeout=10000&_foreign_keys=on&_stmt_cache_size=256"
	// The write lock is taken when a transaction begins: a lock asked for after a read
	// fails at once, whatever the busy timeout is. Negative cache sizes are KiB.
	writer := sqlitePool(cfg.Path, common+"&_txlock=immediate&_journal_mode=WAL&_cache_size=-65536&_synchronous="+sync, 1)
	if err := writer.PingContext(ctx); err != nil {
		_ = writer.Close()
		return nil, nil, fmt.Errorf("opening %s: %w", cfg.Path, err)
	}
	reader := sqlitePool(cfg.Path, common+"&_query_only=on&_cache_size=-8192", cfg.MaxConns)
	reader.SetConnMaxIdleTime(time.Minute) // gives the pages back
	return writer, reader, nil
}

func (sqliteDialect) migrations() (goose.Dialect, []goose.ProviderOption, error) {
	return goose.DialectSQLite3, nil, nil
}

func (sqliteDialect) classify(err error) errorClass {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return notDriver
	}
	switch e.ExtendedCode {
	case sqlite3.ErrConstraintUnique, sqlite3.ErrConstraintPrimaryKey, sqlite3.ErrConstraintRowID:
		return uniqueBroken
	}
	switch e.Code {
	case sqlite3.ErrConstraint:
		return ruleBroken
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return retryable
	case sqlite3.ErrFull:
		return diskFull
	case sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly:
		return connectionLost
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return damaged
	}
	return otherError
}

// SQLite has one writer: whoever is in a transaction is alone already.
func (sqliteDialect) lockLedger(context.Context, *sql.Tx) error            { return nil }
func (sqliteDialect) lockMachines(context.Context, *sql.Tx, []int64) error { return nil }

func (sqliteDialect) backup(ctx context.Context, reader *sql.DB, path string) error {
	// VACUUM INTO reads one snapshot and writes nothing to the source, but is refused
	// on a connection that may only query, so it gets one of its own.
	conn, err := reader.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "PRAGMA query_only=off"); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA query_only=on")
	if _, err := conn.ExecContext(ctx, "VACUUM INTO $1", path); err != nil {
		return err
	}
	return verifyCopy(ctx, path)
}

func verifyCopy(ctx context.Context, path string) error {
	pool := sqlitePool(path, "_query_only=on", 1)
	defer pool.Close()
	problems, err := sqliteDialect{}.integrity(ctx, pool)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("the copy is damaged: %s", problems[0])
	}
	return err
}

func (sqliteDialect) integrity(ctx context.Context, reader *sql.DB) ([]string, error) {
	var problems []string
	texts, err := column(ctx, reader, "PRAGMA integrity_check")
	if err != nil {
		return nil, err
	}
	for _, t := range texts {
		if t != "ok" {
			problems = append(problems, t)
		}
	}
	broken, err := column(ctx, reader, `SELECT "table" || ' row ' || coalesce(rowid, 0) || ' refers to no row of ' || parent FROM pragma_foreign_key_check`)
	return append(problems, broken...), err
}
