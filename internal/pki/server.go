package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Use says which listener a server certificate is for.
type Use string

// The listeners of a collector. Agents believe only a certificate for UseAgents, so
// that a web certificate handed to a proxy cannot play the collector.
const (
	UseAgents Use = "agents"
	UseWeb    Use = "web"
)

const collectorHost = "collector"

// ServerCertificate is the certificate of one listener. It renews itself from two
// thirds of its life, and at once when the CA or the names change. It is safe for
// concurrent use.
type ServerCertificate struct {
	use Use
	now func() time.Time

	mu    sync.Mutex
	ca    *CA
	also  []*CA
	names []string
	cert  *tls.Certificate
}

// NewServerCertificate issues a certificate by ca for use, valid for names (DNS names
// and IP addresses) and for localhost, 127.0.0.1 and ::1.
func NewServerCertificate(ca *CA, use Use, names []string, now func() time.Time) (*ServerCertificate, error) {
	s := &ServerCertificate{use: use, now: now, ca: ca, names: slices.Clone(names)}
	_, err := s.Get(nil)
	return s, err
}

// Set changes the CA and the names; the next handshake shows the new certificate. CAs
// in also, of a rotation that goes on, vouch for the same key: who enrolls and pins one
// of them finds in the chain a certificate by it for the key of the handshake.
func (s *ServerCertificate) Set(ca *CA, names []string, also ...*CA) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ca, s.also, s.names, s.cert = ca, slices.Clone(also), slices.Clone(names), nil
}

// Get returns the current certificate with its CA in the chain (enrollment pins it).
// It fits tls.Config.GetCertificate.
func (s *ServerCertificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cert != nil && s.now().Before(RenewAt(s.cert.Leaf, 0.5)) && s.now().After(s.cert.Leaf.NotBefore) {
		return s.cert, nil
	}
	cert, err := s.issue()
	if err != nil {
		return nil, fmt.Errorf("certificate of the listener for %s: %w", s.use, err)
	}
	s.cert = cert
	return cert, nil
}

// issue makes a key and a certificate for it by each CA, the first of which is shown.
func (s *ServerCertificate) issue() (*tls.Certificate, error) {
	key, err := GenerateKey()
	if err != nil {
		return nil, err
	}
	cert := &tls.Certificate{PrivateKey: key}
	for _, ca := range append([]*CA{s.ca}, s.also...) {
		leaf, err := ca.issueServer(s.use, s.names, &key.PublicKey, s.now())
		if err != nil {
			return nil, err
		}
		if cert.Leaf == nil {
			cert.Leaf = leaf
		}
		cert.Certificate = append(cert.Certificate, leaf.Raw, ca.Cert.Raw)
	}
	return cert, nil
}

func (c *CA) issueServer(use Use, names []string, pub *ecdsa.PublicKey, now time.Time) (*x509.Certificate, error) {
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "vigia-collector " + string(use)},
		NotBefore:             now.Add(-backdate).UTC(),
		NotAfter:              now.Add(ServerLife).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		URIs:                  []*url.URL{useURI(use)},
	}
	for _, name := range append([]string{"localhost", "127.0.0.1", "::1"}, names...) {
		if err := addName(t, name); err != nil {
			return nil, err
		}
	}
	return c.sign(t, pub)
}

func addName(t *x509.Certificate, name string) error {
	if ip, err := netip.ParseAddr(name); err == nil {
		if !ip.IsUnspecified() && !slices.ContainsFunc(t.IPAddresses, func(x net.IP) bool { return x.Equal(ip.AsSlice()) }) {
			t.IPAddresses = append(t.IPAddresses, ip.WithZone("").Unmap().AsSlice())
		}
		return nil
	}
	if !isHost(name) {
		return fmt.Errorf("name %q: want a DNS name or an IP address without port", name)
	}
	if !slices.Contains(t.DNSNames, name) {
		t.DNSNames = append(t.DNSNames, name)
	}
	return nil
}

// isHost reports whether name is a DNS name in ASCII form (labels of letters, digits,
// hyphens and underscores).
func isHost(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	label := 0
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			continue
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return label > 0
}

func useURI(u Use) *url.URL {
	return &url.URL{Scheme: uriScheme, Host: collectorHost, Path: "/" + string(u)}
}
