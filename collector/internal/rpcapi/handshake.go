package rpcapi

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"

	"vigia/internal/pki"
)

var errBusy = errors.New("too many handshakes under way")

const (
	slotWait = 3 * time.Second        // how long a handshake waits for its slot
	slotIdle = 250 * time.Millisecond // how long one may wait for its peer with a slot in hand
)

// transportCreds is TLS by grpc, with a bound on handshakes under way: in a storm of
// reconnects each one finishes soon, and the others are told to come back by a closed
// connection instead of all timing out together.
type transportCreds struct {
	credentials.TransportCredentials
	config  *tls.Config // shared by all connections: grpc's own handshake copies it each time
	slots   chan struct{}
	unknown time.Duration
	failed  func(error)
}

func newCreds(config *tls.Config, limits Limits, failed func(error)) *transportCreds {
	return &transportCreds{TransportCredentials: credentials.NewTLS(config), config: config,
		slots: make(chan struct{}, limits.Handshakes), unknown: limits.Unknown, failed: failed}
}

// ServerHandshake implements credentials.TransportCredentials, within the deadline that
// grpc has set on the connection. A peer that shows no certificate may enroll and ask
// for the health, and is closed after a while: who is not known holds no place for long.
func (t *transportCreds) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, ok := raw.(*wireConn)
	if !ok {
		return nil, nil, fmt.Errorf("connection of type %T", raw)
	}
	turn := &handshakeConn{Conn: raw, slots: t.slots}
	c := tls.Server(turn, t.config)
	info, err := shake(c)
	turn.end()
	if err != nil {
		t.failed(err)
		go partFrom(raw)
		return nil, nil, credentials.ErrConnDispatched // grpc leaves the connection alone
	}
	info.conn = conn
	if info.leaf == nil {
		time.AfterFunc(t.unknown, func() { _ = raw.Close() })
	}
	return c, info, nil
}

// How long, and for how many bytes, a refused peer is listened to.
const (
	partWait  = time.Second
	partBytes = 64 << 10
)

// partFrom closes a connection so that the peer learns why: closing one with unread
// bytes resets it, and a reset overtakes the alert that says what is wrong with the
// peer's certificate.
func partFrom(raw net.Conn) {
	defer raw.Close()
	w, ok := raw.(*wireConn)
	if !ok {
		return
	}
	if half, ok := w.Conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	if raw.SetReadDeadline(time.Now().Add(partWait)) == nil {
		_, _ = io.CopyN(io.Discard, raw, partBytes) // until the peer, too, has done
	}
}

// shake does the handshake.
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
		chain := state.VerifiedChains[0]
		info.leaf, info.root = chain[0], pki.FingerprintOf(chain[len(chain)-1])
	}
	return info, nil
}

// handshakeConn holds a slot while the handshake works, and none while it waits for a
// peer that has nothing to say: slots are for processor time, and silent peers, however
// many, must not keep others out.
type handshakeConn struct {
	net.Conn
	slots chan struct{}
	held  atomic.Bool // of the handshake's slot
	over  bool        // after the handshake reads need none
}

func (h *handshakeConn) Read(b []byte) (int, error) {
	if h.over {
		return h.Conn.Read(b)
	}
	patience := time.AfterFunc(slotIdle, h.release)
	n, err := h.Conn.Read(b)
	patience.Stop()
	if err != nil {
		return n, err
	}
	return n, h.acquire()
}

// acquire takes a slot unless one is held. A release that began before is of the slot
// that was held then.
func (h *handshakeConn) acquire() error {
	if h.held.Load() {
		return nil
	}
	timer := time.NewTimer(slotWait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		h.held.Store(true)
		return nil
	case <-timer.C:
		return errBusy
	}
}

func (h *handshakeConn) release() {
	if h.held.CompareAndSwap(true, false) {
		<-h.slots
	}
}

// end gives the slot back for good.
func (h *handshakeConn) end() {
	h.over = true
	h.release()
}
