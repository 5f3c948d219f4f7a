package rpcapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// How long agents are asked to stay away.
const (
	busyWait       = 10 * time.Second
	quarantineWait = 30 * time.Second
	stoppingWait   = 2 * time.Second
)

// maxSkew is how far an agent's clock may be off before it is noted.
const maxSkew = 5 * time.Minute

// stream is one agent's Connect, from Hello to its end.
type stream struct {
	s       *Server
	ctx     context.Context
	remote  remote
	machine string
	nonce   fleet.Nonce
	version string // of the agent
	out     outbox
	recv    func() (*vigiav1.FromAgent, error)
	session Session // nil before Hello was taken

	parts   *wire.Assembler
	pending int64 // bytes of parts counted into the server's budget

	policy atomic.Pointer[string] // the version that the agent has or was sent

	mu       sync.Mutex
	commands map[string]bool // sent on this stream and not yet answered
}

var _ fleet.Connection = (*stream)(nil)

func (c *stream) Nonce() fleet.Nonce { return c.nonce }
func (c *stream) Heard() time.Time   { return time.Unix(0, c.remote.conn.heard.Load()) }

// Close asks the agent to come back later where the reason is one for it, and closes
// the connection once that had time to leave.
func (c *stream) Close(reason string) {
	wait := time.Duration(0)
	switch reason {
	case fleet.ReasonQuarantined:
		c.out.later(msgLater(reason, quarantineWait, nil))
		wait = 300 * time.Millisecond
	case fleet.ReasonShuttingDown:
		c.out.later(msgLater(reason, stoppingWait, nil))
		wait = 300 * time.Millisecond
	}
	time.AfterFunc(wait, func() { _ = c.remote.conn.Close() })
}

// Connect implements vigiav1.AgentsServer.
func (s *Server) Connect(st grpc.BidiStreamingServer[vigiav1.FromAgent, vigiav1.FromCollector]) error {
	ctx := st.Context()
	r, err := peerOf(ctx)
	if err != nil {
		return status.Error(codes.Unauthenticated, err.Error())
	}
	c := &stream{s: s, ctx: ctx, remote: r, machine: r.identity.MachineID, recv: st.Recv,
		parts: wire.NewAssembler(s.Codec.Limits().Compressed), commands: map[string]bool{}}
	c.out.send = st.Send
	defer c.out.close(func() { _ = r.conn.Close() })
	defer c.release()
	err = c.hello()
	if c.session != nil {
		defer c.session.Close()
	}
	if err != nil || c.session == nil {
		return err
	}
	s.metrics.connected.Inc()
	defer s.metrics.connected.Dec()
	s.Presence.Join(c.machine, c, s.Now())
	defer s.Presence.Leave(c.machine, c)
	if s.stopping.Load() {
		return c.out.now(msgLater(fleet.ReasonShuttingDown, stoppingWait, nil))
	}
	s.announce(c.machine, c.nonce)
	if err := c.welcome(); err != nil {
		return err
	}
	return c.serve()
}

// hello reads the first message. A nil error without a session means that the agent was
// told to come back later.
func (c *stream) hello() error {
	timer := time.AfterFunc(c.s.Limits.FirstHello, func() { _ = c.remote.conn.Close() })
	m, err := c.recv()
	timer.Stop()
	if err != nil {
		return err
	}
	h := m.GetHello()
	if h == nil {
		return status.Errorf(codes.InvalidArgument, "the first message is %T, want Hello", m.GetKind())
	}
	if err := checkProtocol(h.GetProtocol()); err != nil {
		c.s.metrics.refused.WithLabelValues("protocol").Inc()
		return err
	}
	if len(h.GetBootNonce()) != len(c.nonce) || fleet.Nonce(h.GetBootNonce()) == (fleet.Nonce{}) {
		return status.Errorf(codes.InvalidArgument, "boot_nonce: %d bytes, want %d that are not all zero", len(h.GetBootNonce()), len(c.nonce))
	}
	admitted, err := c.admit()
	if err != nil || !admitted {
		return err
	}
	c.noteSkew(h.GetSentAtUnixMs())
	c.nonce = fleet.Nonce(h.GetBootNonce())
	c.version = cleanText(h.GetAgentVersion(), 60)
	have := cleanText(h.GetPolicyVersion(), 128)
	c.policy.Store(&have)
	session, err := c.s.Ingest.Open(c.ctx, c.machine)
	if err != nil {
		return c.away(err, nil)
	}
	c.session = session
	if err := session.Seen(c.ctx, c.version, int(min(h.GetSpooled(), 1<<30))); err != nil {
		return c.away(err, nil)
	}
	return nil
}

// admit lets active machines in.
func (c *stream) admit() (bool, error) {
	m, err := c.s.Fleet.Machines.Machine(c.ctx, c.machine)
	switch {
	case apperr.Is(err, apperr.NotFound):
		return false, status.Error(codes.PermissionDenied, "this collector does not know the machine; enroll it again with a token")
	case apperr.Is(err, apperr.Unavailable):
		return false, c.away(err, nil)
	case err != nil:
		return false, c.s.status(c.ctx, "reading a machine", err)
	}
	switch m.State {
	case fleet.Active:
		if c.s.Revocations.Revoked(c.remote.identity.Serial) {
			return false, status.Error(codes.PermissionDenied, "the machine's certificate was revoked; enroll it again with a token")
		}
		return true, nil
	case fleet.Quarantined:
		c.s.metrics.refused.WithLabelValues("quarantined").Inc()
		return false, c.out.now(msgLater(fleet.ReasonQuarantined, quarantineWait, nil))
	}
	return false, status.Errorf(codes.PermissionDenied, "the machine is %s; enroll it again with a token", m.State)
}

// checkProtocol refuses agents that cannot be understood, naming both numbers.
func checkProtocol(theirs uint32) error {
	switch {
	case theirs > vigiav1.Protocol:
		return status.Errorf(codes.FailedPrecondition, "the agent speaks protocol %d, this collector %d to %d: update the collector first", theirs, vigiav1.OldestProtocol, vigiav1.Protocol)
	case theirs < vigiav1.OldestProtocol:
		return status.Errorf(codes.FailedPrecondition, "the agent speaks protocol %d, this collector %d to %d: update the agent", theirs, vigiav1.OldestProtocol, vigiav1.Protocol)
	}
	return nil
}

func (c *stream) noteSkew(sentAtMS int64) {
	skew := c.s.Now().Sub(time.UnixMilli(sentAtMS))
	if skew.Abs() > maxSkew {
		c.s.metrics.skewed.Inc()
		c.s.Log.WarnContext(c.ctx, "a machine's clock is off", "machine", c.machine, "behind", skew.Round(time.Second))
	}
}

// welcome answers Hello: what is held of the machine, then the policy and the commands
// that wait for it.
func (c *stream) welcome() error {
	digests := c.session.Digests()
	held := make(map[string][]byte, len(digests))
	for section, d := range digests {
		held[string(section)] = d[:]
	}
	err := c.out.now(&vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Welcome{Welcome: &vigiav1.Welcome{
		Protocol: vigiav1.Protocol, CollectorTimeUnixMs: c.s.Now().UnixMilli(), Digests: held,
	}}})
	if err != nil {
		return err
	}
	if err := c.sendTrust(); err != nil {
		return err
	}
	c.s.pushPolicy(c.ctx, c)
	c.s.pushCommands(c.ctx, c)
	return nil
}

// sendTrust tells the CAs while a rotation goes on.
func (c *stream) sendTrust() error {
	ders := c.s.Fleet.Authority.Trust().DER()
	if len(ders) < 2 {
		return nil
	}
	return c.out.now(&vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Trust{Trust: &vigiav1.TrustUpdate{CaDer: ders}}})
}

// serve obeys the agent until the stream ends.
func (c *stream) serve() error {
	for {
		m, err := c.recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch k := m.GetKind().(type) {
		case *vigiav1.FromAgent_Report:
			err = c.part(k.Report)
		case *vigiav1.FromAgent_Unchanged:
			err = c.unchanged(k.Unchanged)
		case *vigiav1.FromAgent_CommandResult:
			err = c.commandResult(k.CommandResult)
		case *vigiav1.FromAgent_Status:
			err = c.status(k.Status)
		case *vigiav1.FromAgent_Hello:
			err = status.Error(codes.InvalidArgument, "Hello came twice")
		default: // a kind of a later protocol that this one may ignore
			c.s.metrics.unknown.Inc()
		}
		if err != nil {
			return err
		}
	}
}

// away answers an Unavailable error by Later and keeps the stream; any other error
// ends the stream. report is the id that Later names, nil for the connection.
func (c *stream) away(err error, report []byte) error {
	if !apperr.Is(err, apperr.Unavailable) && !apperr.Is(err, apperr.TooMany) {
		return c.s.status(c.ctx, "serving a machine", err)
	}
	c.s.metrics.later.Inc()
	if serr := c.out.now(msgLater(laterReason(err), retryAfter(err, busyWait), report)); serr != nil {
		return serr
	}
	if report == nil {
		return status.Error(codes.Unavailable, fmt.Sprintf("come back later: %s", laterReason(err)))
	}
	return nil
}

// remarks are those of an outcome as they travel, at most 20.
func remarks(list []inventory.Remark) []*vigiav1.Remark {
	var out []*vigiav1.Remark
	for _, r := range list[:min(len(list), 20)] {
		out = append(out, &vigiav1.Remark{Section: string(r.Section), Entry: valid(r.Entry), Field: valid(r.Field), Problem: valid(r.Problem), Value: valid(r.Value)})
	}
	return out
}
