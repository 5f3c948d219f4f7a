package app

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/backup"
)

// backupRow is one copy in JSON.
type backupRow struct {
	ID        int64      `json:"id"`
	State     string     `json:"state"`
	Step      string     `json:"step"`
	StartedAt *time.Time `json:"started_at"`
	StartedBy string     `json:"started_by"`
	EndedAt   *time.Time `json:"ended_at"`
	Host      string     `json:"host"`
	File      string     `json:"file"`
	Bytes     int64      `json:"bytes"`
	SHA256    string     `json:"sha256"`
	Problem   string     `json:"problem"`
	RemovedAt *time.Time `json:"removed_at"`
}

func toBackupRow(r backup.Record) backupRow {
	return backupRow{r.Row, string(r.State), string(r.Step), utc(r.StartedAt), r.StartedBy, utc(r.EndedAt), r.Host, r.File, r.Bytes, r.SHA256, r.Problem, utc(r.RemovedAt)}
}

type backupListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
	Limit      int `help:"How many." default:"50"`
}

// Help implements kong.HelpProvider.
func (backupListCmd) Help() string { return examples("backup list", "backup list --output json") }

// Run implements the command.
func (c *backupListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		list, err := d.store.Backups(ctx, 0, min(max(c.Limit, 1), 1000))
		if err != nil {
			return err
		}
		rows := []backupRow{}
		for _, r := range list {
			rows = append(rows, toBackupRow(r))
		}
		return show(s, c.Output, rows, []string{"ID", "STATE", "STARTED", "ENDED", "BYTES", "FILE", "PROBLEM"}, func(r backupRow) []string {
			file := r.File
			if r.RemovedAt != nil {
				file = "(removed)"
			}
			return []string{strconv.FormatInt(r.ID, 10), r.State, optional(r.StartedAt), optional(r.EndedAt), strconv.FormatInt(r.Bytes, 10), file, r.Problem}
		})
	})
}

type backupNowCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (backupNowCmd) Help() string {
	return examples("backup now") + "\n\nThe folder is the setting backup.folder, or \"backups\" in the data folder."
}

// Run implements the command. A running collector may take it up first; then this waits
// for it.
func (c *backupNowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		b := d.newBackups(c.config(), "cli "+newID())
		row, err := b.Request(ctx)
		if err != nil {
			return err
		}
		roundErr := b.Round(ctx)
		rec, err := d.store.BackupByRow(ctx, row)
		for wait := time.NewTicker(time.Second); err == nil && rec.State == backup.Running; rec, err = d.store.BackupByRow(ctx, row) {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-wait.C:
			}
		}
		if err != nil {
			return err
		}
		if c.Output == "json" {
			err = printJSON(s.out, toBackupRow(rec))
		} else if rec.State != backup.Failed {
			_, err = fmt.Fprintf(s.out, "%s: %d bytes, %s\n", rec.File, rec.Bytes, rec.State)
		}
		if rec.State == backup.Failed {
			if roundErr == nil {
				roundErr = apperr.New(apperr.Internal, "cli.backup-failed", apperr.Args{"problem": rec.Problem})
			}
			return roundErr
		}
		return err
	})
}
