// Package spool owns the queue of reports that the collector has not acknowledged: a
// bounded first-in first-out of opaque records in segment files. What Append accepted
// survives kill -9, power loss and torn writes, in order; when bounds force it to
// forget, it forgets the oldest and keeps account of what until that was told.
//
// It refuses to look into records, to send them, and to share its folder with another
// process.
//
// Files of the folder (0700, files 0600): "lock" held by the owner, "state.json" with
// what was dropped, and numbered segments of frames (see segment.go). An
// acknowledgement is a frame too, written without sync: after a crash an acknowledged
// record may come again, an unacknowledged one is never lost. Segments go from the
// oldest on, so that an acknowledgement outlives the record it speaks of.
package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Defaults and bounds.
const (
	DefaultMaxBytes   = 64 << 20
	DefaultMaxAge     = 90 * 24 * time.Hour
	DefaultMaxRecords = 20_000 // each costs some 80 bytes of memory
	MaxPayload        = 16 << 20
)

// Errors of Append and Open.
var (
	ErrTooLarge = errors.New("record too large for the spool")
	ErrDiskFull = errors.New("no space left for the spool")
	ErrClosed   = errors.New("spool is closed")
)

// ID identifies a record; the spool only compares it.
type ID [16]byte

// Record is one element of the queue.
type Record struct {
	ID      ID
	TakenAt time.Time // to the millisecond, UTC
	Payload []byte
}

// Options bounds a spool. Zero values take the defaults; Now is required.
type Options struct {
	MaxBytes   int64         // of waiting records, frames included
	MaxAge     time.Duration // since TakenAt
	MaxRecords int
	Now        func() time.Time
}

// Spool is an open queue. It is safe for concurrent use.
type Spool struct {
	dir  string
	opts Options
	lock *os.File

	syncing sync.Mutex // held while a sync runs; taken before mu

	mu      sync.Mutex
	closed  bool
	segs    []*segment
	tail    *os.File // of the last segment, positioned by offset; nil when there is none
	queue   []entry
	bytes   int64
	nextSeq uint64
	nextNum uint64
	written uint64 // frames of records written
	synced  uint64 // of them, known to be on disk
	state   state
	unsaved bool // state differs from its file
}

// segment is one file. live counts its records that are still in the queue.
type segment struct {
	num  uint64
	path string
	size int64
	live int
}

// entry is where a waiting record lies.
type entry struct {
	seq   uint64
	id    ID
	taken int64 // ms
	seg   *segment
	off   int64
	size  int64 // of the frame
}

// Open opens or makes the spool in dir. It cuts off a torn tail, leaves out damaged
// records with account of them, and fails where another process has the spool open.
func Open(dir string, o Options) (*Spool, error) {
	if o.Now == nil {
		return nil, errors.New("opening the spool: no clock")
	}
	o.MaxBytes, o.MaxAge, o.MaxRecords = orDefault(o.MaxBytes, DefaultMaxBytes), orDefault(o.MaxAge, DefaultMaxAge), orDefault(o.MaxRecords, DefaultMaxRecords)
	s := &Spool{dir: dir, opts: o, nextNum: 1}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("opening the spool in %s: %w", dir, errors.Join(err, s.closeFiles()))
	}
	return s, nil
}

func orDefault[T int | int64 | time.Duration](v, d T) T {
	if v <= 0 {
		return d
	}
	return v
}

func (s *Spool) open() (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(s.dir, 0o700); err != nil {
		return err
	}
	if s.lock, err = takeLock(filepath.Join(s.dir, "lock")); err != nil {
		return err
	}
	if s.state, err = loadState(s.statePath()); err != nil {
		return err
	}
	if err := s.loadSegments(); err != nil {
		return err
	}
	s.nextSeq = max(s.nextSeq, s.state.Floor)
	s.expire()
	s.trim()
	return nil
}

func (s *Spool) loadSegments() error {
	names, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, n := range names { // ReadDir sorts; numbers are padded
		if strings.HasPrefix(n.Name(), ".") && strings.Contains(n.Name(), ".tmp-") { // of a write that a crash cut short
			if err := os.Remove(filepath.Join(s.dir, n.Name())); err != nil {
				return err
			}
			continue
		}
		base, ok := strings.CutSuffix(n.Name(), segmentSuffix)
		num, err := strconv.ParseUint(base, 10, 64)
		if !ok || err != nil || !n.Type().IsRegular() {
			continue
		}
		s.segs = append(s.segs, &segment{num: num, path: filepath.Join(s.dir, n.Name())})
		s.nextNum = num + 1
	}
	slices.SortFunc(s.segs, func(a, b *segment) int { return int(int64(a.num - b.num)) })
	acked := make(map[uint64]bool)
	for i, g := range s.segs {
		if err := s.loadSegment(g, i == len(s.segs)-1, acked); err != nil {
			return fmt.Errorf("segment %s: %w", g.path, err)
		}
	}
	s.queue = slices.DeleteFunc(s.queue, func(e entry) bool { return acked[e.seq] || e.seq < s.state.Floor })
	for _, e := range s.queue {
		e.seg.live++
		s.bytes += e.size
	}
	if len(s.segs) == 0 {
		return nil
	}
	s.tail, err = os.OpenFile(s.segs[len(s.segs)-1].path, os.O_RDWR, 0o600)
	return err
}

// loadSegment reads the frames of g into the queue and mends the file where needed.
func (s *Spool) loadSegment(g *segment, last bool, acked map[uint64]bool) error {
	data, err := os.ReadFile(g.path)
	if err != nil {
		return err
	}
	found := scan(data)
	if found.damaged > 0 {
		s.account(reasonDamaged, uint32(found.damaged), uint64(found.lost), s.opts.Now(), s.opts.Now())
		if err := s.saveState(); err != nil {
			return err
		}
		if data, err = rewrite(g.path, data, found.frames); err != nil {
			return err
		}
		found = scan(data)
	}
	if found.end < len(data) && last {
		if err := os.Truncate(g.path, int64(found.end)); err != nil {
			return err
		}
	}
	g.size = int64(found.end)
	for _, f := range found.frames {
		s.nextSeq = max(s.nextSeq, f.seq+1)
		if f.kind == kindAck {
			acked[f.seq] = true
			continue
		}
		s.queue = append(s.queue, entry{seq: f.seq, id: f.id, taken: f.taken, seg: g, off: int64(f.off), size: int64(f.size)})
	}
	return nil
}

// Close syncs what was written and gives the folder free.
func (s *Spool) Close() error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.tail != nil {
		err = s.tail.Sync()
	}
	if s.unsaved {
		err = errors.Join(err, s.saveState())
	}
	return errors.Join(err, s.closeFiles())
}

func (s *Spool) closeFiles() error {
	var err error
	if s.tail != nil {
		err = s.tail.Close()
		s.tail = nil
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
		s.lock = nil
	}
	return err
}

// Len returns the number of waiting records.
func (s *Spool) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// Bytes returns the size of the waiting records on disk.
func (s *Spool) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Oldest returns when the oldest waiting record was taken; zero when none waits.
func (s *Spool) Oldest() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return time.Time{}
	}
	return time.UnixMilli(s.queue[0].taken).UTC()
}
