package store

import (
	"context"
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
