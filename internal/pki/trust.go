package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
)

// MaxTrusted is how many CAs may be trusted at once. A rotation needs two; a second
// rotation before the first has ended needs more.
const MaxTrusted = 4

// Trust is the set of CAs that are believed, newest first. It never changes: a
// rotation makes another.
type Trust struct {
	certs []*x509.Certificate
	pool  *x509.CertPool
}

// NewTrust believes certs, newest first: 1 to MaxTrusted CA certificates.
func NewTrust(certs ...*x509.Certificate) (*Trust, error) {
	if len(certs) == 0 || len(certs) > MaxTrusted {
		return nil, fmt.Errorf("trust: %d CAs, want 1 to %d", len(certs), MaxTrusted)
	}
	t := &Trust{certs: certs, pool: x509.NewCertPool()}
	for _, c := range certs {
		if c == nil || !c.IsCA {
			return nil, errors.New("trust: a certificate that is not a CA")
		}
		t.pool.AddCert(c)
	}
	return t, nil
}

// ParseTrust is NewTrust from DER, as it travels in ca_der.
func ParseTrust(ders [][]byte) (*Trust, error) {
	if len(ders) > MaxTrusted {
		return nil, fmt.Errorf("trust: %d CAs, want 1 to %d", len(ders), MaxTrusted)
	}
	certs := make([]*x509.Certificate, 0, len(ders))
	for _, der := range ders {
		cert, err := parseCACert(der)
		if err != nil {
			return nil, fmt.Errorf("trust: %w", err)
		}
		certs = append(certs, cert)
	}
	return NewTrust(certs...)
}

// Pool returns the CAs as crypto/tls wants them. It must not be changed.
func (t *Trust) Pool() *x509.CertPool { return t.pool }

// DER returns the CAs, newest first.
func (t *Trust) DER() [][]byte {
	ders := make([][]byte, len(t.certs))
	for i, c := range t.certs {
		ders[i] = c.Raw
	}
	return ders
}

// Fingerprints returns the fingerprints of the CAs, newest first.
func (t *Trust) Fingerprints() []Fingerprint {
	fps := make([]Fingerprint, len(t.certs))
	for i, c := range t.certs {
		fps[i] = FingerprintOf(c)
	}
	return fps
}
