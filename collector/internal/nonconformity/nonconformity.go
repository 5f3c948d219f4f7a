// Package nonconformity owns the ISO 9001 record that findings open: who is party to
// it, what proves it, its life from opening to closing (life.go), who is awaited until
// when (task.go), what each party wrote and acknowledged (step.go), and the use-cases
// by which they do (service.go). It refuses to decide what is unauthorized, and never
// deletes: a record's history only grows.
package nonconformity

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/access"
)

// JoinWindow is how long new findings of the same machine and person join an open record.
const JoinWindow = 24 * time.Hour

// Nonconformity is one record.
type Nonconformity struct {
	Row         int64
	Number      string // "NC-2026-0001": year, counter of the year; never reused
	State       State
	Machine     string
	Hostname    string
	Person      string // e-mail; empty when nobody is known to be responsible
	PersonName  string
	Area        string
	Site        string
	OpenedAt    time.Time
	ContainedAt time.Time
	Recurrences int
	Severity    Severity
	Round       int       // 1, and one more each time the record is opened again
	RoundAt     time.Time // when this round began

	// Milestones of this round, zero where not reached.
	NotifiedAt, CauseAt, PlannedAt, ImplementedAt, VerifiedAt time.Time
	EndedAt                                                   time.Time // closed, withdrawn or accepted by concession
	PlanBy                                                    time.Time // when the last action of the plan is to be done
	Until                                                     time.Time // end of the concession

	Awaited  string    // part whose task is due first; empty when nobody is awaited
	DueAt    time.Time // of that task
	NextAt   time.Time // when the clock has something to do; zero: at once
	Notices  []Notice  // what the clock told
	Steps    []Step    // what the parties wrote
	Anchored int       // lines of history and evidence that the audit chain vouches for

	Parties  []Party
	Programs []Program
	Evidence []Evidence
	History  []Event
}

// Party is somebody who has a part in the record.
type Party struct {
	Part  string `json:"part"` // PartUser …
	Email string `json:"email"`
	Name  string `json:"name"`
}

// Program is one program of the record.
type Program struct {
	Finding int64     `json:"finding"`
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Source  string    `json:"source"`
	State   string    `json:"state"` // "present", "gone", "authorized", "withdrawn"
	GoneAt  time.Time `json:"gone_at,omitzero"`
}

// Evidence is what a report told.
type Evidence struct {
	Kind    string    `json:"kind"` // "found", "gone", "returned", "archived" (the machine; no report)
	Finding int64     `json:"finding"`
	Report  string    `json:"report"` // UUID text
	At      time.Time `json:"at"`     // when the machine saw it
	Program string    `json:"program"`
	Source  string    `json:"source"`
	Path    string    `json:"path"`
	SHA256  string    `json:"sha256"`
}

// Event is one line of the record's history.
type Event struct {
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Kind   string    `json:"kind"` // "opened", "joined", "contained", "recurred", "authorized", and ingest.History…
	Detail string    `json:"detail"`
}

// FormatNumber returns the number of the n-th record of a year.
func FormatNumber(year, n int) string { return fmt.Sprintf("NC-%04d-%04d", year, n) }

// Filter narrows a list. Zero means "any".
type Filter struct {
	Query   string
	State   State
	Machine string
	Person  string
	Area    string
	Site    string
	After   int64 // Row of the last of the page before; newest first
	Limit   int
	Number  string    // this one only
	Awaited string    // part that is awaited
	Overdue time.Time // due before this moment and not done
	Live    bool      // not ended
	From    time.Time // opened at or after
	To      time.Time // opened before

	Visible *access.Scope // only what is in it; nil: not asked on anybody's behalf
}

// Store keeps records. NotFound where there is none. All but Create change a record
// that exists; nothing removes one.
type Store interface {
	// Create takes the next number of the year of n.OpenedAt and stores n whole.
	Create(ctx context.Context, n Nonconformity) (Nonconformity, error)
	// Joinable returns the newest record of machine and person that is open or notified
	// and was opened at or after since; NotFound when there is none.
	Joinable(ctx context.Context, machine, person string, since time.Time) (Nonconformity, error)
	// Take is ByNumber for who is about to change the record: until the transaction in
	// ctx ends, nobody else changes it.
	Take(ctx context.Context, number string) (Nonconformity, error)
	Save(ctx context.Context, n Nonconformity) error // state, times, programs; appends new evidence, history, steps and notices, by length
	ByNumber(ctx context.Context, number string) (Nonconformity, error)
	List(ctx context.Context, f Filter) ([]Nonconformity, error) // with parties, programs and evidence
}
