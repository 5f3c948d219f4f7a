package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"vigia/internal/fsatomic"
)

// Reasons of Dropped, as they travel.
const (
	reasonSize     = "size"
	reasonAge      = "age"
	reasonDamaged  = "damaged"
	reasonDiskFull = "disk-full"
)

// Dropped tells what was forgotten for one reason: "size", "age", "damaged" or
// "disk-full" (a report that was refused). Oldest and Newest are when the reports were
// taken; for damage, when it was noticed.
type Dropped struct {
	Reports        uint32
	Bytes          uint64
	Reason         string
	Oldest, Newest time.Time
}

// state is what state.json holds. Records with a sequence below Floor were dropped:
// floor and account change in one atomic write, so that a crash counts nothing twice.
type state struct {
	Floor   uint64    `json:"floor"`
	Dropped []Dropped `json:"dropped"`
}

func (s *Spool) statePath() string { return filepath.Join(s.dir, "state.json") }

// loadState reads the state. A damaged file costs the account, not the records.
func loadState(path string) (state, error) {
	var st state
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	if json.Unmarshal(data, &st) != nil {
		return state{}, nil
	}
	return st, nil
}

func (s *Spool) saveState() error {
	data, err := json.Marshal(s.state)
	if err != nil {
		return err
	}
	err = fsatomic.WriteFile(s.statePath(), data, 0o600)
	s.unsaved = err != nil
	if err != nil {
		return fmt.Errorf("saving the account of dropped reports: %w", err)
	}
	return nil
}

// account adds to what was dropped; saving is the caller's.
func (s *Spool) account(reason string, reports uint32, bytes uint64, oldest, newest time.Time) {
	oldest, newest = oldest.UTC().Truncate(time.Millisecond), newest.UTC().Truncate(time.Millisecond)
	s.unsaved = true
	for i := range s.state.Dropped {
		d := &s.state.Dropped[i]
		if d.Reason != reason {
			continue
		}
		d.Reports += reports
		d.Bytes += bytes
		if oldest.Before(d.Oldest) {
			d.Oldest = oldest
		}
		if newest.After(d.Newest) {
			d.Newest = newest
		}
		return
	}
	s.state.Dropped = append(s.state.Dropped, Dropped{reports, bytes, reason, oldest, newest})
}

// dropOldest forgets the first record for a reason. Where the account cannot be saved
// now (a full disk) it is tried again later; after a crash before that the record is
// back, so nothing vanishes unaccounted.
func (s *Spool) dropOldest(reason string) {
	e := s.queue[0]
	at := time.UnixMilli(e.taken)
	s.account(reason, 1, uint64(e.size), at, at)
	s.state.Floor = e.seq + 1
	s.forget(0)
	if s.saveState() != nil {
		return
	}
	s.trim()
}

// expire drops what is older than the bound.
func (s *Spool) expire() {
	limit := s.opts.Now().Add(-s.opts.MaxAge).UnixMilli()
	for len(s.queue) > 0 && s.queue[0].taken < limit {
		s.dropOldest(reasonAge)
	}
}

// TakeDropped returns the account of what was dropped and not yet confirmed. Put it
// into a report, and confirm once that report is safe.
func (s *Spool) TakeDropped() []Dropped {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.Dropped)
}

// ConfirmDropped takes what TakeDropped returned off the account; what was dropped
// since stays on it.
func (s *Spool) ConfirmDropped(told []Dropped) error {
	if len(told) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	for _, t := range told {
		for i := range s.state.Dropped {
			if d := &s.state.Dropped[i]; d.Reason == t.Reason {
				d.Reports -= min(d.Reports, t.Reports)
				d.Bytes -= min(d.Bytes, t.Bytes)
			}
		}
	}
	s.state.Dropped = slices.DeleteFunc(s.state.Dropped, func(d Dropped) bool { return d.Reports == 0 })
	return s.saveState()
}
