package spool

import (
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"vigia/internal/fsatomic"
)

const keepTail = 256 << 10 // an emptied segment smaller than this is written on

// Append puts a record at the end and returns when it is on disk. Appends at the same
// time share a sync. To keep the bounds it forgets the oldest records. It fails with
// ErrTooLarge, or ErrDiskFull: then nothing waiting is touched, and the refusal is
// kept account of.
func (s *Spool) Append(id ID, payload []byte, takenAt time.Time) error {
	n, err := s.write(id, payload, takenAt)
	if err == nil {
		err = s.sync(n)
	}
	if err != nil {
		return fmt.Errorf("spooling a report: %w", err)
	}
	return nil
}

// write adds the frame and returns how many records were written by then.
func (s *Spool) write(id ID, payload []byte, takenAt time.Time) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := int64(frameHead + recordBody + len(payload))
	switch {
	case s.closed:
		return 0, ErrClosed
	case len(payload) > MaxPayload || size > s.opts.MaxBytes:
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, min(MaxPayload, s.opts.MaxBytes))
	}
	s.expire()
	for len(s.queue) > 0 && (s.bytes+size > s.opts.MaxBytes || len(s.queue) >= s.opts.MaxRecords) {
		s.dropOldest(reasonSize)
	}
	seq, taken := s.nextSeq, takenAt.UnixMilli()
	g, off, err := s.put(recordFrame(seq, id, taken, payload))
	if err != nil {
		if isDiskFull(err) {
			s.account(reasonDiskFull, 1, uint64(size), takenAt, takenAt)
			err = fmt.Errorf("%w: %v", ErrDiskFull, err)
		}
		return 0, err
	}
	s.nextSeq++
	s.queue = append(s.queue, entry{seq: seq, id: id, taken: taken, seg: g, off: off, size: size})
	g.live++
	s.bytes += size
	s.trim()
	if s.unsaved {
		_ = s.saveState() // tried again with the next record
	}
	s.written++
	return s.written, nil
}

// put writes a frame behind the last one, in another segment where that one is full.
func (s *Spool) put(b []byte) (*segment, int64, error) {
	if n := len(s.segs); s.tail == nil || (s.segs[n-1].size > 0 && s.segs[n-1].size+int64(len(b)) > segmentSize) {
		if err := s.roll(); err != nil {
			return nil, 0, err
		}
	}
	g := s.segs[len(s.segs)-1]
	off := g.size
	if _, err := s.tail.WriteAt(b, off); err != nil {
		if terr := s.tail.Truncate(off); terr != nil {
			return nil, 0, fmt.Errorf("%w (and cutting it off again: %v)", err, terr)
		}
		return nil, 0, err
	}
	g.size += int64(len(b))
	return g, off, nil
}

// roll begins another segment. The one before is synced, so that one sync covers all.
func (s *Spool) roll() error {
	if s.tail != nil {
		if err := s.tail.Sync(); err != nil {
			return err
		}
	}
	path := segmentPath(s.dir, s.nextNum)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	s.nextNum++
	if err := fsatomic.SyncDir(s.dir); err != nil {
		return fmt.Errorf("%w (closing: %v)", err, f.Close())
	}
	if s.tail != nil {
		if err := s.tail.Close(); err != nil {
			return fmt.Errorf("%w (closing: %v)", err, f.Close())
		}
	}
	s.tail = f
	s.segs = append(s.segs, &segment{num: s.nextNum - 1, path: path})
	return nil
}

// sync returns when the first n written records are on disk.
func (s *Spool) sync(n uint64) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	s.mu.Lock()
	done, f, written := s.synced >= n, s.tail, s.written
	s.mu.Unlock()
	if done || f == nil { // without a tail all was acknowledged meanwhile
		return nil
	}
	err := f.Sync()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.tail != f {
		err = nil // roll synced it before it was closed
	}
	if err == nil {
		s.synced = max(s.synced, written)
	}
	return err
}

// Peek returns the oldest waiting record, io.EOF where none waits. A record that can
// no longer be read is dropped with account of it.
func (s *Spool) Peek() (Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Record{}, ErrClosed
	}
	s.expire()
	for len(s.queue) > 0 {
		r, err := s.read(s.queue[0])
		if err == nil {
			return r, nil
		}
		s.dropOldest(reasonDamaged)
	}
	s.trim()
	return Record{}, io.EOF
}

// Each calls f for every waiting record from the oldest on, until f fails. Records
// that can no longer be read are passed over (Peek will drop them). f must not call
// the spool.
func (s *Spool) Each(f func(Record) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.queue {
		r, err := s.read(e)
		if err != nil {
			continue
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spool) read(e entry) (Record, error) {
	f := s.tail
	if e.seg != s.segs[len(s.segs)-1] {
		var err error
		if f, err = os.Open(e.seg.path); err != nil {
			return Record{}, err
		}
		defer f.Close()
	}
	b := make([]byte, e.size)
	if _, err := f.ReadAt(b, e.off); err != nil {
		return Record{}, err
	}
	got, payload, _, ok := parseFrame(b)
	if !ok || got.seq != e.seq {
		return Record{}, fmt.Errorf("record %d is damaged", e.seq)
	}
	return Record{ID: e.id, TakenAt: time.UnixMilli(e.taken).UTC(), Payload: payload}, nil
}

// Ack forgets the oldest record with this id; an unknown id is no error. The record is
// forgotten even where an error tells that this could not be written down: after a
// crash it may then come again.
func (s *Spool) Ack(id ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	i := slices.IndexFunc(s.queue, func(e entry) bool { return e.id == id })
	if i < 0 {
		return nil
	}
	e := s.queue[i]
	s.forget(i)
	_, _, err := s.put(ackFrame(e.seq))
	s.trim()
	if err != nil {
		return fmt.Errorf("noting an acknowledgement: %w", err)
	}
	return nil
}

// forget takes the entry at i out of the queue.
func (s *Spool) forget(i int) {
	e := s.queue[i]
	e.seg.live--
	s.bytes -= e.size
	if i == 0 {
		s.queue = s.queue[1:]
	} else {
		s.queue = slices.Delete(s.queue, i, i+1)
	}
	if len(s.queue) == 0 {
		s.queue = nil
	}
}

// trim removes segments that hold nothing waiting, from the oldest on, and the last
// one only when all is empty and it has grown. What cannot be removed is tried again.
func (s *Spool) trim() {
	for len(s.segs) > 1 && s.segs[0].live == 0 {
		if os.Remove(s.segs[0].path) != nil {
			return
		}
		s.segs = s.segs[1:]
	}
	if len(s.segs) != 1 || len(s.queue) > 0 || s.segs[0].size < keepTail {
		return
	}
	if s.tail != nil {
		s.tail.Close() // holds nothing that is needed
		s.tail = nil
	}
	if os.Remove(s.segs[0].path) == nil {
		s.segs = nil
	}
}
