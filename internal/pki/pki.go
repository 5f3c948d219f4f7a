// Package pki owns the certificates of Vigía: the collector's CA, the certificates it
// gives to its own listeners and to machines, the keys, the enrollment token with its
// pin, and the TLS settings that both sides use. Identity is the public key: nothing
// else that a peer writes into a request or certificate of its own counts.
//
// It refuses to store anything but key files, to talk to the network, and to decide
// who may have a certificate.
package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"time"
)

// How long certificates live.
const (
	CALife      = 10 * 365 * 24 * time.Hour
	MachineLife = 90 * 24 * time.Hour
	ServerLife  = 90 * 24 * time.Hour

	// backdate makes a new certificate valid for peers whose clock is behind: a machine
	// that is a day off still connects, and is told of it, instead of only failing.
	backdate = 36 * time.Hour
)

// Fingerprint is the SHA-256 of a certificate's DER encoding, what
// `openssl x509 -fingerprint -sha256` prints.
type Fingerprint [32]byte

// String returns lower-case hex.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// FingerprintOf returns the fingerprint of cert.
func FingerprintOf(cert *x509.Certificate) Fingerprint { return sha256.Sum256(cert.Raw) }

// SerialText returns a certificate's serial number in lower-case hex, as it is stored,
// shown and asked for by Revoked.
func SerialText(cert *x509.Certificate) string { return cert.SerialNumber.Text(16) }

// newSerial returns a positive random number of at most 127 bits (RFC 5280 allows 159).
func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}

// sign makes a certificate from template for pub, signed by ca, and parses it.
func (c *CA) sign(template *x509.Certificate, pub *ecdsa.PublicKey) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	if template.NotAfter.After(c.Cert.NotAfter) {
		template.NotAfter = c.Cert.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.Cert, pub, c.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// RenewAt returns when cert should be renewed: at two thirds of its life, moved by up
// to 5 % of its life either way. random is uniform in [0, 1), drawn once per
// certificate so that a fleet enrolled together does not renew together.
func RenewAt(cert *x509.Certificate, random float64) time.Time {
	life := cert.NotAfter.Sub(cert.NotBefore)
	share := 2.0/3 + (random*2-1)*0.05
	return cert.NotBefore.Add(time.Duration(float64(life) * share))
}
