package store

import "database/sql"

// Writer lets tests look at and spoil what no method would.
func (s *Store) Writer() *sql.DB { return s.writer }

// LockMachines lets tests make two transactions wait for one another.
var LockMachines = (*Store).lockMachines
