package app

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"vigia/collector/internal/rpcapi"
	"vigia/internal/pki"
)

// firstFlight is what a TLS client says first.
func firstFlight(t *testing.T) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		_ = tls.Client(theirs, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}).Handshake() // ends with the pipe
	}()
	buf := make([]byte, 16<<10)
	n, err := ours.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	_ = ours.Close()
	return buf[:n]
}

// ended waits until the other side closes a connection.
func ended(t *testing.T, what string, c net.Conn, within time.Duration) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("%s is not closed within %s: %v", what, within, err)
	}
}

// TestSilentPeersKeepNobodyOut: who connects and says nothing, or begins a handshake and
// stops, holds up neither machines nor its place for long; nor does a peer that is
// content to be connected without a certificate.
func TestSilentPeersKeepNobodyOut(t *testing.T) {
	limits := rpcapi.Limits{Handshakes: 2, Handshake: 4 * time.Second, Unknown: 2 * time.Second, Keepalive: time.Second}
	c := startWith(t, t.TempDir(), func(cfg *Config) { cfg.Limits = limits })
	tok := c.token()
	a := c.enroll(tok, facts)
	hello := firstFlight(t)
	var silent []net.Conn
	for i := range 20 {
		conn, err := net.Dial("tcp", c.Addrs().Agents)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			if _, err := conn.Write(hello); err != nil {
				t.Fatal(err)
			}
		}
		silent = append(silent, conn)
	}
	time.Sleep(100 * time.Millisecond) // until all of them are under way
	began := time.Now()
	a.connect(c)
	if took := time.Since(began); took > limits.Handshake-time.Second {
		t.Errorf("a machine waited %s for silent peers", took)
	}
	for _, conn := range silent {
		ended(t, "a handshake that does not go on", conn, 3*limits.Handshake)
	}

	watch, err := healthv1.NewHealthClient(dial(t, c.Addrs().Agents, pki.EnrollTLS(tok.CA, time.Now))).Watch(soon(t), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for began = time.Now(); err == nil; {
		_, err = watch.Recv()
	}
	if took := time.Since(began); took > 10*limits.Unknown {
		t.Errorf("a peer without certificate stayed %s", took)
	}
}

// gathered sends what is written first at once, and holds what comes after.
type gathered struct {
	net.Conn
	began bool
	held  []byte
}

func (g *gathered) Write(b []byte) (int, error) {
	if !g.began {
		g.began = true
		return g.Conn.Write(b)
	}
	g.held = append(g.held, b...)
	return len(b), nil
}

// TestARefusedCertificateIsToldSo: an agent writes at once after its own half of the
// handshake, and again: it must come to read the alert, not find its connection reset.
func TestARefusedCertificateIsToldSo(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	c.cli("machine", "revoke", "pc-017")
	leaf := &tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key, Leaf: a.cert}
	config := pki.ClientTLS(a.trust, func() (*tls.Certificate, error) { return leaf, nil }, time.Now)
	config.ServerName = "127.0.0.1"
	refused := func() error {
		raw, err := net.Dial("tcp", c.Addrs().Agents)
		if err != nil {
			return err
		}
		defer raw.Close()
		if err := raw.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		all := &gathered{Conn: raw}
		conn := tls.Client(all, config)
		if err := conn.Handshake(); err != nil {
			return err
		}
		for range 3 { // as gRPC does, before it reads
			if _, err := conn.Write(make([]byte, 8<<10)); err != nil {
				return err
			}
			if _, err := raw.Write(all.held); err != nil {
				return err
			}
			all.held = nil
			time.Sleep(20 * time.Millisecond)
		}
		_, err = io.Copy(io.Discard, conn)
		return err
	}
	told := func(err error) bool { return err != nil && strings.Contains(err.Error(), "bad certificate") }
	eventually(t, "the revocation is known", func() bool { return told(refused()) })
	for range 10 {
		if err := refused(); !told(err) {
			t.Errorf("told %v", err)
		}
	}
}
