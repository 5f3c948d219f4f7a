package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store/internal/db"
)

var _ fleet.CommandStore = (*Store)(nil)

// QueueCommand implements fleet.CommandStore.
func (s *Store) QueueCommand(ctx context.Context, c fleet.Command) error {
	args, err := json.Marshal(c.Args)
	if err != nil {
		return s.mapError("queueing a command", err)
	}
	return s.write(ctx, "queueing a command", func(ctx context.Context, q *db.Queries) error {
		row, err := machineRow(ctx, q, c.Machine)
		if err != nil {
			return err
		}
		return q.InsertCommand(ctx, db.InsertCommandParams{
			ID: c.ID, MachineID: row, Kind: c.Kind, Args: string(args), CreatedAt: micros(c.CreatedAt),
			CreatedBy: c.CreatedBy, DoneAt: micros(c.DoneAt), Ok: c.OK, Problem: c.Problem,
		})
	})
}

// PendingCommands implements fleet.CommandStore: oldest first.
func (s *Store) PendingCommands(ctx context.Context, machine string) (out []fleet.Command, err error) {
	err = s.read(ctx, "reading commands", func(q *db.Queries) error {
		found, err := q.PendingCommands(ctx, strings.ToLower(machine))
		for _, v := range found {
			c := fleet.Command{
				ID: v.ID, Machine: strings.ToLower(machine), Kind: v.Kind, CreatedAt: fromMicros(v.CreatedAt), CreatedBy: v.CreatedBy,
				DoneAt: fromMicros(v.DoneAt), OK: v.Ok, Problem: v.Problem,
			}
			if err := json.Unmarshal([]byte(v.Args), &c.Args); err != nil {
				return fmt.Errorf("arguments of command %s: %w", v.ID, err)
			}
			out = append(out, c)
		}
		return err
	})
	return out, err
}

// Commands implements fleet.CommandStore.
func (s *Store) Commands(ctx context.Context, machine string, n int) ([]fleet.Command, error) {
	list, err := rows(ctx, s.on(ctx), `SELECT c.id, c.kind, c.args, c.created_at, c.created_by, c.done_at, c.ok, c.problem
		FROM command c JOIN machine m ON m.id = c.machine_id WHERE m.uuid = $1 ORDER BY c.created_at DESC, c.id DESC LIMIT $2`, []any{strings.ToLower(machine), limit(n)},
		func(r *sql.Rows, c *fleet.Command) error {
			var args string
			var created, done int64
			if err := r.Scan(&c.ID, &c.Kind, &args, &created, &c.CreatedBy, &done, &c.OK, &c.Problem); err != nil {
				return err
			}
			c.Machine, c.CreatedAt, c.DoneAt = strings.ToLower(machine), fromMicros(created), fromMicros(done)
			return json.Unmarshal([]byte(args), &c.Args)
		})
	return list, s.mapError("reading commands", err)
}

// PruneCommands removes at most limit commands that were finished before a time, or
// were queued before it and never answered, and returns how many.
func (s *Store) PruneCommands(ctx context.Context, before time.Time, limit int) (int64, error) {
	var gone int64
	err := s.InTx(ctx, func(ctx context.Context) error {
		res, err := s.txFrom(ctx).tx.ExecContext(ctx, `DELETE FROM command WHERE id IN
			(SELECT id FROM command WHERE CASE WHEN done_at <> 0 THEN done_at ELSE created_at END < $1 ORDER BY id LIMIT $2)`, micros(before), limit)
		if err == nil {
			gone, err = res.RowsAffected()
		}
		return err
	})
	return gone, s.mapError("forgetting commands", err)
}

// FinishCommand implements fleet.CommandStore. The first answer counts.
func (s *Store) FinishCommand(ctx context.Context, id string, ok bool, problem string, at time.Time) error {
	return s.write(ctx, "finishing a command", func(ctx context.Context, q *db.Queries) error {
		c, err := q.CommandByID(ctx, id)
		if err != nil || c.DoneAt != 0 {
			return unknown(err, "command.unknown", apperr.Args{"command": id})
		}
		return q.FinishCommand(ctx, db.FinishCommandParams{DoneAt: micros(at), Ok: ok, Problem: problem, ID: id})
	})
}
