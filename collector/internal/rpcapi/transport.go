package rpcapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"vigia/internal/pki"
)

// wireConn is one TCP connection: it knows when something last came in, and it can be
// closed by who holds the stream on it.
type wireConn struct {
	net.Conn
	heard  atomic.Int64 // Unix nanoseconds of the last byte read
	now    func() time.Time
	closed sync.Once
	onEnd  func()
}

func (c *wireConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(c.now().UnixNano())
	}
	return n, err
}

func (c *wireConn) Close() error {
	c.closed.Do(c.onEnd)
	return c.Conn.Close()
}

// listener counts connections and turns away those above the limit, before a byte of
// TLS is spent on them.
type listener struct {
	net.Listener
	limit   int64
	open    *atomic.Int64
	refused func()
	now     func() time.Time
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) > l.limit {
			l.open.Add(-1)
			l.refused()
			_ = c.Close()
			continue
		}
		w := &wireConn{Conn: c, now: l.now, onEnd: func() { l.open.Add(-1) }}
		w.heard.Store(l.now().UnixNano())
		return w, nil
	}
}

// authInfo is what is kept of a handshake: the connection itself and the certificate
// that was shown and verified, nil where none was. A whole tls.ConnectionState for each
// agent that is only connected would cost more than what is asked of it.
type authInfo struct {
	credentials.CommonAuthInfo
	leaf *x509.Certificate
	conn *wireConn
}

// AuthType implements credentials.AuthInfo.
func (authInfo) AuthType() string { return "tls" }

var errBusy = errors.New("too many handshakes under way")

// transportCreds is TLS by grpc, with a bound on handshakes under way: in a storm of
// reconnects each one finishes soon, and the others are told to come back by a closed
// connection instead of all timing out together.
type transportCreds struct {
	credentials.TransportCredentials
	config *tls.Config // shared by all connections: grpc's own handshake copies it each time
	slots  chan struct{}
	wait   time.Duration
	failed func(error)
}

func newCreds(config *tls.Config, handshakes int, failed func(error)) *transportCreds {
	return &transportCreds{TransportCredentials: credentials.NewTLS(config), config: config, slots: make(chan struct{}, handshakes), wait: 3 * time.Second, failed: failed}
}

func (t *transportCreds) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, ok := raw.(*wireConn)
	if !ok {
		return nil, nil, fmt.Errorf("connection of type %T", raw)
	}
	select {
	case t.slots <- struct{}{}:
	default:
		timer := time.NewTimer(t.wait)
		defer timer.Stop()
		select {
		case t.slots <- struct{}{}:
		case <-timer.C:
			t.failed(errBusy)
			_ = raw.Close()
			return nil, nil, errBusy
		}
	}
	defer func() { <-t.slots }()
	c := tls.Server(raw, t.config)
	info, err := shake(c)
	if err != nil {
		t.failed(err)
		_ = raw.Close()
		return nil, nil, err
	}
	info.conn = conn
	return c, info, nil
}

// shake does the handshake, within the deadline that grpc has set on the connection.
func shake(c *tls.Conn) (authInfo, error) {
	info := authInfo{CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity}}
	if err := c.Handshake(); err != nil {
		return info, err
	}
	state := c.ConnectionState()
	if state.NegotiatedProtocol != "h2" {
		return info, fmt.Errorf("protocol %q, want h2", state.NegotiatedProtocol)
	}
	if len(state.VerifiedChains) > 0 {
		info.leaf = state.VerifiedChains[0][0]
	}
	return info, nil
}

// remote is who is at the other end of a call. The identity is zero where no
// certificate was shown.
type remote struct {
	address  string
	identity pki.Identity
	leaf     *x509.Certificate
	conn     *wireConn
}

func peerOf(ctx context.Context) (remote, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return remote{}, errors.New("no peer")
	}
	info, ok := p.AuthInfo.(authInfo)
	if !ok {
		return remote{}, fmt.Errorf("peer without TLS (%T)", p.AuthInfo)
	}
	r := remote{address: p.Addr.String(), leaf: info.leaf, conn: info.conn}
	if info.leaf == nil {
		return r, pki.ErrNoCertificate
	}
	var err error
	r.identity, err = pki.IdentityOf(info.leaf)
	return r, err
}
