package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

const (
	answerTimeout = 2 * time.Minute // for Welcome and for each acknowledgement
	renewRetry    = 10 * time.Minute
	statusEvery   = time.Minute
	maxCommands   = 4 // at a time
)

// session is one connection. One report or Unchanged is in flight at a time; all
// sending happens in its loop.
type session struct {
	*Client
	id      *Identity
	use     Credential
	address string
	link    *link
	stream  vigiav1.Agents_ConnectClient
	cancel  context.CancelFunc

	inflight    wire.ID // report that waits for its answer, or zero
	inflightSeq uint64  // Unchanged that waits for its answer, or zero
	answer      *time.Timer
	resume      *time.Timer // after a Later
	paused      bool
	renew       *time.Timer
	renewBy     time.Time // by when to follow the CA to the newest one; zero: no need
	welcome     bool      // the collector took this machine
	policy      *wire.Assembler
	results     chan *vigiav1.CommandResult
	commands    int
	told        *vigiav1.AgentStatus // as last sent
	toldAt      time.Time
}

// errRenewed ends a session so that the next one shows the new certificate.
var errRenewed = errors.New("certificate renewed")

// errLater ends a session at the collector's wish.
type errLater struct {
	wait   time.Duration
	reason string
}

func (e *errLater) Error() string { return "the collector asks to come back later: " + e.reason }

// run serves the connection to its end.
func (s *session) run(ctx context.Context) ended {
	started := s.o.Now()
	ctx, s.cancel = context.WithCancel(ctx)
	defer s.cancel()
	var err error
	config := pki.ClientTLS(s.id.Trust, func() (*tls.Certificate, error) { return s.use.tls(), nil }, s.o.Now)
	if s.link, err = dial(s.address, config); err != nil {
		return ended{err: err}
	}
	defer s.link.Close()
	err = s.serve(ctx)
	s.setIdle(false)
	e := ended{worked: s.welcome, stable: s.welcome && s.o.Now().Sub(started) >= stableAfter}
	var wish *errLater
	switch {
	case errors.Is(err, errRenewed):
		e.renewed = true
	case errors.As(err, &wish):
		e.later, e.err = wish.wait, &Problem{ErrBusy, wish.Error(), "", nil}
	case errors.Is(err, io.EOF):
		e.err = &Problem{ErrUnreachable, "the collector at " + s.address + " closed the connection", "", nil}
	default:
		s.refused(err)
		e.err = s.link.explain(err)
	}
	return e
}

func (s *session) serve(ctx context.Context) error {
	var err error
	late := time.AfterFunc(answerTimeout, s.cancel)
	if s.stream, err = vigiav1.NewAgentsClient(s.link).Connect(ctx); err != nil {
		return err
	}
	if err := s.greet(); err != nil {
		return err
	}
	late.Stop()
	s.policy = wire.NewAssembler(s.o.Codec.Limits().Compressed)
	s.results = make(chan *vigiav1.CommandResult, maxCommands)
	s.answer, s.resume = stopped(), stopped()
	s.renew = time.NewTimer(s.untilRenewal())
	defer s.answer.Stop()
	defer s.resume.Stop()
	defer s.renew.Stop()
	if err := s.sendStatus(); err != nil {
		return err
	}
	return s.loop(ctx)
}

// stopped returns a timer that does not run.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// greet exchanges Hello and Welcome and settles what Welcome tells.
func (s *session) greet() error {
	s.mu.Lock()
	version := s.status.PolicyVersion
	s.mu.Unlock()
	if err := s.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Hello{Hello: &vigiav1.Hello{
		Protocol: vigiav1.Protocol, AgentVersion: s.o.Version, SentAtUnixMs: s.o.Now().UnixMilli(),
		PolicyVersion: version, BootNonce: s.nonce, Spooled: uint32(s.o.Spool.Len())}}}); err != nil {
		return err
	}
	m, err := s.stream.Recv()
	if err != nil {
		return err
	}
	if l := m.GetLater(); l != nil {
		return s.comeBack(l)
	}
	w := m.GetWelcome()
	if w == nil {
		return fmt.Errorf("the collector began with %T, want Welcome", m.GetKind())
	}
	if w.Protocol < vigiav1.OldestProtocol {
		return status.Errorf(codes.FailedPrecondition, "collector speaks protocol %d, this agent %d to %d", w.Protocol, vigiav1.OldestProtocol, vigiav1.Protocol)
	}
	s.welcomed(w)
	held, err := wire.DigestsFromProto(w.Digests)
	if err != nil {
		return err
	}
	fits, err := s.o.Tracker.fits(held)
	if err == nil && !fits {
		s.o.Log.Info("the collector holds another state than expected: sending everything")
		_, err = s.o.Tracker.Collapse(wire.CauseNeed)
	}
	return err
}

// welcomed notes a good connection.
func (s *session) welcomed(w *vigiav1.Welcome) {
	s.welcome = true
	now := s.o.Now()
	skew := now.Sub(time.UnixMilli(w.CollectorTimeUnixMs))
	s.change(func(st *Status) {
		st.Connected, st.Since, st.Problem, st.Remedy, st.RetryAt, st.Skew = true, now, "", "", time.Time{}, skew
		s.lost = nil
	})
	if skew.Abs() > MaxSkew {
		s.o.Log.Warn("this clock and the collector's differ", "skew", skew)
	}
	s.o.Log.Info("connected to the collector", "address", s.address)
	if s.id.Previous != nil {
		s.settle()
	}
	if s.o.OnSchedule != nil && w.InventorySeconds > 0 {
		s.o.OnSchedule(time.Duration(w.InventorySeconds) * time.Second)
	}
}

// loop sends and answers until the connection ends.
func (s *session) loop(ctx context.Context) error {
	incoming := make(chan received)
	go receive(ctx, s.stream, incoming)
	for {
		if err := s.sendNext(); err != nil {
			return err
		}
		select {
		case m := <-incoming:
			if m.err != nil {
				return m.err
			}
			if err := s.handle(ctx, m.msg); err != nil {
				return err
			}
		case <-s.o.Tracker.Changed():
		case r := <-s.results:
			s.commands--
			if err := s.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_CommandResult{CommandResult: r}}); err != nil {
				return err
			}
		case <-s.answer.C:
			return status.Errorf(codes.DeadlineExceeded, "no answer in %s", answerTimeout)
		case <-s.resume.C:
			s.paused = false
		case <-s.renew.C:
			if s.renewCertificate(ctx) {
				return errRenewed
			}
			s.renew.Reset(max(renewRetry, s.untilRenewal()))
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.stream.CloseSend())
		}
	}
}

type received struct {
	msg *vigiav1.FromCollector
	err error
}

// receive passes messages on until the stream ends.
func receive(ctx context.Context, stream vigiav1.Agents_ConnectClient, out chan<- received) {
	for {
		m, err := stream.Recv()
		select {
		case out <- received{m, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// send gives up the connection where the other side does not take the message in time.
// A stream that was broken off is no error here: what the collector said last, and why
// it ended, comes from receiving.
func (s *session) send(m *vigiav1.FromAgent) error {
	late := time.AfterFunc(answerTimeout, s.cancel)
	defer late.Stop()
	if err := s.stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
