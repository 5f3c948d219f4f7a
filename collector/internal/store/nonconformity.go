package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store/internal/db"
)

var (
	_ nonconformity.Store   = (*Nonconformities)(nil)
	_ nonconformity.Records = (*Nonconformities)(nil)
)

// Nonconformities is the store's side of package nonconformity.
type Nonconformities struct{ store *Store }

// Nonconformities returns the nonconformity store.
func (s *Store) Nonconformities() *Nonconformities { return &Nonconformities{store: s} }

// Create implements nonconformity.Store. The year is that of OpenedAt in UTC. The
// year's counter stays locked until the transaction ends, and a transaction that fails
// gives the number back.
func (n *Nonconformities) Create(ctx context.Context, r nonconformity.Nonconformity) (nonconformity.Nonconformity, error) {
	r.Machine = strings.ToLower(r.Machine)
	if r.Round == 0 {
		r.Round, r.RoundAt = 1, r.OpenedAt
	}
	if r.Severity == "" {
		r.Severity = nonconformity.DefaultSeverity
	}
	err := n.store.write(ctx, "opening a nonconformity", func(ctx context.Context, q *db.Queries) error {
		machine, err := machineRow(ctx, q, r.Machine)
		if err != nil {
			return err
		}
		year := int64(r.OpenedAt.UTC().Year())
		if r.OpenedAt.IsZero() {
			return apperr.New(apperr.Invalid, "nonconformity.opened-at", apperr.Args{"field": "opened_at"})
		}
		counter, err := q.NextNonconformityNumber(ctx, year)
		if err != nil {
			return err
		}
		r.Number = nonconformity.FormatNumber(int(year), int(counter))
		r.Row, err = q.InsertNonconformity(ctx, db.InsertNonconformityParams{
			Number: r.Number, Year: year, Counter: counter, State: string(r.State), MachineID: machine, Hostname: r.Hostname,
			Person: r.Person, PersonName: r.PersonName, Area: r.Area, Site: r.Site, Search: searchText(r),
			OpenedAt: micros(r.OpenedAt), ContainedAt: micros(r.ContainedAt), Recurrences: int64(r.Recurrences),
			Severity: string(r.Severity), Round: int64(r.Round), RoundAt: micros(r.RoundAt),
		})
		if err != nil {
			return err
		}
		if err := saveLife(ctx, q, r, nonconformity.Nonconformity{}); err != nil {
			return err
		}
		return insertParts(ctx, q, r)
	})
	return r, err
}

// searchText is what a list's query is looked up in.
func searchText(r nonconformity.Nonconformity) string {
	words := []string{r.Number, r.Hostname, r.Person, r.PersonName, r.Area, r.Site}
	for _, p := range r.Programs {
		words = append(words, p.Name)
	}
	return Fold(strings.Join(words, "\n"))
}

func insertParts(ctx context.Context, q *db.Queries, r nonconformity.Nonconformity) error {
	for i, p := range r.Parties {
		if err := insertParty(ctx, q, r.Row, i, p); err != nil {
			return err
		}
	}
	return appendParts(ctx, q, r, nonconformity.Nonconformity{})
}

func insertParty(ctx context.Context, q *db.Queries, row int64, position int, p nonconformity.Party) error {
	return q.InsertParty(ctx, db.InsertPartyParams{NonconformityID: row, Position: int64(position), Part: p.Part, Email: p.Email, Name: p.Name})
}

// appendParts stores the programs, evidence and history that old does not have yet.
func appendParts(ctx context.Context, q *db.Queries, r, old nonconformity.Nonconformity) error {
	for i, p := range r.Programs[len(old.Programs):] {
		err := q.InsertProgram(ctx, db.InsertProgramParams{
			NonconformityID: r.Row, Position: int64(len(old.Programs) + i), Finding: p.Finding, Name: p.Name, Version: p.Version,
			Source: p.Source, State: p.State, GoneAt: micros(p.GoneAt),
		})
		if err != nil {
			return err
		}
	}
	for i, e := range r.Evidence[len(old.Evidence):] {
		err := q.InsertEvidence(ctx, db.InsertEvidenceParams{
			NonconformityID: r.Row, Position: int64(len(old.Evidence) + i), Kind: e.Kind, Finding: e.Finding, Report: e.Report,
			At: micros(e.At), Program: e.Program, Source: e.Source, Path: e.Path, Sha256: e.SHA256,
		})
		if err != nil {
			return err
		}
	}
	for i, e := range r.History[len(old.History):] {
		err := q.InsertNonconformityEvent(ctx, db.InsertNonconformityEventParams{
			NonconformityID: r.Row, Position: int64(len(old.History) + i), At: micros(e.At), Actor: e.Actor, Kind: e.Kind, Detail: e.Detail,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Joinable implements nonconformity.Store. In a transaction it keeps other collectors
// from opening or changing records of this machine until the end.
func (n *Nonconformities) Joinable(ctx context.Context, machine, person string, since time.Time) (r nonconformity.Nonconformity, err error) {
	err = n.store.read(ctx, "looking for an open nonconformity", func(q *db.Queries) error {
		row, err := machineRow(ctx, q, machine)
		if err != nil {
			return err
		}
		if n.store.txFrom(ctx) != nil {
			if err := n.store.lockMachines(ctx, row); err != nil {
				return err
			}
		}
		number, err := q.JoinableNonconformity(ctx, db.JoinableNonconformityParams{MachineID: row, Person: person, OpenedAt: micros(since)})
		if err != nil {
			return unknown(err, "nonconformity.none", apperr.Args{"machine": machine})
		}
		r, err = n.ByNumber(ctx, number)
		return err
	})
	return r, err
}

// Save implements nonconformity.Store. Programs may change in place and be added;
// evidence and history only grow. Conflict "nonconformity.changed" when r knows less
// than is stored: it came from a list, or somebody was faster.
func (n *Nonconformities) Save(ctx context.Context, r nonconformity.Nonconformity) error {
	return n.store.write(ctx, "changing a nonconformity", func(ctx context.Context, q *db.Queries) error {
		row, err := machineRow(ctx, q, r.Machine)
		if err != nil {
			return err
		}
		if err := n.store.lockMachines(ctx, row); err != nil {
			return err
		}
		old, err := n.ByNumber(ctx, r.Number)
		if err != nil {
			return err
		}
		if len(r.Programs) < len(old.Programs) || len(r.Evidence) < len(old.Evidence) || len(r.History) < len(old.History) ||
			len(r.Steps) < len(old.Steps) || len(r.Notices) < len(old.Notices) {
			return apperr.New(apperr.Conflict, "nonconformity.changed", apperr.Args{"number": r.Number})
		}
		r.Row = old.Row
		if err := updateRecord(ctx, q, r, old); err != nil {
			return err
		}
		if err := saveLife(ctx, q, r, old); err != nil {
			return err
		}
		for i, p := range r.Parties[min(len(old.Parties), len(r.Parties)):] {
			if err := insertParty(ctx, q, r.Row, len(old.Parties)+i, p); err != nil {
				return err
			}
		}
		return appendParts(ctx, q, r, old)
	})
}

// updateRecord writes the record's own row and its programs, where they changed.
func updateRecord(ctx context.Context, q *db.Queries, r, old nonconformity.Nonconformity) error {
	known := old
	known.State, known.ContainedAt, known.Recurrences = r.State, r.ContainedAt, r.Recurrences
	known.Programs = append(append([]nonconformity.Program(nil), old.Programs...), r.Programs[len(old.Programs):]...)
	same := old.State == r.State && micros(old.ContainedAt) == micros(r.ContainedAt) && old.Recurrences == r.Recurrences
	if !same || len(r.Programs) > len(old.Programs) {
		err := q.UpdateNonconformity(ctx, db.UpdateNonconformityParams{
			State: string(r.State), ContainedAt: micros(r.ContainedAt), Recurrences: int64(r.Recurrences), Search: searchText(known), ID: old.Row,
		})
		if err != nil {
			return err
		}
	}
	for i, was := range old.Programs {
		is := r.Programs[i]
		if micros(was.GoneAt) == micros(is.GoneAt) {
			was.GoneAt = is.GoneAt
		}
		if was == is {
			continue
		}
		err := q.UpdateProgram(ctx, db.UpdateProgramParams{
			Finding: is.Finding, Name: is.Name, Version: is.Version, Source: is.Source, State: is.State, GoneAt: micros(is.GoneAt),
			NonconformityID: old.Row, Position: int64(i),
		})
		if err != nil {
			return fmt.Errorf("program %d: %w", i, err)
		}
	}
	return nil
}
