package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Errors of a client's handshake.
var (
	ErrWrongCA         = errors.New("the collector's CA is not the one that the token names")
	ErrNotForAgents    = errors.New("the server's certificate is not that of a collector's listener for agents")
	ErrNotYetOrExpired = errors.New("the collector's certificate is not valid at this machine's time")
)

// ClientTLS returns the settings of an enrolled agent: TLS 1.3, the collector must show
// a certificate of a CA in trust, for the name that is dialled and for UseAgents.
// certificate is asked at every handshake.
func ClientTLS(trust *Trust, certificate func() (*tls.Certificate, error), now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		RootCAs:              trust.Pool(),
		Time:                 now,
		NextProtos:           []string{"h2"},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate() },
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.VerifiedChains) == 0 {
				return errors.New("the collector's certificate was not verified")
			}
			return checkUse(s.VerifiedChains[0][0])
		},
	}
}

// EnrollTLS returns the settings of a machine that has only a token: TLS 1.3, no client
// certificate, and the collector must show a chain that ends in the CA with the
// fingerprint pin, for the name that is dialled and for UseAgents. While the CA is
// rotated the chain may hold a second certificate for the same key, by the other CA:
// the handshake proves the key, whichever certificate stands first. Errors: ErrWrongCA, ErrNotYetOrExpired, ErrNotForAgents and those of crypto/x509.
func EnrollTLS(pin Fingerprint, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // verified by VerifyConnection, against the pin instead of the system's CAs
		Time:               now,
		NextProtos:         []string{"h2"},
		VerifyConnection:   func(s tls.ConnectionState) error { return checkPinned(s, pin, now()) },
	}
}

func checkPinned(s tls.ConnectionState, pin Fingerprint, now time.Time) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the collector showed no certificate")
	}
	var root *x509.Certificate
	for _, cert := range s.PeerCertificates[1:] {
		if FingerprintOf(cert) == pin && cert.IsCA {
			root = cert
		}
	}
	if root == nil {
		return ErrWrongCA
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	leaf := vouchedBy(root, s.PeerCertificates)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: s.ServerName, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		return fmt.Errorf("%w (%s; valid %s to %s)", ErrNotYetOrExpired, now.UTC().Format(time.RFC3339),
			leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339))
	}
	if err != nil {
		return err
	}
	return checkUse(leaf)
}

// vouchedBy returns the certificate of the peer's key that root has signed, else the
// one that the peer showed first.
func vouchedBy(root *x509.Certificate, chain []*x509.Certificate) *x509.Certificate {
	for _, cert := range chain {
		if bytes.Equal(cert.RawSubjectPublicKeyInfo, chain[0].RawSubjectPublicKeyInfo) && cert.CheckSignatureFrom(root) == nil {
			return cert
		}
	}
	return chain[0]
}

func checkUse(leaf *x509.Certificate) error {
	want := useURI(UseAgents).String()
	for _, u := range leaf.URIs {
		if u.String() == want {
			return nil
		}
	}
	return ErrNotForAgents
}
