package store

import (
	"context"
	"time"
)

// Counts is what the console's first page counts.
type Counts struct {
	Machines            int // all but archived
	Silent              int // active ones that nothing was heard of since the time asked for
	Quarantined         int
	FailingMachines     int // active or quarantined ones with a source that failed or is stale
	OpenFindings        int
	OpenNonconformities int
}

// Counts counts what somebody may have to look at, in one statement. The casts keep
// SQLite from following the index of states through the table, ten times as slow as
// reading it whole where most machines are in one state.
func (s *Store) Counts(ctx context.Context, silentSince time.Time) (Counts, error) {
	var c Counts
	err := s.on(ctx).QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM machine WHERE state <> 'archived'),
		(SELECT count(*) FROM machine m LEFT JOIN machine_seen n ON n.machine_id = m.id
			WHERE cast(m.state AS TEXT) = 'active' AND coalesce(nullif(n.last_seen, 0), m.enrolled_at) < $1),
		(SELECT count(*) FROM machine WHERE state = 'quarantined'),
		(SELECT count(*) FROM machine WHERE failing > 0 AND cast(state AS TEXT) IN ('active', 'quarantined')),
		(SELECT count(*) FROM finding WHERE state = 'open'),
		(SELECT count(*) FROM nonconformity WHERE state NOT IN ('closed', 'withdrawn', 'concession'))`, micros(silentSince)).
		Scan(&c.Machines, &c.Silent, &c.Quarantined, &c.FailingMachines, &c.OpenFindings, &c.OpenNonconformities)
	return c, s.mapError("counting", err)
}
