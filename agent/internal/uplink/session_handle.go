package uplink

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"vigia/agent/internal/spool"
	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// handle obeys one message. Kinds that this version does not know are passed over.
func (s *session) handle(ctx context.Context, m *vigiav1.FromCollector) error {
	switch k := m.GetKind().(type) {
	case *vigiav1.FromCollector_Ack:
		return s.onAck(k.Ack)
	case *vigiav1.FromCollector_Need:
		return s.onNeed(k.Need)
	case *vigiav1.FromCollector_Later:
		return s.onLater(k.Later)
	case *vigiav1.FromCollector_Policy:
		return s.onPolicy(k.Policy)
	case *vigiav1.FromCollector_Command:
		s.onCommand(ctx, k.Command)
	case *vigiav1.FromCollector_Trust:
		s.onTrust(k.Trust)
		s.follow(time.Duration(k.Trust.RenewWithinMs) * time.Millisecond)
		return s.tellStatus()
	}
	return nil
}

// answers reports whether a message speaks of what is on the way.
func (s *session) answers(reportID []byte, sequence uint64) bool {
	if len(reportID) > 0 {
		return !s.inflight.IsZero() && bytes.Equal(reportID, s.inflight[:])
	}
	return sequence != 0 && sequence == s.inflightSeq
}

func (s *session) onAck(a *vigiav1.Ack) error {
	if !s.answers(a.ReportId, a.Sequence) {
		return nil // of an earlier connection
	}
	for _, r := range wire.RemarksFromProto(a.Remarks) {
		s.o.Log.Warn("the collector remarks on a report", "section", r.Section, "entry", r.Entry, "field", r.Field, "problem", r.Problem)
	}
	if !s.inflight.IsZero() {
		if err := s.o.Spool.Ack(spool.ID(s.inflight)); err != nil {
			s.o.Log.Warn("the report may be sent again after a restart", "err", err)
		}
	} else {
		s.o.Tracker.ackUnchanged(s.inflightSeq)
	}
	s.landed()
	now := s.o.Now()
	s.change(func(st *Status) { st.LastAck = now })
	return nil
}

// onNeed makes one whole report of all, in place of those that cannot be applied. A
// need that answers a report without a delta cannot be met by another: wait.
func (s *session) onNeed(n *vigiav1.Need) error {
	if !s.answers(n.ReportId, n.Sequence) {
		return nil
	}
	met := false
	if rec, err := s.o.Spool.Peek(); err == nil && wire.ID(rec.ID) == s.inflight {
		met = s.isWhole(rec.Payload)
	}
	s.landed()
	if met {
		s.o.Log.Error("the collector asks for sections in full that the report has in full", "sections", n.Sections)
		s.hold(laterCap)
		return nil
	}
	s.o.Log.Info("the collector asks for sections in full", "sections", n.Sections)
	done, err := s.o.Tracker.Collapse(wire.CauseNeed)
	if err != nil {
		s.o.Log.Error("making a whole report", "err", err)
		s.hold(backoffCap)
		return nil
	}
	if !done && s.o.OnNeed != nil {
		s.o.OnNeed()
	}
	return nil
}

// refused looks at how a connection ended: a report that the collector cannot read, and
// ends the connection over, twice, is replaced by a whole one, so that it does not hold
// up those behind it for ever.
func (s *session) refused(err error) {
	if status.Code(err) != codes.InvalidArgument || s.inflight.IsZero() {
		return
	}
	if s.refusedID != s.inflight {
		s.refusedID = s.inflight
		return
	}
	s.o.Log.Error("the collector cannot read a report; sending everything in its place", "report", s.inflight, "err", err)
	if done, err := s.o.Tracker.Collapse(wire.CauseNeed); err != nil {
		s.o.Log.Error("making a whole report", "err", err)
	} else if !done && s.o.OnNeed != nil {
		s.o.OnNeed()
	}
}

// isWhole reports whether a report carries every section in full.
func (s *session) isWhole(payload []byte) bool {
	r, err := s.o.Codec.DecodeReport(payload)
	if err != nil || len(r.Sections) == 0 {
		return false
	}
	for _, u := range r.Sections {
		if u.Body == wire.BodyDelta {
			return false
		}
	}
	return len(r.Sections) >= 6
}

// onLater waits, with this report or with the whole connection.
func (s *session) onLater(l *vigiav1.Later) error {
	if len(l.ReportId) == 0 {
		return s.comeBack(l)
	}
	if s.answers(l.ReportId, 0) {
		wait := later(l.RetryAfterMs, s.o.Random())
		s.o.Log.Info("the collector asks to wait", "reason", l.Reason, "wait", wait)
		s.landed()
		s.hold(wait)
	}
	return nil
}

// comeBack ends the connection and says when to make the next.
func (s *session) comeBack(l *vigiav1.Later) error {
	return &errLater{later(l.RetryAfterMs, s.o.Random()), fmt.Sprintf("%.40q", l.Reason)}
}

// hold sends no report for a while.
func (s *session) hold(d time.Duration) {
	s.paused = true
	s.resume.Reset(d)
}

// onPolicy puts the parts of a policy together, checks, stores and hands it over. A
// policy that cannot be used leaves the old one in force.
func (s *session) onPolicy(p *vigiav1.Part) error {
	body, done, err := s.policy.Add(p)
	if err != nil || !done {
		return err
	}
	version := string(p.Id)
	doc, err := s.o.Codec.Unpack(body)
	if err == nil && !json.Valid(doc) {
		err = fmt.Errorf("not JSON")
	}
	if err == nil {
		err = savePolicy(s.o.StateDir, version, doc)
	}
	if err == nil && s.o.OnPolicy != nil {
		err = s.o.OnPolicy(version, doc)
	}
	if err != nil {
		s.o.Log.Error("the policy cannot be used, the old one stays", "version", version, "err", err)
		return nil
	}
	s.o.Log.Info("policy in use", "version", version)
	s.change(func(st *Status) { st.PolicyVersion = version })
	return s.tellStatus()
}

// onCommand runs a command beside the loop; its result is sent by the loop.
func (s *session) onCommand(ctx context.Context, c *vigiav1.Command) {
	result := &vigiav1.CommandResult{Id: c.Id}
	switch {
	case s.o.OnCommand == nil:
		result.Error = "this agent takes no commands"
	case s.commands >= maxCommands:
		result.Error = "too many commands at a time"
	}
	s.commands++
	results := s.results
	go func() {
		if result.Error == "" {
			if err := s.o.OnCommand(ctx, Command{c.Id, c.Kind, c.Args}); err != nil {
				result.Error = err.Error()
			}
			result.Ok = result.Error == ""
		}
		select {
		case results <- result:
		case <-ctx.Done():
		}
	}()
}

// onTrust stores the CAs to believe from now on, unless that would cut this machine
// off from the collector it is talking to.
func (s *session) onTrust(u *vigiav1.TrustUpdate) {
	trust, err := pki.ParseTrust(u.CaDer)
	if err == nil && slices.Equal(trust.Fingerprints(), s.id.Trust.Fingerprints()) {
		return
	}
	if err == nil {
		err = s.stillTrusts(trust)
	}
	if err == nil {
		id := *s.id
		id.Trust = trust
		if err = SaveIdentity(s.o.StateDir, &id); err == nil {
			s.id = &id
		}
	}
	if err != nil {
		s.o.Log.Error("the CAs to trust stay as they were", "err", err)
		return
	}
	s.o.Log.Info("CAs to trust were changed", "fingerprints", trust.Fingerprints())
}

func (s *session) stillTrusts(trust *pki.Trust) error {
	p, ok := peer.FromContext(s.stream.Context())
	if !ok {
		return fmt.Errorf("no peer")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return fmt.Errorf("no verified peer")
	}
	chain := info.State.VerifiedChains[0]
	root := pki.FingerprintOf(chain[len(chain)-1])
	for _, fp := range trust.Fingerprints() {
		if fp == root {
			return nil
		}
	}
	return fmt.Errorf("the CA of this connection (%s) is not among those to trust", root)
}
