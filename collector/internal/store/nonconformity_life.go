package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/calendar"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store/internal/db"
)

var _ calendar.Store = (*Store)(nil)

// saveLife writes a record's milestones, who is awaited, and the steps and notices that
// old does not have.
func saveLife(ctx context.Context, q *db.Queries, r, old nonconformity.Nonconformity) error {
	err := q.UpdateLife(ctx, db.UpdateLifeParams{
		Severity: string(r.Severity), Round: int64(r.Round), RoundAt: micros(r.RoundAt), NotifiedAt: micros(r.NotifiedAt), CauseAt: micros(r.CauseAt),
		PlannedAt: micros(r.PlannedAt), ImplementedAt: micros(r.ImplementedAt), VerifiedAt: micros(r.VerifiedAt), EndedAt: micros(r.EndedAt),
		PlanBy: micros(r.PlanBy), UntilAt: micros(r.Until), Awaited: r.Awaited, DueAt: micros(r.DueAt), NextAt: micros(r.NextAt),
		Anchored: int64(r.Anchored), ID: r.Row,
	})
	if err != nil {
		return err
	}
	for i, s := range r.Steps[len(old.Steps):] {
		answer, err := json.Marshal(s.Answer)
		if err != nil {
			return fmt.Errorf("encoding a step: %w", err)
		}
		err = q.InsertStep(ctx, db.InsertStepParams{
			NonconformityID: r.Row, Position: int64(len(old.Steps) + i), Kind: s.Kind, Round: int64(s.Round), Part: s.Part, Author: s.Author, AuthorName: s.AuthorName,
			OnBehalf: oneIf(s.OnBehalf), At: micros(s.At), Address: s.Address, Answer: string(answer), Document: string(s.Document), Hash: s.Hash,
		})
		if err != nil {
			return err
		}
	}
	for i, x := range r.Notices[len(old.Notices):] {
		err := q.InsertNotice(ctx, db.InsertNoticeParams{NonconformityID: r.Row, Position: int64(len(old.Notices) + i), Round: int64(x.Round), Step: x.Step,
			Since: micros(x.Since), Level: int64(x.Level), At: micros(x.At)})
		if err != nil {
			return err
		}
	}
	return nil
}

// fillLife reads steps and notices of records.
func fillLife(ctx context.Context, q querier, rest string, args []any, of map[int64]*nonconformity.Nonconformity) error {
	err := each(ctx, q, "SELECT nonconformity_id, kind, round, part, author, author_name, on_behalf, at, address, answer, document, hash FROM nonconformity_step"+rest, args, func(r *sql.Rows) error {
		var id, at, behalf int64
		var answer, document string
		var s nonconformity.Step
		err := r.Scan(&id, &s.Kind, &s.Round, &s.Part, &s.Author, &s.AuthorName, &behalf, &at, &s.Address, &answer, &document, &s.Hash)
		if err != nil {
			return err
		}
		s.OnBehalf, s.At, s.Document = behalf != 0, fromMicros(at), []byte(document)
		if err := json.Unmarshal([]byte(answer), &s.Answer); err != nil {
			return fmt.Errorf("decoding a step: %w", err)
		}
		of[id].Steps = append(of[id].Steps, s)
		return nil
	})
	if err != nil {
		return err
	}
	return each(ctx, q, "SELECT nonconformity_id, round, step, since, level, at FROM nonconformity_notice"+rest, args, func(r *sql.Rows) error {
		var id, since, at int64
		var x nonconformity.Notice
		err := r.Scan(&id, &x.Round, &x.Step, &since, &x.Level, &at)
		if err == nil {
			x.Since, x.At = fromMicros(since), fromMicros(at)
			of[id].Notices = append(of[id].Notices, x)
		}
		return err
	})
}

// Take implements nonconformity.Store by the lock of the record's machine.
func (n *Nonconformities) Take(ctx context.Context, number string) (nonconformity.Nonconformity, error) {
	r, err := n.ByNumber(ctx, number)
	if err != nil {
		return r, err
	}
	err = n.store.read(ctx, "taking a nonconformity", func(q *db.Queries) error {
		row, err := machineRow(ctx, q, r.Machine)
		if err != nil {
			return err
		}
		return n.store.lockMachines(ctx, row)
	})
	if err != nil {
		return nonconformity.Nonconformity{}, err
	}
	if n.store.Engine() == "sqlite" {
		return r, nil // the one writer has it already
	}
	return n.ByNumber(ctx, number)
}

// Due implements nonconformity.Records.
func (n *Nonconformities) Due(ctx context.Context, at time.Time, limit int) (list []string, err error) {
	err = n.store.read(ctx, "looking for due nonconformities", func(q *db.Queries) error {
		list, err = q.DueNonconformities(ctx, db.DueNonconformitiesParams{NextAt: micros(at), Limit: int32(limit)})
		return err
	})
	return list, err
}

// LastLook implements nonconformity.Records.
func (n *Nonconformities) LastLook(ctx context.Context, machine string) (look nonconformity.Look, err error) {
	err = n.store.read(ctx, "asking when a machine was looked at", func(q *db.Queries) error {
		row, err := q.LastLook(ctx, strings.ToLower(machine))
		if err != nil {
			return unknown(err, "machine.unknown", apperr.Args{"machine": machine})
		}
		look.At, look.Retired = fromMicros(row.LookedAt), row.State != string(fleet.Active)
		if id, err := uuid.FromBytes(row.ReportID); err == nil {
			look.Report = id.String()
		}
		return nil
	})
	return look, err
}

// Repeats implements nonconformity.Records.
func (n *Nonconformities) Repeats(ctx context.Context, r nonconformity.Nonconformity, since time.Time) (nonconformity.Repeats, error) {
	var out nonconformity.Repeats
	count := func(into *int, cond string, args ...any) error {
		var w where
		w.add("n.opened_at >= ? AND n.state <> 'withdrawn'", micros(since))
		w.add(cond, args...)
		found, err := rows(ctx, n.store.on(ctx), "SELECT cast(count(*) + coalesce(sum(n.recurrences), 0) AS BIGINT) FROM nonconformity n"+w.clause(), w.args,
			func(r *sql.Rows, v *int) error { return r.Scan(v) })
		if err == nil && len(found) == 1 {
			*into = found[0]
		}
		return err
	}
	var err error
	if r.Person != "" {
		err = count(&out.Person, "n.person = ?", r.Person)
	}
	if err == nil && r.Area != "" {
		err = count(&out.Area, "n.area = ?", r.Area)
	}
	if err == nil && len(r.Programs) > 0 {
		marks, names := make([]string, len(r.Programs)), make([]any, len(r.Programs))
		for i, p := range r.Programs {
			marks[i], names[i] = "?", strings.ToLower(p.Name)
		}
		err = count(&out.Program, "EXISTS (SELECT 1 FROM nonconformity_program p WHERE p.nonconformity_id = n.id AND lower(p.name) IN ("+strings.Join(marks, ", ")+"))", names...)
	}
	return out, n.store.mapError("counting repeats", err)
}

// AddFile implements nonconformity.Records.
func (n *Nonconformities) AddFile(ctx context.Context, number string, f nonconformity.File, at time.Time) error {
	return n.store.write(ctx, "keeping an attachment", func(ctx context.Context, q *db.Queries) error {
		return q.AddNonconformityFile(ctx, db.AddNonconformityFileParams{Hash: f.SHA256, Name: f.Name, Type: f.Type, Scan: f.Scan, AddedAt: micros(at),
			Size: int64(len(f.Content)), Content: f.Content, Number: number})
	})
}

// File implements nonconformity.Records.
func (n *Nonconformities) File(ctx context.Context, number, hash string) (f nonconformity.File, err error) {
	err = n.store.read(ctx, "reading an attachment", func(q *db.Queries) error {
		row, err := q.NonconformityFile(ctx, db.NonconformityFileParams{Number: number, Hash: strings.ToLower(hash)})
		if err != nil {
			return unknown(err, "nonconformity.no-file", apperr.Args{"number": number})
		}
		f = nonconformity.File{FileFact: nonconformity.FileFact{Name: row.Name, Type: row.Type, Size: int(row.Size), SHA256: row.Hash, Scan: row.Scan}, Content: row.Content}
		return nil
	})
	return f, err
}

// FilesSize implements nonconformity.Records.
func (n *Nonconformities) FilesSize(ctx context.Context, number string) (bytes, files int, err error) {
	err = n.store.read(ctx, "counting attachments", func(q *db.Queries) error {
		row, err := q.NonconformityFilesSize(ctx, number)
		bytes, files = int(row.Bytes), int(row.Files)
		return err
	})
	return bytes, files, err
}

// Exceptions implements calendar.Store.
func (s *Store) Exceptions(ctx context.Context, site string) (list []calendar.Exception, err error) {
	err = s.read(ctx, "reading a calendar", func(q *db.Queries) error {
		found, err := q.CalendarDays(ctx, site)
		for _, x := range found {
			list = append(list, calendar.Exception{Site: x.Site, Day: calendar.Day(x.Day), Working: x.Working != 0, Name: x.Name})
		}
		return err
	})
	return list, err
}

// SaveException implements calendar.Store.
func (s *Store) SaveException(ctx context.Context, e calendar.Exception) error {
	return s.write(ctx, "changing a calendar", func(ctx context.Context, q *db.Queries) error {
		return q.SaveCalendarDay(ctx, db.SaveCalendarDayParams{Site: e.Site, Day: int64(e.Day), Working: oneIf(e.Working), Name: e.Name})
	})
}

// RemoveException implements calendar.Store.
func (s *Store) RemoveException(ctx context.Context, site string, day calendar.Day) error {
	return s.write(ctx, "changing a calendar", func(ctx context.Context, q *db.Queries) error {
		return q.RemoveCalendarDay(ctx, db.RemoveCalendarDayParams{Site: site, Day: int64(day)})
	})
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
