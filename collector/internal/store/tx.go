package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

var _ fleet.Transactor = (*Store)(nil)

// attempts is how often one transaction is run before its failure is told.
const attempts = 8

// transaction is what ctx carries.
type transaction struct {
	store  *Store
	tx     *sql.Tx
	doomed error // an error of the engine inside it: it must not be committed
}

type txKey struct{}

// txFrom returns the transaction of this store that ctx carries, or nil.
func (s *Store) txFrom(ctx context.Context) *transaction {
	if t, ok := ctx.Value(txKey{}).(*transaction); ok && t.store == s {
		return t
	}
	return nil
}

// InTx implements fleet.Transactor. A call inside another joins the outer transaction;
// an error of the engine inside it fails the whole, even when fn looks away. On
// PostgreSQL the isolation is READ COMMITTED: take lockMachines before reading what is
// about to be changed. fn must use the context that it is given: with another, a write
// inside it would wait for the transaction that it is part of. When the connection is
// lost while committing, the error (Unavailable) leaves open whether it was committed.
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if t := s.txFrom(ctx); t != nil {
		err := fn(ctx)
		if err != nil && t.doomed == nil && s.dialect.classify(err) != notDriver {
			t.doomed = err
		}
		return err
	}
	for try := 1; ; try++ {
		err := s.once(ctx, fn)
		if err == nil || try == attempts || s.dialect.classify(err) != retryable {
			return s.mapError("transaction", err)
		}
		if !sleep(ctx, backoff(try)) {
			return s.mapError("transaction", ctx.Err())
		}
		s.log.DebugContext(ctx, "transaction runs again", "try", try, "cause", err)
	}
}

// backoff is drawn from (0, 5 ms · 2^try], at most 640 ms.
func backoff(try int) time.Duration {
	return time.Duration(1 + rand.Int64N(int64(5*time.Millisecond)<<min(try, 7)))
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (s *Store) once(ctx context.Context, fn func(ctx context.Context) error) error {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning: %w", err)
	}
	done := false
	defer func() {
		if !done { // an error, or a panic on its way up
			_ = tx.Rollback()
		}
	}()
	t := &transaction{store: s, tx: tx}
	if err := fn(context.WithValue(ctx, txKey{}, t)); err != nil {
		return err
	}
	if t.doomed != nil {
		return fmt.Errorf("an earlier statement failed: %w", t.doomed)
	}
	done = true
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// querier is what plain SQL runs on: a transaction or a pool.
type querier interface {
	db.DBTX
}

// on returns where reads of ctx go: its transaction, else the readers.
func (s *Store) on(ctx context.Context) querier {
	if t := s.txFrom(ctx); t != nil {
		return t.tx
	}
	return s.reader
}

// read runs fn with the queries on ctx's transaction or the readers, and maps errors.
func (s *Store) read(ctx context.Context, doing string, fn func(q *db.Queries) error) error {
	return s.mapError(doing, fn(db.New(s.on(ctx))))
}

// write runs fn in ctx's transaction, or in one of its own, and maps errors.
func (s *Store) write(ctx context.Context, doing string, fn func(ctx context.Context, q *db.Queries) error) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		return s.mapError(doing, fn(ctx, db.New(s.txFrom(ctx).tx)))
	})
}

// lockLedger and lockMachines need a transaction in ctx.
func (s *Store) lockLedger(ctx context.Context) error {
	t := s.txFrom(ctx)
	if t == nil {
		return apperr.New(apperr.Internal, "store.no-transaction", nil)
	}
	return s.mapError("waiting for the ledger", s.dialect.lockLedger(ctx, t.tx))
}

func (s *Store) lockMachines(ctx context.Context, rows ...int64) error {
	t := s.txFrom(ctx)
	if t == nil {
		return apperr.New(apperr.Internal, "store.no-transaction", nil)
	}
	return s.mapError("waiting for machines", s.dialect.lockMachines(ctx, t.tx, rows))
}
