package store

import (
	"context"
	"math"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/backup"
	"vigia/collector/internal/store/internal/db"
)

var _ backup.Store = (*Store)(nil)

func toBackup(v db.Backup) backup.Record {
	host, _, _ := strings.Cut(v.Host, "\x1f") // what follows tells collectors of one machine apart
	return backup.Record{
		Row: v.ID, Slot: v.Slot, State: backup.State(v.State), Step: backup.Step(v.Step), StartedAt: fromMicros(v.StartedAt), StartedBy: v.StartedBy,
		EndedAt: fromMicros(v.EndedAt), Host: host, File: v.File, Bytes: v.Bytes, SHA256: v.Sha256, Problem: v.Problem, RemovedAt: fromMicros(v.RemovedAt),
	}
}

// QueueBackup implements backup.Store.
func (s *Store) QueueBackup(ctx context.Context, slot string, at time.Time, by string) (row int64, queued bool, err error) {
	err = s.write(ctx, "asking for a backup", func(ctx context.Context, q *db.Queries) error {
		ids, err := q.InsertBackup(ctx, db.InsertBackupParams{Slot: slot, StartedAt: micros(at), StartedBy: storable(by)})
		if queued = len(ids) == 1; queued {
			row = ids[0]
		}
		return err
	})
	return row, queued, err
}

// BackupByRow implements backup.Store.
func (s *Store) BackupByRow(ctx context.Context, row int64) (r backup.Record, err error) {
	err = s.read(ctx, "reading a backup", func(q *db.Queries) error {
		v, err := q.BackupByID(ctx, row)
		r = toBackup(v)
		return unknown(err, "backup.unknown", apperr.Args{"backup": row})
	})
	return r, err
}

// Backups implements backup.Store.
func (s *Store) Backups(ctx context.Context, before int64, max int) (out []backup.Record, err error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	err = s.read(ctx, "listing backups", func(q *db.Queries) error {
		list, err := q.ListBackups(ctx, db.ListBackupsParams{ID: before, Limit: int32(limit(max))})
		for _, v := range list {
			out = append(out, toBackup(v))
		}
		return err
	})
	return out, err
}

// ClaimBackup implements backup.Store.
func (s *Store) ClaimBackup(ctx context.Context, holder string, now, until time.Time) (r backup.Record, err error) {
	none := apperr.New(apperr.NotFound, "backup.none", nil)
	waits, err := column(ctx, s.on(ctx), "SELECT '1' FROM backup WHERE state = 'running' AND host = '' LIMIT 1")
	if err != nil || len(waits) == 0 { // most looks end here and write nothing
		if err == nil {
			return r, none
		}
		return r, s.mapError("looking for a backup to make", err)
	}
	err = s.write(ctx, "taking up a backup", func(ctx context.Context, q *db.Queries) error {
		list, err := q.ClaimBackup(ctx, db.ClaimBackupParams{Host: holder, HeldUntil: micros(until), HeldUntil_2: micros(now)})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return none
		}
		r = toBackup(list[0])
		return nil
	})
	return r, err
}

// StepBackup implements backup.Store.
func (s *Store) StepBackup(ctx context.Context, holder string, r backup.Record, until time.Time) (mine bool, err error) {
	err = s.write(ctx, "telling how far a backup is", func(ctx context.Context, q *db.Queries) error {
		n, err := q.StepBackup(ctx, db.StepBackupParams{Step: string(r.Step), File: r.File, Bytes: r.Bytes, HeldUntil: micros(until), ID: r.Row, Host: holder})
		mine = n == 1
		return err
	})
	return mine, err
}

// FinishBackup implements backup.Store.
func (s *Store) FinishBackup(ctx context.Context, holder string, r backup.Record) error {
	return s.write(ctx, "noting what became of a backup", func(ctx context.Context, q *db.Queries) error {
		_, err := q.FinishBackup(ctx, db.FinishBackupParams{State: string(r.State), EndedAt: micros(r.EndedAt), File: r.File, Bytes: r.Bytes, Sha256: r.SHA256,
			Problem: storable(r.Problem), ID: r.Row, Host: holder})
		return err
	})
}

// InterruptBackups implements backup.Store.
func (s *Store) InterruptBackups(ctx context.Context, now time.Time) (n int, err error) {
	lost, err := column(ctx, s.on(ctx), "SELECT '1' FROM backup WHERE state = 'running' AND host <> '' AND held_until <= $1 LIMIT 1", micros(now))
	if err != nil || len(lost) == 0 {
		return 0, s.mapError("looking for interrupted backups", err)
	}
	err = s.write(ctx, "ending interrupted backups", func(ctx context.Context, q *db.Queries) error {
		done, err := q.InterruptBackups(ctx, micros(now))
		n = int(done)
		return err
	})
	return n, err
}

// RemovedBackup implements backup.Store.
func (s *Store) RemovedBackup(ctx context.Context, row int64, at time.Time) error {
	return s.write(ctx, "noting that a backup is gone", func(ctx context.Context, q *db.Queries) error {
		return q.RemovedBackup(ctx, db.RemovedBackupParams{RemovedAt: micros(at), ID: row})
	})
}
