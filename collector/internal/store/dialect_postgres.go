package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"sort"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"vigia/collector/internal/apperr"
)

type postgresDialect struct{}

func (postgresDialect) name() string { return "postgres" }

func (postgresDialect) open(ctx context.Context, cfg Config) (*sql.DB, *sql.DB, error) {
	conf, err := pgx.ParseConfig(cfg.DatabaseURL)
	if err != nil {
		return nil, nil, apperr.Wrap(err, apperr.Invalid, "store.database-url", apperr.Args{"field": "database-url"})
	}
	if conf.RuntimeParams["application_name"] == "" {
		conf.RuntimeParams["application_name"] = "vigia-collector"
	}
	pool := stdlib.OpenDB(*conf)
	pool.SetMaxOpenConns(cfg.MaxConns)
	pool.SetMaxIdleConns(cfg.MaxConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	var encoding string
	if err := pool.QueryRowContext(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		_ = pool.Close()
		return nil, nil, err
	}
	if encoding != "UTF8" {
		_ = pool.Close()
		return nil, nil, apperr.New(apperr.Invalid, "store.encoding", apperr.Args{"field": "database-url", "value": encoding})
	}
	return pool, pool, nil
}

func (postgresDialect) migrations() (goose.Dialect, []goose.ProviderOption, error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
	if err != nil {
		return "", nil, err
	}
	return goose.DialectPostgres, []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
}

// classify reads the SQLSTATE: PostgreSQL's manual, appendix A.
func (postgresDialect) classify(err error) errorClass {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return classifyConnection(err)
	}
	switch e.Code {
	case "23505":
		return uniqueBroken
	case "40001", "40P01":
		return retryable
	case "53100":
		return diskFull
	case "22021", "22P05":
		return badText
	case "XX001", "XX002":
		return damaged
	case "57P01", "57P02", "57P03", "57P05", "53300", "25006":
		return connectionLost
	}
	switch e.Code[:2] {
	case "23":
		return ruleBroken
	case "08":
		return connectionLost
	}
	return otherError
}

func classifyConnection(err error) errorClass {
	var connect *pgconn.ConnectError
	var network *net.OpError
	switch {
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, net.ErrClosed):
		return connectionLost
	case pgconn.SafeToRetry(err), errors.Is(err, sql.ErrConnDone), isEOF(err):
		return connectionLost
	}
	return notDriver
}

// ledgerLock is the key of the advisory lock behind lockLedger: "vigia" in ASCII.
const ledgerLock = 0x7669676961

func (postgresDialect) lockLedger(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(ledgerLock))
	return err
}

func (postgresDialect) lockMachines(ctx context.Context, tx *sql.Tx, rows []int64) error {
	if len(rows) == 0 {
		return nil
	}
	sorted := append([]int64(nil), rows...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i] < sorted[j] })
	_, err := tx.ExecContext(ctx, "SELECT id FROM machine WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", sorted)
	return err
}

func (postgresDialect) backup(context.Context, *sql.DB, string) error {
	return apperr.New(apperr.Invalid, "store.backup-postgres", apperr.Args{"command": "pg_dump --format=custom"})
}

// integrity of PostgreSQL's files is the server's business (pg_amcheck, checksums);
// what a client can tell is whether a foreign key was left unvalidated.
func (postgresDialect) integrity(ctx context.Context, reader *sql.DB) ([]string, error) {
	names, err := column(ctx, reader, `SELECT conname FROM pg_constraint WHERE contype IN ('f', 'c') AND NOT convalidated`)
	for i, n := range names {
		names[i] = fmt.Sprintf("constraint %s is not validated", strings.TrimSpace(n))
	}
	return names, err
}
