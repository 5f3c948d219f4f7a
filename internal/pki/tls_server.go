package pki

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// ErrRevoked says that a certificate is no longer believed.
var ErrRevoked = errors.New("certificate revoked")

// ServerTLSOptions is what a listener for agents needs. All fields are required.
type ServerTLSOptions struct {
	Certificate *ServerCertificate
	Trust       func() *Trust            // CAs whose machines may connect, asked at every handshake
	Revoked     func(serial string) bool // asked at every handshake, see SerialText
	Now         func() time.Time
}

// ServerTLS returns the settings of the listener for agents: TLS 1.3, HTTP/2, a client
// certificate is verified where one is shown (enrollment has none; PeerIdentity
// tells). Rotation and revocation act at the next handshake: nothing is resumed.
// Connections that are already open are the caller's to close.
func ServerTLS(o ServerTLSOptions) *tls.Config {
	base := &tls.Config{
		MinVersion:             tls.VersionTLS13,
		GetCertificate:         o.Certificate.Get,
		NextProtos:             []string{"h2"},
		ClientAuth:             tls.VerifyClientCertIfGiven,
		SessionTicketsDisabled: true,
		Time:                   o.Now,
		VerifyConnection:       func(s tls.ConnectionState) error { return checkMachine(s, o.Revoked) },
	}
	var last atomic.Pointer[serverConfig] // one tls.Config per Trust, not per connection
	out := base.Clone()
	out.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		trust := o.Trust()
		if trust == nil {
			return nil, errors.New("no CA to verify machines with")
		}
		if c := last.Load(); c != nil && c.trust == trust {
			return c.config, nil
		}
		config := base.Clone()
		config.ClientCAs = trust.Pool()
		last.Store(&serverConfig{trust, config})
		return config, nil
	}
	return out
}

type serverConfig struct {
	trust  *Trust
	config *tls.Config
}

func checkMachine(s tls.ConnectionState, revoked func(string) bool) error {
	id, err := PeerIdentity(s)
	if errors.Is(err, ErrNoCertificate) {
		return nil
	}
	if err != nil {
		return err
	}
	if revoked(id.Serial) {
		return fmt.Errorf("%w: serial %s of machine %s", ErrRevoked, id.Serial, id.MachineID)
	}
	return nil
}

// WebTLS returns the settings of the console's listener.
func WebTLS(cert *ServerCertificate, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: cert.Get,
		NextProtos:     []string{"h2", "http/1.1"},
		Time:           now,
	}
}
