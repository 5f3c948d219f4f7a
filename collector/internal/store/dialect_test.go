package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"vigia/collector/internal/apperr"
)

func TestDriverErrorsAreMappedByNumber(t *testing.T) {
	pg := func(code string) error {
		return fmt.Errorf("x: %w", &pgconn.PgError{Code: code, Message: "unique full lost"})
	}
	lite := func(code sqlite3.ErrNo, more sqlite3.ErrNoExtended) error {
		return fmt.Errorf("x: %w", sqlite3.Error{Code: code, ExtendedCode: more})
	}
	for _, c := range []struct {
		d    dialect
		err  error
		code apperr.Code
		key  string
	}{
		{postgresDialect{}, pg("23505"), apperr.Conflict, "store.exists"},
		{postgresDialect{}, pg("23503"), apperr.Conflict, "store.rule"},
		{postgresDialect{}, pg("22021"), apperr.Invalid, "store.text"},
		{postgresDialect{}, pg("40001"), apperr.Unavailable, "store.busy"},
		{postgresDialect{}, pg("40P01"), apperr.Unavailable, "store.busy"},
		{postgresDialect{}, pg("53100"), apperr.Unavailable, "store.disk-full"},
		{postgresDialect{}, pg("57P01"), apperr.Unavailable, "store.unavailable"},
		{postgresDialect{}, pg("08006"), apperr.Unavailable, "store.unavailable"},
		{postgresDialect{}, pg("42601"), apperr.Internal, "store.internal"},
		{postgresDialect{}, io.ErrUnexpectedEOF, apperr.Unavailable, "store.unavailable"},
		{postgresDialect{}, errors.New("unique"), apperr.Internal, "store.internal"},
		{sqliteDialect{}, lite(sqlite3.ErrConstraint, sqlite3.ErrConstraintPrimaryKey), apperr.Conflict, "store.exists"},
		{sqliteDialect{}, lite(sqlite3.ErrConstraint, sqlite3.ErrConstraintUnique), apperr.Conflict, "store.exists"},
		{sqliteDialect{}, lite(sqlite3.ErrConstraint, sqlite3.ErrConstraintForeignKey), apperr.Conflict, "store.rule"},
		{sqliteDialect{}, lite(sqlite3.ErrBusy, 0), apperr.Unavailable, "store.busy"},
		{sqliteDialect{}, lite(sqlite3.ErrFull, 0), apperr.Unavailable, "store.disk-full"},
		{sqliteDialect{}, lite(sqlite3.ErrIoErr, 0), apperr.Unavailable, "store.unavailable"},
		{sqliteDialect{}, lite(sqlite3.ErrError, 0), apperr.Internal, "store.internal"},
		{sqliteDialect{}, lite(sqlite3.ErrCorrupt, 0), apperr.Internal, "store.damaged"},
		{sqliteDialect{}, lite(sqlite3.ErrNotADB, 0), apperr.Internal, "store.damaged"},
		{postgresDialect{}, pg("XX001"), apperr.Internal, "store.damaged"},
		{sqliteDialect{}, sql.ErrNoRows, apperr.NotFound, "store.not-found"},
		{sqliteDialect{}, context.Canceled, apperr.Unavailable, "store.cancelled"},
		{sqliteDialect{}, apperr.New(apperr.Forbidden, "own", nil), apperr.Forbidden, "own"},
	} {
		err := (&Store{dialect: c.d}).mapError("testing", c.err)
		var e *apperr.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Key != c.key || !errors.Is(err, c.err) {
			t.Errorf("%s: %v: got %v", c.d.name(), c.err, err)
		}
	}
}
