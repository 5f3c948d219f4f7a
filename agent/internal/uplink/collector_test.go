package uplink

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"vigia/internal/inventory"
	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

const machineID = "0192d3a4-5b6c-7d8e-9f01-23456789abcd"

// verdict is what the collector of the tests does with a report.
type verdict int

const (
	commit     verdict = iota
	commitMute         // commits, then breaks the connection instead of acknowledging
	breakOff           // breaks the connection without committing
	wait               // Later
	crash              // the whole server ends without committing
	unreadable         // refuses the report and breaks the connection
)

// collector plays the other side, over real mutual TLS on loopback.
type collector struct {
	vigiav1.UnimplementedEnrollmentServer
	vigiav1.UnimplementedAgentsServer
	t      *testing.T
	ca     *pki.CA
	trust  atomic.Pointer[pki.Trust]
	cert   *pki.ServerCertificate
	addr   string
	codec  *wire.Codec
	secret []byte
	issued time.Duration // how old certificates are when they are given

	mu        sync.Mutex
	server    *grpc.Server
	revoked   map[string]bool
	revokeNew bool // certificates given by Renew do not work
	judge     func(arrival int, r *wire.Report) verdict
	arrivals  int
	held      *inventory.Snapshot // nil: never told
	effects   map[wire.ID]int
	order     []*wire.Report // as committed
	unchanged int
	needs     int
	hellos    []*vigiav1.Hello
	statuses  []*vigiav1.AgentStatus
	results   []*vigiav1.CommandResult
	serials   []string
	renewals  int
	greeting  []*vigiav1.FromCollector // sent after Welcome
	first     *vigiav1.FromCollector   // sent instead of Welcome
	enrollErr error
}

func newCollector(t *testing.T) *collector {
	c := &collector{t: t, codec: wire.NewCodec(wire.Limits{}), revoked: map[string]bool{}, effects: map[wire.ID]int{}, secret: []byte("0123456789abcdef")}
	c.judge = func(int, *wire.Report) verdict { return commit }
	var err error
	if c.ca, err = pki.NewCA("Example", time.Now().AddDate(-1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	trust, err := pki.NewTrust(c.ca.Cert)
	if err != nil {
		t.Fatal(err)
	}
	c.trust.Store(trust)
	if c.cert, err = pki.NewServerCertificate(c.ca, pki.UseAgents, nil, time.Now); err != nil {
		t.Fatal(err)
	}
	c.addr = "127.0.0.1:0"
	c.start()
	t.Cleanup(c.stop)
	return c
}

// start listens, on the port of the first time.
func (c *collector) start() {
	var l net.Listener
	var err error
	for range 200 {
		if l, err = net.Listen("tcp", c.addr); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		c.t.Error(err)
		return
	}
	c.addr = l.Addr().String()
	config := pki.ServerTLS(pki.ServerTLSOptions{Certificate: c.cert, Trust: c.trust.Load, Now: time.Now, Revoked: func(serial string) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.revoked[serial]
	}})
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(config)))
	vigiav1.RegisterEnrollmentServer(s, c)
	vigiav1.RegisterAgentsServer(s, c)
	c.mu.Lock()
	c.server = s
	c.mu.Unlock()
	go s.Serve(l)
}

func (c *collector) stop() {
	c.mu.Lock()
	s := c.server
	c.mu.Unlock()
	s.Stop()
}

func (c *collector) token(t *testing.T) string {
	line, err := pki.Token{Addresses: []string{c.addr}, CA: c.ca.Fingerprint(), Secret: c.secret}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func (c *collector) Enroll(_ context.Context, r *vigiav1.EnrollRequest) (*vigiav1.EnrollResponse, error) {
	if c.enrollErr != nil {
		return nil, c.enrollErr
	}
	if pki.SecretHash(r.TokenSecret) != pki.SecretHash(c.secret) {
		return nil, status.Error(codes.Unauthenticated, "token not known")
	}
	cert, err := c.ca.IssueMachine(r.CsrDer, machineID, r.Facts.Hostname, time.Now().Add(-c.issued))
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &vigiav1.EnrollResponse{MachineId: machineID, CertificateDer: cert.Raw, CaDer: c.trust.Load().DER(), CollectorTimeUnixMs: time.Now().UnixMilli()}, nil
}

func peerCert(ctx context.Context) (*x509.Certificate, error) {
	p, _ := peer.FromContext(ctx)
	state := p.AuthInfo.(credentials.TLSInfo).State
	if _, err := pki.PeerIdentity(state); err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	return state.VerifiedChains[0][0], nil
}

func (c *collector) Renew(ctx context.Context, r *vigiav1.RenewRequest) (*vigiav1.RenewResponse, error) {
	old, err := peerCert(ctx)
	if err != nil {
		return nil, err
	}
	if err := pki.VerifyRenewal(old, r.CsrDer, r.OldKeySignature); err != nil {
		return nil, status.Error(codes.PermissionDenied, err.Error())
	}
	cert, err := c.ca.IssueMachine(r.CsrDer, machineID, "renewed", time.Now())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.renewals++
	c.revoked[pki.SerialText(cert)] = c.revokeNew
	return &vigiav1.RenewResponse{CertificateDer: cert.Raw, CaDer: c.trust.Load().DER()}, nil
}

func (c *collector) Connect(stream vigiav1.Agents_ConnectServer) error {
	cert, err := peerCert(stream.Context())
	if err != nil {
		return err
	}
	m, err := stream.Recv()
	if err != nil {
		return err
	}
	welcome, more := c.greet(cert, m.GetHello())
	if err := stream.Send(welcome); err != nil {
		return err
	}
	for _, m := range more {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	parts := wire.NewAssembler(1 << 20)
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := c.take(m, parts)
		if err != nil {
			return err
		}
		if answer != nil {
			if err := stream.Send(answer); err != nil {
				return err
			}
		}
	}
}

func (c *collector) greet(cert *x509.Certificate, hello *vigiav1.Hello) (*vigiav1.FromCollector, []*vigiav1.FromCollector) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hellos = append(c.hellos, hello)
	c.serials = append(c.serials, pki.SerialText(cert))
	if c.first != nil {
		return c.first, nil
	}
	w := &vigiav1.Welcome{Protocol: vigiav1.Protocol, CollectorTimeUnixMs: time.Now().UnixMilli(), InventorySeconds: 3600}
	if c.held != nil {
		w.Digests = wire.DigestsToProto(c.held.Digests())
	}
	return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Welcome{Welcome: w}}, c.greeting
}

func (c *collector) take(m *vigiav1.FromAgent, parts *wire.Assembler) (*vigiav1.FromCollector, error) {
	switch k := m.Kind.(type) {
	case *vigiav1.FromAgent_Report:
		body, done, err := parts.Add(k.Report)
		if err != nil || !done {
			return nil, err
		}
		r, err := c.codec.DecodeReport(body)
		if err != nil {
			return nil, err
		}
		return c.report(r)
	case *vigiav1.FromAgent_Unchanged:
		return c.sameAgain(k.Unchanged)
	case *vigiav1.FromAgent_Status:
		c.mu.Lock()
		c.statuses = append(c.statuses, k.Status)
		c.mu.Unlock()
	case *vigiav1.FromAgent_CommandResult:
		c.mu.Lock()
		c.results = append(c.results, k.CommandResult)
		c.mu.Unlock()
	}
	return nil, nil
}

func (c *collector) report(r *wire.Report) (*vigiav1.FromCollector, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrivals++
	v := c.judge(c.arrivals, r)
	switch v {
	case breakOff:
		return nil, status.Error(codes.Unavailable, "broken off")
	case crash:
		go func(s *grpc.Server) { s.Stop(); c.start() }(c.server)
		return nil, status.Error(codes.Unavailable, "crashed")
	case unreadable:
		return nil, status.Error(codes.InvalidArgument, "cannot read this")
	case wait:
		return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Later{Later: &vigiav1.Later{RetryAfterMs: 1, Reason: "busy", ReportId: r.ID[:]}}}, nil
	}
	if c.effects[r.ID] == 0 {
		next := inventory.Snapshot{}
		if c.held != nil {
			next = *c.held
		}
		if !apply(&next, r) {
			c.needs++
			return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Need{Need: &vigiav1.Need{ReportId: r.ID[:], Sections: []string{"software"}}}}, nil
		}
		c.held = &next
		c.effects[r.ID]++
		c.order = append(c.order, r)
	}
	if v == commitMute {
		return nil, status.Error(codes.Unavailable, "broken off after the commit")
	}
	return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Ack{Ack: &vigiav1.Ack{ReportId: r.ID[:]}}}, nil
}

func (c *collector) sameAgain(u *vigiav1.Unchanged) (*vigiav1.FromCollector, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unchanged++
	if c.held == nil || inventory.CombineDigests(c.held.Digests()) != inventory.Digest(u.Digest) {
		c.needs++
		return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Need{Need: &vigiav1.Need{Sequence: u.Sequence}}}, nil
	}
	return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Ack{Ack: &vigiav1.Ack{Sequence: u.Sequence}}}, nil
}

// locked runs f while nothing changes.
func (c *collector) locked(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// holds fails the test where the collector's state is not s.
func (c *collector) holds(t *testing.T, s *inventory.Snapshot) {
	t.Helper()
	c.locked(func() {
		if c.held == nil || inventory.CombineDigests(c.held.Digests()) != inventory.CombineDigests(s.Digests()) {
			t.Fatalf("the collector holds another state")
		}
		for id, n := range c.effects {
			if n != 1 {
				t.Fatalf("report %s had effect %d times", id, n)
			}
		}
	})
}

// eventually waits, generously, until ok under the collector's lock.
func (c *collector) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		done := false
		c.locked(func() { done = ok() })
		if done {
			return
		}
	}
	t.Fatalf("never came: %s", what)
}

func snapshot(n int) *inventory.Snapshot {
	s := &inventory.Snapshot{TakenAt: time.Date(2026, 11, 23, 0, 0, n, 0, time.UTC),
		Machine: inventory.Machine{Hostname: "pc-017", Serial: "SN1"}, System: inventory.System{OS: "linux", Name: "Debian"},
		Sources: []inventory.Source{{Source: "deb", Outcome: inventory.OutcomeOK, DurationMS: int64(n)}}}
	for i := range 60 {
		s.Software = append(s.Software, inventory.Program{Name: fmt.Sprintf("program-%02d", i), Version: "1.0", Source: "deb", Scope: inventory.ScopeMachine})
	}
	s.Software[n%60].Version = fmt.Sprintf("2.%d", n)
	s.Software[(n+1)%60].Version = fmt.Sprintf("3.%d", n)
	s.Normalize()
	return s
}
