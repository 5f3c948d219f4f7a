//go:build !cgo

package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pressly/goose/v3"
)

// sqliteDialect of a program built with CGO_ENABLED=0 says so at the first use.
type sqliteDialect struct{}

var errNoCgo = errors.New("this vigia-collector was built with CGO_ENABLED=0 and has no SQLite: build it with CGO_ENABLED=1 and a C compiler, or use --database-url")

func (sqliteDialect) name() string { return "sqlite" }

func (sqliteDialect) open(context.Context, Config) (*sql.DB, *sql.DB, error) {
	return nil, nil, errNoCgo
}

func (sqliteDialect) migrations() (goose.Dialect, []goose.ProviderOption, error) {
	return "", nil, errNoCgo
}
func (sqliteDialect) classify(error) errorClass                            { return notDriver }
func (sqliteDialect) lockLedger(context.Context, *sql.Tx) error            { return errNoCgo }
func (sqliteDialect) lockMachines(context.Context, *sql.Tx, []int64) error { return errNoCgo }
func (sqliteDialect) backup(context.Context, *sql.DB, string) error        { return errNoCgo }
func (sqliteDialect) integrity(context.Context, *sql.DB) ([]string, error) { return nil, errNoCgo }
