package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"vigia/collector/internal/apperr"
)

// mapError turns a driver's error into an apperr.Error, by its number. Errors that
// carry a code already, and those of a context that ended, keep what they are.
func (s *Store) mapError(doing string, err error) error {
	var known *apperr.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return apperr.Wrap(fmt.Errorf("%s: %w", doing, err), apperr.Unavailable, "store.cancelled", nil)
	case errors.Is(err, sql.ErrNoRows):
		return apperr.Wrap(fmt.Errorf("%s: %w", doing, err), apperr.NotFound, "store.not-found", nil)
	}
	cause := fmt.Errorf("%s: %w", doing, err)
	switch s.dialect.classify(err) {
	case uniqueBroken:
		return apperr.Wrap(cause, apperr.Conflict, "store.exists", nil)
	case ruleBroken:
		return apperr.Wrap(cause, apperr.Conflict, "store.rule", nil)
	case badText:
		return apperr.Wrap(cause, apperr.Invalid, "store.text", nil)
	case retryable:
		return apperr.Wrap(cause, apperr.Unavailable, "store.busy", nil)
	case diskFull:
		return apperr.Wrap(cause, apperr.Unavailable, "store.disk-full", nil)
	case damaged:
		return apperr.Wrap(cause, apperr.Internal, "store.damaged", nil)
	case connectionLost:
		return apperr.Wrap(cause, apperr.Unavailable, "store.unavailable", nil)
	}
	return apperr.Wrap(cause, apperr.Internal, "store.internal", nil)
}

// unknown turns "no rows" into a NotFound that names what was asked for; other errors
// it leaves alone.
func unknown(err error, key string, args apperr.Args) error {
	if errors.Is(err, sql.ErrNoRows) {
		return apperr.New(apperr.NotFound, key, args)
	}
	return err
}

func isEOF(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
