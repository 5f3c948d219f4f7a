package uplink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"vigia/internal/pki"
)

const (
	dialTimeout = 20 * time.Second
	maxMessage  = 1 << 20
	ioBuffer    = 8 << 10  // grpc's default of 32 KiB each way is kept per connection
	flowWindow  = 64 << 10 // the smallest that grpc takes
)

// link is a connection that remembers why it failed: grpc gives texts where the cause
// is needed.
type link struct {
	*grpc.ClientConn
	address string
	why     *causes
}

// causes keeps the first error of each stage.
type causes struct {
	mu                    sync.Mutex
	dial, handshake, read error
}

func (c *causes) set(stage *error, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *stage == nil {
		*stage = err
	}
}

// dial prepares a connection to address; it is made with the first call. Proxies of
// the environment are not used.
func dial(address string, config *tls.Config) (*link, error) {
	why := &causes{}
	conn, err := grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(&recorder{credentials.NewTLS(config), why}),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", addr)
			if err != nil {
				why.set(&why.dial, err)
			}
			return c, err
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: KeepaliveTime, Timeout: 20 * time.Second, PermitWithoutStream: false}),
		grpc.WithReadBufferSize(ioBuffer), grpc.WithWriteBufferSize(ioBuffer),
		grpc.WithInitialWindowSize(flowWindow), grpc.WithInitialConnWindowSize(flowWindow),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithDisableServiceConfig(), grpc.WithIdleTimeout(0))
	if err != nil {
		return nil, err
	}
	return &link{conn, address, why}, nil
}

// recorder is TLS that remembers its errors.
type recorder struct {
	credentials.TransportCredentials
	why *causes
}

func (r *recorder) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := r.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		r.why.set(&r.why.handshake, err)
		return nil, nil, err
	}
	return &recordingConn{conn, r.why}, info, nil
}

func (r *recorder) Clone() credentials.TransportCredentials {
	return &recorder{r.TransportCredentials.Clone(), r.why}
}

type recordingConn struct {
	net.Conn
	why *causes
}

func (c *recordingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.why.set(&c.why.read, err)
	}
	return n, err
}

// explain turns the error of a call into a Problem.
func (l *link) explain(err error) error {
	l.why.mu.Lock()
	dialErr, handshake, read := l.why.dial, l.why.handshake, l.why.read
	l.why.mu.Unlock()
	at := "the collector at " + l.address
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.Is(handshake, pki.ErrWrongCA):
		return &Problem{ErrWrongCollector, at + " shows a certificate of another CA than the one that the token names",
			"check the address; if it is right, get a new token from that collector: its CA may have been changed since this one was made; if it was not, somebody is in between", handshake}
	case errors.As(handshake, &authority):
		return &Problem{ErrWrongCollector, at + " shows a certificate of a CA that this machine does not know",
			"check the address; if it is right, the CA was changed while this machine was away: " + againRemedy + "; if it was not changed, somebody is in between", handshake}
	case errors.Is(handshake, pki.ErrNotForAgents):
		return &Problem{ErrWrongCollector, at + " is not a collector's listener for agents", "check the port: agents do not use that of the console", handshake}
	case errors.As(handshake, &name):
		return &Problem{ErrWrongCollector, at + " shows a certificate that is not for this address",
			"use a name that the collector knows itself by, or tell it this one (vigia-collector serve --agents)", handshake}
	case errors.Is(handshake, pki.ErrNotYetOrExpired), errors.As(handshake, &invalid) && invalid.Reason == x509.Expired:
		return &Problem{ErrClock, "the certificate of " + at + " is not valid at this machine's time", "set this machine's clock, and check the collector's", handshake}
	case errors.As(read, &alert) && alert.Op == "remote error":
		return &Problem{ErrRefused, at + " does not accept this machine's certificate (revoked, expired or of a retired CA)", againRemedy, read}
	case handshake != nil:
		return &Problem{ErrUnreachable, at + " broke off the TLS handshake", "if this stays so, check the port: it must be the collector's listener for agents", handshake}
	case dialErr != nil:
		return &Problem{ErrUnreachable, at + " cannot be reached", "check the network, the name, the port and firewalls; is the collector running?", dialErr}
	}
	return explainStatus(at, err)
}

// explainStatus maps what a collector answered.
func explainStatus(at string, err error) error {
	s := status.Convert(err)
	switch s.Code() {
	case codes.Unauthenticated, codes.PermissionDenied:
		return &Problem{ErrRefused, at + " refuses this machine: " + s.Message(), againRemedy, nil}
	case codes.FailedPrecondition, codes.Unimplemented:
		return &Problem{ErrProtocol, at + " does not speak this agent's protocol: " + s.Message(), "update the older of the two", nil}
	case codes.ResourceExhausted:
		return &Problem{ErrBusy, at + " takes no more now: " + s.Message(), "wait some minutes", nil}
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return &Problem{ErrUnreachable, at + " is not available now", "is the collector running?", err}
	}
	return err
}
