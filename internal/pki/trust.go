package pki

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
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

// Newest returns the CA that signs.
func (t *Trust) Newest() *x509.Certificate { return t.certs[0] }

// Issuer returns the fingerprint of the CA in t that signed cert, and whether one did.
func (t *Trust) Issuer(cert *x509.Certificate) (Fingerprint, bool) {
	for _, ca := range t.certs {
		if cert.CheckSignatureFrom(ca) == nil {
			return FingerprintOf(ca), true
		}
	}
	return Fingerprint{}, false
}

// ParseFingerprint reads what Fingerprint.String wrote; colons and capitals, as openssl
// prints them, are allowed.
func ParseFingerprint(s string) (Fingerprint, error) {
	var f Fingerprint
	b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	if err != nil || len(b) != len(f) {
		return f, fmt.Errorf("fingerprint %.80q: want 64 hexadecimal digits", s)
	}
	return Fingerprint(b), nil
}
