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
	"vigia/internal/pki"
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

// maxNotedSkew bounds what is written down of it.
const maxNotedSkew = 100 * 365 * 24 * time.Hour

// stream is one agent's Connect, from Hello to its end.
type stream struct {
	s       *Server
	ctx     context.Context
	conn    *wireConn
	machine string
	serial  string          // of its certificate
	issuer  pki.Fingerprint // of the CA that signed it
	nonce   fleet.Nonce
	version string // of the agent
	spooled int    // reports waiting there, as it told in Hello
	out     outbox
	recv    func() (*vigiav1.FromAgent, error)
	session Session // nil before Hello was taken

	parts   *wire.Assembler // nil before the first part
	pending int64           // bytes of parts counted into the server's budget

	policy atomic.Pointer[string] // the version that the agent has or was sent
	link   fleet.Agent            // what is told of the connection; its own goroutines alone use it

	mu       sync.Mutex
	commands map[string]bool // sent on this stream and not yet answered
}

var _ fleet.Connection = (*stream)(nil)

func (c *stream) Nonce() fleet.Nonce { return c.nonce }
func (c *stream) Heard() time.Time   { return time.Unix(0, c.conn.heard.Load()) }

// Close asks the agent to come back later where the reason is one for it, and closes
// the connection once that had time to leave.
func (c *stream) Close(reason string) {
	switch reason {
	case fleet.ReasonQuarantined:
		c.sendAway(reason, quarantineWait)
	case fleet.ReasonShuttingDown:
		c.sendAway(reason, stoppingWait)
	default:
		time.AfterFunc(0, func() { _ = c.conn.Close() })
	}
}

// sendAway asks the agent to come back after a while, and closes the connection once
// that had time to leave.
func (c *stream) sendAway(reason string, wait time.Duration) {
	c.out.later(msgLater(reason, wait, nil))
	time.AfterFunc(300*time.Millisecond, func() { _ = c.conn.Close() })
}

// Connect implements vigiav1.AgentsServer.
func (s *Server) Connect(st grpc.BidiStreamingServer[vigiav1.FromAgent, vigiav1.FromCollector]) error {
	ctx := st.Context()
	r, err := peerOf(ctx)
	if err != nil {
		return status.Error(codes.Unauthenticated, err.Error())
	}
	c := &stream{s: s, ctx: ctx, conn: r.conn, machine: r.identity.MachineID, serial: r.identity.Serial, issuer: r.root, recv: st.Recv}
	c.link = fleet.Agent{Machine: c.machine, Certificate: c.serial, Issuer: r.root.String(), EndsAt: r.identity.NotAfter, Collector: s.Name, ConnectedAt: s.Now().UTC()}
	c.out.send = st.Send
	defer c.out.close(func() { _ = r.conn.Close() })
	defer c.release()
	err = c.aside(c.hello)
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
	s.note(c.link)
	defer c.left()
	if s.stopping.Load() {
		return c.out.now(msgLater(fleet.ReasonShuttingDown, stoppingWait, nil))
	}
	s.announce(c.machine, c.nonce)
	if err := c.aside(c.welcome); err != nil {
		return err
	}
	return c.serve()
}

// aside runs the work of one message on a goroutine of its own. Work goes deep, into
// the database and the decoder, and a stack that has grown stays with its goroutine:
// this way the one that waits for the agent keeps a small one, which is what a
// connected agent costs most of the time.
func (c *stream) aside(work func() error) error {
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() {
			c.s.caught("/vigia.v1.Agents/Connect", recover(), &err)
			done <- err
		}()
		err = work()
	}()
	return <-done
}

// hello reads the first message. A nil error without a session means that the agent was
// told to come back later.
func (c *stream) hello() error {
	timer := time.AfterFunc(c.s.Limits.FirstHello, func() { _ = c.conn.Close() })
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
	c.noteSkew(h.GetSentAtUnixMs())
	c.link.Protocol = int(h.GetProtocol())
	c.nonce = fleet.Nonce(h.GetBootNonce())
	c.version, c.spooled = cleanText(h.GetAgentVersion(), 60), spooled(h.GetSpooled())
	have := cleanText(h.GetPolicyVersion(), 128)
	c.policy.Store(&have)
	return c.admit()
}

// admit opens the session of an active machine.
func (c *stream) admit() error {
	if c.s.Revocations.Revoked(c.serial) {
		return status.Error(codes.PermissionDenied, "the machine's certificate was revoked; enroll it again with a token")
	}
	session, err := c.s.Ingest.Open(c.ctx, c.machine)
	if err == nil {
		c.session = session
		return nil
	}
	var e *apperr.Error
	if errors.As(err, &e) && e.Code == apperr.Forbidden {
		if e.Args["reason"] == string(fleet.Quarantined) {
			c.s.metrics.refused.WithLabelValues("quarantined").Inc()
			return c.out.now(msgLater(fleet.ReasonQuarantined, quarantineWait, nil))
		}
		return status.Errorf(codes.PermissionDenied, "the machine is %v; enroll it again with a token", e.Args["reason"])
	}
	if apperr.Is(err, apperr.NotFound) {
		return status.Error(codes.PermissionDenied, "this collector does not know the machine; enroll it again with a token")
	}
	return c.away(err, nil)
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
	c.link.ClockBehind = max(-maxNotedSkew, min(skew, maxNotedSkew))
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
	if m := c.s.trustUpdate(); len(m.GetTrust().GetCaDer()) > 1 { // with one, its status tells whether it knows another
		if err := c.out.now(m); err != nil {
			return err
		}
	}
	c.s.pushPolicy(c.ctx, c)
	c.s.pushCommands(c.ctx, c)
	return c.seen(c.spooled)
}

// seen notes a sign of life. One that cannot be stored now is no reason to part: the
// next one tells again.
func (c *stream) seen(spooled int) error {
	err := c.session.Seen(c.ctx, c.version, spooled)
	if err == nil || apperr.Is(err, apperr.Unavailable) || c.ctx.Err() != nil {
		return nil
	}
	return c.s.status(c.ctx, "noting a sign of life", err)
}

// spooled bounds what an agent tells of its spool.
func spooled(n uint32) int { return int(min(n, 1<<30)) }

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
		if err := c.aside(func() error { return c.obey(m) }); err != nil {
			return err
		}
	}
}

// obey does what one message asks.
func (c *stream) obey(m *vigiav1.FromAgent) error {
	switch k := m.GetKind().(type) {
	case *vigiav1.FromAgent_Report:
		return c.part(k.Report)
	case *vigiav1.FromAgent_Unchanged:
		return c.unchanged(k.Unchanged)
	case *vigiav1.FromAgent_CommandResult:
		return c.commandResult(k.CommandResult)
	case *vigiav1.FromAgent_Status:
		return c.status(k.Status)
	case *vigiav1.FromAgent_Hello:
		return status.Error(codes.InvalidArgument, "Hello came twice")
	}
	c.s.metrics.unknown.Inc() // a kind of a later protocol, which may be ignored
	return nil
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
