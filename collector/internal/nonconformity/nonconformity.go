// Package nonconformity owns the ISO 9001 record that findings open: who is party to
// it, what proves it, when it was contained. It refuses to decide what is
// unauthorized, and never deletes: a record's history only grows.
package nonconformity

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/access"
)

// State of the record.
type State string

// States reached in this release; the rest of the life of 10.2 builds on them.
const (
	Open      State = "open"
	Withdrawn State = "withdrawn" // opened by hand and by mistake: every program was taken off it again
	Contained State = "contained" // every program of the record is gone, by a later report or with its machine, or authorized
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
	Parties     []Party
	Programs    []Program
	Evidence    []Evidence
	History     []Event
}

// Party is somebody who has a part in the record.
type Party struct {
	Part  string `json:"part"` // "user", "area-manager", "hr", "it"
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
	Number  string // this one only

	Visible *access.Scope // only what is in it; nil: not asked on anybody's behalf
}

// Store keeps records. NotFound where there is none. All but Create change a record
// that exists; nothing removes one.
type Store interface {
	// Create takes the next number of the year of n.OpenedAt and stores n whole.
	Create(ctx context.Context, n Nonconformity) (Nonconformity, error)
	// Joinable returns the newest record of machine and person that is not contained
	// and was opened at or after since; NotFound when there is none.
	Joinable(ctx context.Context, machine, person string, since time.Time) (Nonconformity, error)
	Save(ctx context.Context, n Nonconformity) error // state, times, programs; appends new evidence and history, by length
	ByNumber(ctx context.Context, number string) (Nonconformity, error)
	List(ctx context.Context, f Filter) ([]Nonconformity, error) // with parties, programs and evidence
}
