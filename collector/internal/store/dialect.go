package store

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// dialect is all in which the two engines differ. Everything else is one SQL text.
type dialect interface {
	name() string
	// open returns the pool that writes and the pool that reads; both may be one.
	open(ctx context.Context, cfg Config) (writer, reader *sql.DB, err error)
	// migrations tells goose what it is talking to; the files are in migrations/<name>.
	migrations() (goose.Dialect, []goose.ProviderOption, error)
	// classify tells what kind of failure a driver's error is, by its number.
	classify(err error) errorClass
	// lockLedger makes the transaction the only one, on all collectors, that numbers
	// things without gaps or in commit order: audit entries, changes.
	lockLedger(ctx context.Context, tx *sql.Tx) error
	// lockMachines keeps other transactions from changing the machines (ids of rows)
	// until this one ends; always in ascending order.
	lockMachines(ctx context.Context, tx *sql.Tx, rows []int64) error
	// backup writes a consistent copy to a file that does not exist.
	backup(ctx context.Context, reader *sql.DB, path string) error
	// integrity lists what is physically wrong with the database; empty when nothing is.
	integrity(ctx context.Context, reader *sql.DB) ([]string, error)
}

// errorClass is what kind of failure a driver's error is.
type errorClass int

const (
	notDriver    errorClass = iota // not an error of the driver
	otherError                     // a fault of ours, or an unknown one
	uniqueBroken                   // a unique rule or primary key
	ruleBroken                     // a foreign key, check or not-null rule
	badText                        // text that the engine refuses: NUL, broken UTF-8
	retryable                      // the same transaction may succeed when run again
	diskFull
	damaged        // what is stored cannot be read
	connectionLost // the server is gone, stopping or starting
)
