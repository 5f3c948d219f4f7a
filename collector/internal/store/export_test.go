package store

import (
	"context"
	"database/sql"
)

// Writer lets tests look at and spoil what no method would.
func (s *Store) Writer() *sql.DB { return s.writer }

// LockMachines lets tests make two transactions wait for one another.
var LockMachines = (*Store).lockMachines

// On lets tests write rows that only reports of machines would, in ctx's transaction.
func (s *Store) On(ctx context.Context) DBTX { return s.on(ctx) }

// DBTX is what On returns.
type DBTX = querier
