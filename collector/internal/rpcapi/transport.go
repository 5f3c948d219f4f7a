package rpcapi

import (
	"context"
	"crypto/tls"
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

// authInfo is what a handshake left: the TLS state and the connection itself.
type authInfo struct {
	credentials.TLSInfo
	conn *wireConn
}

var errBusy = errors.New("too many handshakes under way")

// transportCreds is TLS by grpc, with a bound on handshakes under way: in a storm of
// reconnects each one finishes soon, and the others are told to come back by a closed
// connection instead of all timing out together.
type transportCreds struct {
	credentials.TransportCredentials
	slots  chan struct{}
	wait   time.Duration
	failed func(error)
}

func newCreds(config *tls.Config, handshakes int, failed func(error)) *transportCreds {
	return &transportCreds{TransportCredentials: credentials.NewTLS(config), slots: make(chan struct{}, handshakes), wait: 3 * time.Second, failed: failed}
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
	c, info, err := t.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		t.failed(err)
		_ = raw.Close()
		return nil, nil, err
	}
	tlsInfo, ok := info.(credentials.TLSInfo)
	if !ok {
		_ = c.Close()
		return nil, nil, fmt.Errorf("handshake left %T", info)
	}
	return c, authInfo{TLSInfo: tlsInfo, conn: conn}, nil
}

// remote is who is at the other end of a call. The identity is zero where no
// certificate was shown.
type remote struct {
	address  string
	identity pki.Identity
	state    tls.ConnectionState
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
	r := remote{address: p.Addr.String(), state: info.State, conn: info.conn}
	var err error
	r.identity, err = pki.PeerIdentity(info.State)
	return r, err
}
