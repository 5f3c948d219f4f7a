package notify_test

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"vigia/collector/internal/notify"
)

// mailbox is a real SMTP server that keeps what it takes.
type mailbox struct {
	t      *testing.T
	host   string
	port   int
	roots  *x509.CertPool
	needs  string // password that signing in needs; empty: none
	mu     sync.Mutex
	got    []delivery
	answer func(stage, to string) error // what it says at "mail", "rcpt" and "data"; nil: yes
	after  func(to string)              // called when a message is taken, before its "250"
	dials  int
	stop   func()
}

type delivery struct {
	from, to, user string
	secure         bool
	raw            string
}

func newMailbox(t *testing.T, change func(*smtp.Server, *mailbox)) *mailbox {
	t.Helper()
	cert, roots := selfSigned(t)
	b := &mailbox{t: t, roots: roots}
	srv := smtp.NewServer(b)
	srv.Domain, srv.ReadTimeout, srv.WriteTimeout = "localhost", time.Minute, time.Minute
	srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	first := false
	if change != nil {
		change(srv, b)
		first = srv.Addr == "tls"
	}
	b.listen(srv, cmp.Or(b.host, "127.0.0.1")+":0", first)
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *mailbox) listen(srv *smtp.Server, at string, first bool) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		b.t.Fatal(err)
	}
	b.host, b.port = cmp.Or(b.host, "localhost"), l.Addr().(*net.TCPAddr).Port
	if first {
		l = tls.NewListener(l, srv.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	b.stop = sync.OnceFunc(func() { _ = srv.Close(); _ = l.Close(); <-done })
}

func (b *mailbox) server(mode string) notify.Server {
	return notify.Server{Host: b.host, Port: b.port, TLS: mode, From: "Vigía <vigia@example.com>"}
}

func (b *mailbox) all() []delivery {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]delivery(nil), b.got...)
}

func (b *mailbox) say(stage, to string) error {
	b.mu.Lock()
	answer := b.answer
	b.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer(stage, to)
}

func (b *mailbox) set(answer func(stage, to string) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

// NewSession implements smtp.Backend.
func (b *mailbox) NewSession(c *smtp.Conn) (smtp.Session, error) {
	b.mu.Lock()
	b.dials++
	b.mu.Unlock()
	return &mailSession{b: b, c: c}, nil
}

type mailSession struct {
	b *mailbox
	c *smtp.Conn
	d delivery
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if s.b.needs == "" || password != s.b.needs {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong password"}
		}
		s.d.user = user
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if s.b.needs != "" && s.d.user == "" {
		return &smtp.SMTPError{Code: 530, Message: "sign in first"}
	}
	s.d.from = from
	return s.b.say("mail", from)
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.d.to = to
	return s.b.say("rcpt", to)
}

func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.b.say("data", s.d.to); err != nil {
		return err
	}
	_, s.d.secure = s.c.TLSConnectionState()
	s.d.raw = string(raw)
	s.b.mu.Lock()
	s.b.got = append(s.b.got, s.d)
	after := s.b.after
	s.b.mu.Unlock()
	if after != nil {
		after(s.d.to)
	}
	return nil
}

func (s *mailSession) Reset() { s.d = delivery{user: s.d.user} }

func (s *mailSession) Logout() error { return nil }

func refuse(code int, text string) error { return &smtp.SMTPError{Code: code, Message: text} }

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, x, x, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(errors.Join(err))
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots
}

// count is how many deliveries to hold text.
func count(list []delivery, text string) (n int) {
	for _, d := range list {
		if strings.Contains(d.to+"\n"+d.raw, text) {
			n++
		}
	}
	return n
}
