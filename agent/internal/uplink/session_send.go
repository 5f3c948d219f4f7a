package uplink

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// sendNext puts the oldest report, or else a pending Unchanged, on the way, unless
// something is on the way already or the collector asked to wait.
func (s *session) sendNext() error {
	if !s.inflight.IsZero() || s.inflightSeq != 0 || s.paused {
		return nil
	}
	rec, err := s.o.Spool.Peek()
	switch {
	case err == nil:
		s.setIdle(false)
		return s.sendReport(wire.ID(rec.ID), rec.Payload)
	case !errors.Is(err, io.EOF):
		return err
	}
	u := s.o.Tracker.pendingUnchanged()
	if u == nil {
		s.setIdle(true)
		return s.tellStatus()
	}
	s.setIdle(false)
	s.inflightSeq = u.sequence
	s.answer.Reset(answerTimeout)
	return s.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Unchanged{Unchanged: &vigiav1.Unchanged{
		TakenAtUnixMs: u.takenAt.UnixMilli(), Digest: u.digest[:], Sequence: u.sequence}}})
}

func (s *session) sendReport(id wire.ID, payload []byte) error {
	s.inflight = id
	s.answer.Reset(answerTimeout)
	for _, p := range wire.Split(id[:], payload) {
		if err := s.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Report{Report: p}}); err != nil {
			return err
		}
	}
	return nil
}

// landed says that what was on the way has its answer.
func (s *session) landed() {
	s.inflight, s.inflightSeq = wire.ID{}, 0
	s.answer.Stop()
}

func (s *session) currentStatus() *vigiav1.AgentStatus {
	st := s.Status()
	out := &vigiav1.AgentStatus{Spooled: uint32(st.Spooled), SpoolBytes: uint64(st.SpoolBytes), PolicyVersion: st.PolicyVersion}
	if !st.Oldest.IsZero() {
		out.OldestUnixMs = st.Oldest.UnixMilli()
	}
	for _, fp := range s.id.Trust.Fingerprints() {
		out.CaFingerprints = append(out.CaFingerprints, fp[:])
	}
	return out
}

// sendStatus tells the collector how this agent is.
func (s *session) sendStatus() error {
	now := s.currentStatus()
	s.told, s.toldAt = now, s.o.Now()
	return s.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Status{Status: now}})
}

// tellStatus tells it again where it changed: another policy or other CAs at once, the
// length of the spool at most every minute.
func (s *session) tellStatus() error {
	now := s.currentStatus()
	if now.PolicyVersion == s.told.PolicyVersion && slices.EqualFunc(now.CaFingerprints, s.told.CaFingerprints, bytes.Equal) &&
		(now.Spooled == s.told.Spooled || s.o.Now().Sub(s.toldAt) < statusEvery) {
		return nil
	}
	return s.sendStatus()
}
