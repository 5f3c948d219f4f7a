package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// site is a collector's side for the tests.
type site struct {
	ca      *CA
	trust   atomic.Pointer[Trust]
	revoked atomic.Value // serial
	server  *ServerCertificate
	addr    string
	seen    chan Identity
}

func newSite(t *testing.T, use Use) *site {
	s := &site{ca: must(NewCA("Example", time.Now()))(t), seen: make(chan Identity, 10)}
	s.trust.Store(must(NewTrust(s.ca.Cert))(t))
	s.revoked.Store("")
	s.server = must(NewServerCertificate(s.ca, use, nil, time.Now))(t)
	config := ServerTLS(ServerTLSOptions{Certificate: s.server, Trust: s.trust.Load,
		Revoked: func(serial string) bool { return serial == s.revoked.Load() }, Now: time.Now})
	l := must(tls.Listen("tcp", "127.0.0.1:0", config))(t)
	t.Cleanup(func() { l.Close() })
	s.addr = l.Addr().String()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(c.(*tls.Conn))
		}
	}()
	return s
}

func (s *site) serve(c *tls.Conn) {
	defer c.Close()
	if c.Handshake() != nil {
		return
	}
	id, err := PeerIdentity(c.ConnectionState())
	if err != nil && !errors.Is(err, ErrNoCertificate) {
		return
	}
	s.seen <- id
	io.WriteString(c, "ok")
}

// dial returns nil when the server accepted (TLS 1.3 tells refusal at the first read).
func dial(addr string, config *tls.Config) error {
	config.ServerName, _, _ = net.SplitHostPort(addr)
	c, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = io.ReadFull(c, make([]byte, 2))
	return err
}

func (s *site) client(t *testing.T, ca *CA, trust *Trust) (*tls.Config, *x509.Certificate) {
	cert, key := machineCert(t, ca, time.Now())
	return ClientTLS(trust, func() (*tls.Certificate, error) {
		return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
	}, time.Now), cert
}

func TestMutualTLS(t *testing.T) {
	s := newSite(t, UseAgents)
	config, cert := s.client(t, s.ca, s.trust.Load())
	if err := dial(s.addr, config); err != nil {
		t.Fatal(err)
	}
	if id := <-s.seen; id.MachineID != machineID || id.Serial != SerialText(cert) {
		t.Fatalf("server saw %+v", id)
	}
	s.revoked.Store(SerialText(cert))
	if err := dial(s.addr, config); err == nil {
		t.Fatal("a revoked certificate connected")
	}
}

func TestRotationNeedsNoRestart(t *testing.T) {
	s := newSite(t, UseAgents)
	next := must(NewCA("Next", time.Now()))(t)
	both := must(NewTrust(next.Cert, s.ca.Cert))(t)
	newer, _ := s.client(t, next, both)
	if err := dial(s.addr, newer); err == nil {
		t.Fatal("a machine of an unknown CA connected")
	}
	s.trust.Store(both)
	if err := dial(s.addr, newer); err != nil {
		t.Fatalf("during the overlap, new: %v", err)
	}
	older, _ := s.client(t, s.ca, both)
	if err := dial(s.addr, older); err != nil {
		t.Fatalf("during the overlap, old: %v", err)
	}
	s.server.Set(next, nil)
	if err := dial(s.addr, older); err != nil {
		t.Fatalf("server on the new CA: %v", err)
	}
	s.trust.Store(must(NewTrust(next.Cert))(t))
	if err := dial(s.addr, older); err == nil {
		t.Fatal("a machine of the retired CA connected")
	}
}

// TestTokensOfBothCAsEnrollDuringARotation: the listener shows the old CA's certificate,
// which every agent believes, and the new CA vouches for the same key.
func TestTokensOfBothCAsEnrollDuringARotation(t *testing.T) {
	s := newSite(t, UseAgents)
	next, stranger := must(NewCA("Example", time.Now()))(t), must(NewCA("Example", time.Now()))(t)
	s.server.Set(s.ca, nil, next)
	for name, ca := range map[string]*CA{"old": s.ca, "new": next} {
		if err := dial(s.addr, EnrollTLS(ca.Fingerprint(), time.Now)); err != nil {
			t.Errorf("a token of the %s CA: %v", name, err)
		}
	}
	if err := dial(s.addr, EnrollTLS(stranger.Fingerprint(), time.Now)); !errors.Is(err, ErrWrongCA) {
		t.Errorf("a token of another CA: %v", err)
	}
	older, _ := s.client(t, s.ca, s.trust.Load())
	if err := dial(s.addr, older); err != nil {
		t.Errorf("an agent that knows the old CA only: %v", err)
	}
	// A certificate that the pinned CA gave to another key proves nothing.
	shown := must(s.server.Get(nil))(t)
	other := must(must(NewServerCertificate(next, UseAgents, nil, time.Now))(t).Get(nil))(t)
	state := tls.ConnectionState{ServerName: "127.0.0.1", PeerCertificates: []*x509.Certificate{shown.Leaf, s.ca.Cert, other.Leaf, next.Cert}}
	var unknown x509.UnknownAuthorityError
	if err := checkPinned(state, next.Fingerprint(), time.Now()); !errors.As(err, &unknown) {
		t.Errorf("another key's certificate beside it: %v", err)
	}
	s.server.Set(next, nil)
	if err := dial(s.addr, EnrollTLS(s.ca.Fingerprint(), time.Now)); !errors.Is(err, ErrWrongCA) {
		t.Errorf("a token of the retired CA: %v", err)
	}
}

func TestIssuerAndFingerprints(t *testing.T) {
	a, b := must(NewCA("Example", time.Now()))(t), must(NewCA("Example", time.Now()))(t)
	both := must(NewTrust(b.Cert, a.Cert))(t)
	cert, _ := machineCert(t, a, time.Now())
	if fp, ok := both.Issuer(cert); !ok || fp != a.Fingerprint() || FingerprintOf(both.Newest()) != b.Fingerprint() {
		t.Errorf("issuer %s %v", fp, ok)
	}
	if _, ok := must(NewTrust(b.Cert))(t).Issuer(cert); ok {
		t.Error("a CA of the same name is taken for the issuer")
	}
	text := a.Fingerprint().String()
	for _, s := range []string{text, strings.ToUpper(text), text[:2] + ":" + text[2:]} {
		if fp, err := ParseFingerprint(s); err != nil || fp != a.Fingerprint() {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", text[1:], text + "00", "zz" + text[2:]} {
		if _, err := ParseFingerprint(s); err == nil {
			t.Errorf("%q is a fingerprint", s)
		}
	}
}

func TestEnrollTrustsOnlyThePinnedCA(t *testing.T) {
	s := newSite(t, UseAgents)
	if err := dial(s.addr, EnrollTLS(s.ca.Fingerprint(), time.Now)); err != nil {
		t.Fatal(err)
	}
	if id := <-s.seen; id.MachineID != "" {
		t.Fatalf("server saw %+v", id)
	}
	if err := dial(s.addr, EnrollTLS(Fingerprint{1}, time.Now)); !errors.Is(err, ErrWrongCA) {
		t.Fatalf("wrong CA: %v", err)
	}
	for _, days := range []int{-2, 200} {
		clock := func() time.Time { return time.Now().AddDate(0, 0, days) }
		if err := dial(s.addr, EnrollTLS(s.ca.Fingerprint(), clock)); !errors.Is(err, ErrNotYetOrExpired) {
			t.Fatalf("clock off by %d days: %v", days, err)
		}
	}
	// The leaf's own fingerprint is no pin, and a foreign leaf with our CA beside it is no chain.
	leaf := must(s.server.Get(nil))(t)
	if err := dial(s.addr, EnrollTLS(FingerprintOf(leaf.Leaf), time.Now)); !errors.Is(err, ErrWrongCA) {
		t.Fatalf("leaf as pin: %v", err)
	}
	foreign := must(must(NewServerCertificate(must(NewCA("Foreign", time.Now()))(t), UseAgents, nil, time.Now))(t).Get(nil))(t)
	state := tls.ConnectionState{ServerName: "127.0.0.1", PeerCertificates: []*x509.Certificate{foreign.Leaf, s.ca.Cert}}
	var unknown x509.UnknownAuthorityError
	if err := checkPinned(state, s.ca.Fingerprint(), time.Now()); !errors.As(err, &unknown) {
		t.Fatalf("foreign leaf: %v", err)
	}
	state.PeerCertificates = []*x509.Certificate{leaf.Leaf, s.ca.Cert}
	state.ServerName = "other.example.com"
	var wrongName x509.HostnameError
	if err := checkPinned(state, s.ca.Fingerprint(), time.Now()); !errors.As(err, &wrongName) {
		t.Fatalf("wrong name: %v", err)
	}
}

func TestOtherCertificatesCannotPlayTheCollector(t *testing.T) {
	web := newSite(t, UseWeb)
	config, _ := web.client(t, web.ca, web.trust.Load())
	if err := dial(web.addr, config); !errors.Is(err, ErrNotForAgents) {
		t.Fatalf("web certificate, enrolled: %v", err)
	}
	if err := dial(web.addr, EnrollTLS(web.ca.Fingerprint(), time.Now)); !errors.Is(err, ErrNotForAgents) {
		t.Fatalf("web certificate, enrolling: %v", err)
	}
	s := newSite(t, UseAgents)
	foreign, _ := s.client(t, s.ca, web.trust.Load())
	if err := dial(s.addr, foreign); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Fatalf("foreign collector: %v", err)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := newSite(t, UseAgents)
	config := EnrollTLS(s.ca.Fingerprint(), time.Now)
	config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if err := dial(s.addr, config); err == nil {
		t.Fatal("TLS 1.2 accepted")
	}
}
