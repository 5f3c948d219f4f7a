package uplink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"vigia/agent/internal/spool"
	"vigia/internal/fsatomic"
	"vigia/internal/inventory"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// Tracker turns inventories into spooled reports. It knows the state that the spool
// ends in, so that each report builds on the one spooled before it, acknowledged or
// not. It is safe for concurrent use.
//
// Order of writes: the report is spooled first, then the tracker's file is saved. A
// crash in between leaves a spooled report that the file does not know; opening
// applies it to the saved state. What dropped reports the spool tells of is confirmed
// after the report that carries it was spooled: after a crash it may be told twice.
//
// Where the collector holds something else than the chain of reports builds on (a
// restored backup, a report dropped by the spool), Collapse spools one report with
// every section whole and forgets those before it: the history between is lost, the
// state is right.
type Tracker struct {
	o TrackerOptions

	mu        sync.Mutex
	last      *inventory.Snapshot // the state that the spool ends in; nil when unknown
	lastID    wire.ID             // of the last spooled report
	digests   map[inventory.Section]inventory.Digest
	unchanged *unchanged
	sequence  uint64
	collapsed inventory.Digest // the state that was last sent whole because of a mismatch
	changed   chan struct{}
}

// TrackerOptions is what a Tracker needs. All fields are required.
type TrackerOptions struct {
	StateDir string
	Spool    *spool.Spool
	Codec    *wire.Codec
	Version  string // of the agent
	Now      func() time.Time
	Random   io.Reader // for report ids
}

// unchanged is a whole inventory that found nothing new and was not yet told.
type unchanged struct {
	takenAt  time.Time
	digest   inventory.Digest
	sequence uint64
}

// trackerFile is what tracker.zst holds, as compressed JSON.
type trackerFile struct {
	LastID   wire.ID             `json:"last_id"`
	Snapshot *inventory.Snapshot `json:"snapshot"`
}

// OpenTracker loads the tracker's file. A missing or damaged one costs a whole report.
func OpenTracker(o TrackerOptions) (*Tracker, error) {
	t := &Tracker{o: o, changed: make(chan struct{}, 1)}
	data, err := os.ReadFile(t.path())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the last inventory: %w", err)
	}
	if err == nil {
		t.load(data)
	}
	if err := t.recover(); err != nil {
		return nil, fmt.Errorf("reading spooled reports: %w", err)
	}
	return t, nil
}

func (t *Tracker) path() string { return filepath.Join(t.o.StateDir, "tracker.zst") }

func (t *Tracker) load(data []byte) {
	var f trackerFile
	raw, err := t.o.Codec.Unpack(data)
	if err != nil || json.Unmarshal(raw, &f) != nil || f.Snapshot == nil {
		return
	}
	f.Snapshot.Normalize()
	t.set(f.Snapshot, f.LastID)
}

func (t *Tracker) set(s *inventory.Snapshot, id wire.ID) {
	t.last, t.lastID, t.digests = s, id, nil
	if s != nil {
		t.digests = s.Digests()
	}
}

// save writes the file. The caller has spooled the report already.
func (t *Tracker) save() error {
	raw, err := json.Marshal(trackerFile{t.lastID, t.last})
	if err != nil {
		return err
	}
	data, err := t.o.Codec.Pack(raw)
	if err != nil {
		return err
	}
	return fsatomic.WriteFile(t.path(), data, 0o600)
}

// recover applies reports that were spooled after the file was saved.
func (t *Tracker) recover() error {
	var after []*wire.Report
	err := t.o.Spool.Each(func(r spool.Record) error {
		report, err := t.o.Codec.DecodeReport(r.Payload)
		if err != nil {
			return nil // Peek will meet it; the collector would refuse it
		}
		after = append(after, report)
		if report.ID == t.lastID {
			after = nil
		}
		return nil
	})
	if err != nil || len(after) == 0 {
		return err
	}
	next := &inventory.Snapshot{}
	if t.last != nil {
		*next = *t.last
	}
	for _, r := range after {
		if !apply(next, r) {
			t.set(nil, wire.ID{})
			return nil
		}
	}
	if t.last == nil && len(after[0].Sections) < len(inventory.Sections()) {
		return nil // only changes are known: not the state of a machine
	}
	next.Normalize()
	t.set(next, after[len(after)-1].ID)
	return t.save()
}

// apply brings s to the state after r, and reports whether it fits.
func apply(s *inventory.Snapshot, r *wire.Report) bool {
	s.TakenAt = r.TakenAt
	for _, u := range r.Sections {
		switch u.Body {
		case wire.BodyDocument:
			if _, err := wire.DecodeDocument(s, u.Section, u.Document); err != nil {
				return false
			}
		case wire.BodySoftware:
			s.Software = u.Software
		case wire.BodyDelta:
			list, err := inventory.Apply(s.Software, *u.Delta)
			if err != nil {
				return false
			}
			s.Software = list
		}
	}
	return true
}

// Report takes a normalized whole inventory, which the tracker keeps and nobody may
// change any more. What differs from the one before is spooled (spooled is true);
// where nothing does, the collector is told so once the spool is empty.
func (t *Tracker) Report(s *inventory.Snapshot, cause string) (spooled bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	digests := s.Digests()
	r := &wire.Report{TakenAt: s.TakenAt, Cause: cause}
	for _, section := range inventory.Sections() {
		if t.last != nil && t.digests[section] == digests[section] {
			continue
		}
		u, err := t.update(s, section, digests[section], t.last)
		if err != nil {
			return false, err
		}
		r.Sections = append(r.Sections, u)
	}
	dropped := t.o.Spool.TakeDropped()
	if len(r.Sections) == 0 && len(dropped) == 0 {
		t.sequence++
		t.unchanged = &unchanged{s.TakenAt, inventory.CombineDigests(digests), t.sequence}
		t.wake()
		return false, nil
	}
	return true, t.spool(r, s, dropped)
}

// update makes the update of one section: the software as a delta on base where that
// is smaller, all else whole.
func (t *Tracker) update(s *inventory.Snapshot, section inventory.Section, result inventory.Digest, base *inventory.Snapshot) (wire.SectionUpdate, error) {
	u := wire.SectionUpdate{Section: section, Result: result}
	if section != inventory.SectionSoftware {
		doc, err := wire.EncodeDocument(s, section)
		u.Body, u.Document = wire.BodyDocument, doc
		return u, err
	}
	if base != nil {
		d := inventory.Diff(base.Software, s.Software)
		if len(d.Set)+len(d.Removed)/4 < len(s.Software) {
			u.Body, u.Base, u.Delta = wire.BodyDelta, d.Base, &d
			return u, nil
		}
	}
	u.Body, u.Software = wire.BodySoftware, s.Software
	return u, nil
}

// spool gives r an id, puts it into the spool and moves the tracker to s.
func (t *Tracker) spool(r *wire.Report, s *inventory.Snapshot, dropped []spool.Dropped) error {
	id, err := wire.NewID(t.o.Now(), t.o.Random)
	if err != nil {
		return err
	}
	r.ID, r.Protocol, r.AgentVersion = id, vigiav1.Protocol, t.o.Version
	for _, d := range dropped {
		r.Dropped = append(r.Dropped, wire.Dropped(d))
	}
	payload, err := t.o.Codec.EncodeReport(r)
	if err != nil {
		return err
	}
	if err := t.o.Spool.Append(spool.ID(id), payload, r.TakenAt); err != nil {
		return err
	}
	t.set(s, id)
	t.unchanged = nil
	t.wake()
	if err := t.save(); err != nil {
		return fmt.Errorf("saving the last inventory (the report is spooled): %w", err)
	}
	if err := t.o.Spool.ConfirmDropped(dropped); err != nil {
		return err
	}
	return nil
}

// Last returns the last inventory that was spooled or found unchanged, nil when none
// is known. It must not be changed.
func (t *Tracker) Last() *inventory.Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// Changed receives when there is something new to send.
func (t *Tracker) Changed() <-chan struct{} { return t.changed }

func (t *Tracker) wake() {
	select {
	case t.changed <- struct{}{}:
	default:
	}
}

// pendingUnchanged returns what is to be told once the spool is empty, or nil.
func (t *Tracker) pendingUnchanged() *unchanged {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.unchanged
}

// ackUnchanged forgets the Unchanged with this sequence.
func (t *Tracker) ackUnchanged(sequence uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unchanged != nil && t.unchanged.sequence == sequence {
		t.unchanged = nil
	}
}
