// Package backup owns the scheduled copies of the database: when one is due, that one
// collector makes it, that it is proven by restoring it, and which are kept. It refuses
// to know how a database is copied or restored: its Maker does.
package backup

import (
	"context"
	"time"
)

// State is what became of a copy.
type State string

// The states.
const (
	Running  State = "running"
	Verified State = "verified" // restored into another place and found whole
	Readable State = "readable" // read to its end, but not restored
	Failed   State = "failed"   // there is no copy
)

// Step is what is being done while Running.
type Step string

// The steps, in order.
const (
	Waits    Step = "waiting"
	Copies   Step = "copying"
	Restores Step = "restoring"
	Compares Step = "checking"
	CleansUp Step = "cleaning"
)

// Steps lists the steps in their order.
func Steps() []Step { return []Step{Waits, Copies, Restores, Compares, CleansUp} }

// Record is one copy.
type Record struct {
	Row       int64
	Slot      string // "daily/2026-11-24" with "/2" for a second try, or "now/<id>"
	State     State
	Step      Step
	StartedAt time.Time
	StartedBy string // actor.Actor.String()
	EndedAt   time.Time
	Host      string // the machine that made it; empty while it waits for one
	File      string // its name in the folder of copies
	Bytes     int64
	SHA256    string // hexadecimal
	Problem   string // why it failed, or why it was not restored
	RemovedAt time.Time
}

// Kept reports whether there is a copy that can be fetched.
func (r Record) Kept() bool {
	return (r.State == Verified || r.State == Readable) && r.RemovedAt.IsZero()
}

// Scheduled reports whether nobody in particular asked for it.
func (r Record) Scheduled() bool { return len(r.Slot) > 6 && r.Slot[:6] == "daily/" }

// Store keeps records. Writes join the transaction in ctx.
type Store interface {
	// QueueBackup writes down that a copy is wanted; queued is false when its slot is
	// taken already.
	QueueBackup(ctx context.Context, slot string, at time.Time, by string) (row int64, queued bool, err error)
	BackupByRow(ctx context.Context, row int64) (Record, error) // NotFound "backup.unknown"
	// Backups lists records before a row (0: all), newest first.
	Backups(ctx context.Context, before int64, limit int) ([]Record, error)
	// ClaimBackup takes one that waits, for holder, until then. NotFound "backup.none".
	ClaimBackup(ctx context.Context, holder string, now, until time.Time) (Record, error)
	// StepBackup tells how far it is and holds on to it; false when holder lost it.
	StepBackup(ctx context.Context, holder string, r Record, until time.Time) (bool, error)
	FinishBackup(ctx context.Context, holder string, r Record) error
	// InterruptBackups fails those whose maker has not been heard of, and returns how
	// many there were.
	InterruptBackups(ctx context.Context, now time.Time) (int, error)
	// RemovedBackup writes down that the file is gone.
	RemovedBackup(ctx context.Context, row int64, at time.Time) error
}

// Maker copies and restores the database. Paths are absolute.
type Maker interface {
	Extension() string // of a copy's file, with the dot
	Copy(ctx context.Context, to string) error
	// Verify restores the copy into another place, looks through all of it and removes
	// that place. restored is false, with the reason in why, when only reading it to its
	// end was possible. An error tells that the copy is of no use.
	Verify(ctx context.Context, file string, step func(Step)) (restored bool, why string, err error)
}

// Schedule is when copies are made and where they go.
type Schedule struct {
	At     time.Duration // after midnight; negative: never
	Zone   *time.Location
	Keep   int
	Folder string    // absolute; empty: nowhere
	Since  time.Time // when the database was made: what was due before is not made up for
}

// slot is the name of the copy that is due at now, "" when none is: the newest time of
// the schedule that has passed, when that was less than a day ago.
func (s Schedule) slot(now time.Time) string {
	if s.At < 0 {
		return ""
	}
	local := now.In(s.Zone)
	h, m := int(s.At/time.Hour), int(s.At%time.Hour/time.Minute)
	// time.Date gives a moment that exists where a clock jumps over this one.
	at := time.Date(local.Year(), local.Month(), local.Day(), h, m, 0, 0, s.Zone)
	if now.Before(at) {
		at = time.Date(local.Year(), local.Month(), local.Day()-1, h, m, 0, 0, s.Zone)
	}
	if at.Before(s.Since) {
		return ""
	}
	return "daily/" + at.Format(time.DateOnly)
}
