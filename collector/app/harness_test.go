package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"vigia/collector/internal/rpcapi"
	"vigia/internal/inventory"
	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// collector is a whole collector on loopback.
type collector struct {
	*App
	t    *testing.T
	data []string // the flags that name its database
	log  *syncBuffer
	stop func() error

	clock atomic.Int64 // how far its clock is ahead, in nanoseconds
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs a collector until the test ends, on a folder or a database URL.
func start(t *testing.T, where string) *collector {
	t.Helper()
	return startWith(t, where, func(*Config) {})
}

// startWith is start with settings of one's own.
func startWith(t *testing.T, where string, set func(*Config)) *collector {
	t.Helper()
	log := &syncBuffer{}
	cfg := Config{Agents: "127.0.0.1:0", Web: "127.0.0.1:0", Metrics: "127.0.0.1:0", Synchronous: "NORMAL",
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), Limits: rpcapi.Limits{Keepalive: time.Second}}
	flags := []string{"--data", where}
	cfg.Data = where
	if strings.HasPrefix(where, "postgres") {
		flags, cfg.Data, cfg.DatabaseURL = []string{"--database-url", where}, "", where
	}
	c := &collector{t: t, log: log}
	cfg.Now = func() time.Time { return time.Now().Add(time.Duration(c.clock.Load())) }
	set(&cfg)
	a, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	c.App, c.data = a, flags
	c.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		if cerr := a.Close(); err == nil {
			err = cerr
		}
		return err
	})
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the collector:\n%s", log)
		}
	})
	return c
}

// cli runs one command on the collector's database and returns what it printed.
func (c *collector) cli(args ...string) string {
	c.t.Helper()
	out, errOut, code := c.try(args...)
	if code != 0 {
		c.t.Fatalf("%v: exit %d: %s", args, code, errOut)
	}
	return out
}

func (c *collector) try(args ...string) (out, errOut string, code int) {
	return command(append(args, c.data...)...)
}

func command(args ...string) (out, errOut string, code int) {
	var o, e bytes.Buffer
	code = Main(Process{Args: args, Stdin: strings.NewReader(""), Stdout: &o, Stderr: &e, Env: func(string) (string, bool) { return "", false }})
	return o.String(), e.String(), code
}

func (c *collector) token(flags ...string) pki.Token {
	c.t.Helper()
	t, err := pki.ParseToken(c.cli(append([]string{"token", "create"}, flags...)...))
	if err != nil {
		c.t.Fatal(err)
	}
	return t
}

// agent is an enrolled machine made from raw gRPC.
type agent struct {
	t     *testing.T
	id    string
	key   *ecdsa.PrivateKey
	cert  *x509.Certificate
	trust *pki.Trust
	nonce []byte
}

func dial(t *testing.T, addr string, config *tls.Config) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// request is a well-formed enrollment with the token.
func request(t *testing.T, tok pki.Token, facts *vigiav1.MachineFacts) (*vigiav1.EnrollRequest, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := pki.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	return &vigiav1.EnrollRequest{Protocol: vigiav1.Protocol, TokenSecret: tok.Secret, CsrDer: csr, Facts: facts, AgentVersion: "test", SentAtUnixMs: time.Now().UnixMilli()}, key
}

func (c *collector) enrollWith(tok pki.Token, req *vigiav1.EnrollRequest) (*vigiav1.EnrollResponse, error) {
	c.t.Helper()
	conn := dial(c.t, c.Addrs().Agents, pki.EnrollTLS(tok.CA, time.Now))
	return vigiav1.NewEnrollmentClient(conn).Enroll(soon(c.t), req)
}

func (c *collector) enroll(tok pki.Token, facts *vigiav1.MachineFacts) *agent {
	c.t.Helper()
	req, key := request(c.t, tok, facts)
	resp, err := c.enrollWith(tok, req)
	if err != nil {
		c.t.Fatalf("enrolling: %v", err)
	}
	return newAgent(c.t, key, resp)
}

func newAgent(t *testing.T, key *ecdsa.PrivateKey, resp *vigiav1.EnrollResponse) *agent {
	t.Helper()
	cert, err := x509.ParseCertificate(resp.GetCertificateDer())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := pki.ParseTrust(resp.GetCaDer())
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	return &agent{t: t, id: resp.GetMachineId(), key: key, cert: cert, trust: trust, nonce: nonce}
}

func (a *agent) dial(c *collector) *grpc.ClientConn {
	a.t.Helper()
	leaf := &tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key, Leaf: a.cert}
	return dial(a.t, c.Addrs().Agents, pki.ClientTLS(a.trust, func() (*tls.Certificate, error) { return leaf, nil }, time.Now))
}

// link is one Connect stream.
type link struct {
	t     *testing.T
	st    grpc.BidiStreamingClient[vigiav1.FromAgent, vigiav1.FromCollector]
	in    chan *vigiav1.FromCollector
	ended chan error
}

// open begins a stream without Hello.
func (a *agent) open(c *collector) *link {
	a.t.Helper()
	return a.openOver(a.dial(c))
}

func (a *agent) openOver(conn *grpc.ClientConn) *link {
	a.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a.t.Cleanup(cancel)
	st, err := vigiav1.NewAgentsClient(conn).Connect(ctx)
	l := &link{t: a.t, st: st, in: make(chan *vigiav1.FromCollector, 1000), ended: make(chan error, 1)}
	if err != nil { // the handshake was refused: as good as a stream that ended
		l.ended <- err
		close(l.in)
		return l
	}
	go func() {
		for {
			m, err := st.Recv()
			if err != nil {
				l.ended <- err
				close(l.in)
				return
			}
			l.in <- m
		}
	}()
	return l
}

func hello(nonce []byte) *vigiav1.FromAgent {
	return &vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Hello{Hello: &vigiav1.Hello{Protocol: vigiav1.Protocol, AgentVersion: "1.2.3", SentAtUnixMs: time.Now().UnixMilli(), BootNonce: nonce}}}
}

// connect opens a stream and waits for its Welcome.
func (a *agent) connect(c *collector) (*link, *vigiav1.Welcome) {
	a.t.Helper()
	l := a.open(c)
	l.send(hello(a.nonce))
	m := l.next(func(m *vigiav1.FromCollector) bool { return true })
	if m.GetWelcome() == nil {
		a.t.Fatalf("first message is %v, want Welcome", m)
	}
	return l, m.GetWelcome()
}

// connectSoon connects like an agent whose certificate has just been allowed again: the
// collector learns of that from the table of changes, so the first attempts may fail.
func (a *agent) connectSoon(c *collector) *link {
	a.t.Helper()
	var l *link
	eventually(a.t, "the collector lets the machine in again", func() bool {
		l = a.open(c)
		l.send(hello(a.nonce))
		select {
		case m, ok := <-l.in:
			return ok && m.GetWelcome() != nil
		case <-time.After(5 * time.Second):
			return false
		}
	})
	return l
}

func (l *link) send(m *vigiav1.FromAgent) {
	l.t.Helper()
	if l.st == nil {
		return
	}
	if err := l.st.Send(m); err != nil && err != io.EOF {
		l.t.Fatal(err)
	}
}

// next returns the next message that is wanted.
func (l *link) next(want func(*vigiav1.FromCollector) bool) *vigiav1.FromCollector {
	l.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case m, ok := <-l.in:
			if !ok {
				err := <-l.ended
				l.ended <- err
				l.t.Fatalf("the stream ended: %v", err)
			}
			if want(m) {
				return m
			}
		case <-deadline:
			l.t.Fatal("nothing came within 20 s")
		}
	}
}

// end waits for the end of the stream and returns its error and how long it took.
func (l *link) end(within time.Duration) (took time.Duration, err error) {
	l.t.Helper()
	began := time.Now()
	select {
	case err := <-l.ended:
		return time.Since(began), err
	case <-time.After(within):
		l.t.Fatalf("the stream is still open after %s", within)
		return 0, nil
	}
}

// snapshot is a machine with some programs.
func snapshot(host string, programs ...inventory.Program) *inventory.Snapshot {
	s := &inventory.Snapshot{TakenAt: time.Now().UTC(), Machine: inventory.Machine{Hostname: host}, Software: programs,
		System:   inventory.System{OS: "linux", Name: "Debian GNU/Linux 12", Distribution: "debian"},
		Hardware: inventory.Hardware{Vendor: "ACME", CPUs: []inventory.CPU{{Model: "Z80", Cores: 1}}},
		Sources:  []inventory.Source{{Source: "deb", Outcome: inventory.OutcomeOK, Entries: len(programs)}}}
	s.Normalize()
	return s
}

// report makes a whole report of s.
func report(t testing.TB, s *inventory.Snapshot) (*wire.Report, []byte) {
	t.Helper()
	id, err := wire.NewID(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &wire.Report{ID: id, TakenAt: s.TakenAt, Protocol: vigiav1.Protocol, AgentVersion: "test", Cause: wire.CauseStart}
	for section, digest := range s.Digests() {
		u := wire.SectionUpdate{Section: section, Result: digest, Body: wire.BodyDocument}
		if section == inventory.SectionSoftware {
			u.Body, u.Software = wire.BodySoftware, s.Software
		} else if u.Document, err = wire.EncodeDocument(s, section); err != nil {
			t.Fatal(err)
		}
		r.Sections = append(r.Sections, u)
	}
	body, err := wire.NewCodec(wire.Limits{}).EncodeReport(r)
	if err != nil {
		t.Fatal(err)
	}
	return r, body
}

// submit sends a whole report and waits for its acknowledgement.
func (l *link) submit(s *inventory.Snapshot) *vigiav1.Ack {
	l.t.Helper()
	r, body := report(l.t, s)
	for _, p := range wire.Split(r.ID[:], body) {
		l.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Report{Report: p}})
	}
	m := l.next(func(m *vigiav1.FromCollector) bool {
		return m.GetAck() != nil || m.GetNeed() != nil || m.GetLater() != nil
	})
	if m.GetAck() == nil || string(m.GetAck().GetReportId()) != string(r.ID[:]) {
		l.t.Fatalf("answer to a report is %v, want its Ack", m)
	}
	return m.GetAck()
}

// eventually waits until ok, at most 20 s.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within 20 s: %s", what)
}
