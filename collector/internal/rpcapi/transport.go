package rpcapi

import (
	"context"
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
	root pki.Fingerprint // of the CA that signed leaf
	conn *wireConn
}

// AuthType implements credentials.AuthInfo.
func (authInfo) AuthType() string { return "tls" }

// remote is who is at the other end of a call. The identity is zero where no
// certificate was shown.
type remote struct {
	address  string
	identity pki.Identity
	leaf     *x509.Certificate
	root     pki.Fingerprint
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
	r := remote{address: p.Addr.String(), leaf: info.leaf, root: info.root, conn: info.conn}
	if info.leaf == nil {
		return r, pki.ErrNoCertificate
	}
	var err error
	r.identity, err = pki.IdentityOf(info.leaf)
	return r, err
}
