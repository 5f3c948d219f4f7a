package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"vigia/internal/fsatomic"
)

// CA is a certificate authority that can sign.
type CA struct {
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes a self-signed CA (ECDSA P-256, CALife) that may sign leaves only. The
// name tells people which organisation's collector it is. P-256 because each handshake
// of a fleet that comes back verifies the CA's signature, which costs several times as
// much on P-384; a stored CA on P-384 goes on working.
func NewCA(name string, now time.Time) (*CA, error) { return newCA(name, now, elliptic.P256()) }

func newCA(name string, now time.Time, curve elliptic.Curve) (*CA, error) {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a CA key: %w", err)
	}
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name, Organization: []string{"Vigía"}},
		NotBefore:             now.Add(-backdate).UTC(),
		NotAfter:              now.Add(CALife).UTC(),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	ca := &CA{Cert: t, key: key}
	cert, err := ca.sign(t, &key.PublicKey)
	if err != nil {
		return nil, err
	}
	return &CA{Cert: cert, key: key}, nil
}

// Fingerprint returns what tokens pin.
func (c *CA) Fingerprint() Fingerprint { return FingerprintOf(c.Cert) }

// MarshalPEM returns certificate and private key, for a file or a database.
func (c *CA) MarshalPEM() ([]byte, error) {
	key, err := MarshalKey(c.key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: pemCert, Bytes: c.Cert.Raw}), key...), nil
}

// ParseCA reads what MarshalPEM wrote and checks that the key belongs to the certificate.
func ParseCA(data []byte) (*CA, error) {
	der := firstBlock(data, pemCert)
	if der == nil {
		return nil, errors.New("ca: no CERTIFICATE block in PEM form")
	}
	cert, err := parseCACert(der)
	if err != nil {
		return nil, err
	}
	key, err := ParseKey(data)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, errors.New("ca: the private key belongs to another certificate")
	}
	return &CA{Cert: cert, key: key}, nil
}

// SaveCA writes certificate and key to path, atomically, with mode 0600.
func SaveCA(path string, c *CA) error {
	data, err := c.MarshalPEM()
	if err != nil {
		return err
	}
	return fsatomic.WriteFile(path, data, 0o600)
}

// LoadCA reads what SaveCA wrote. On Unix it refuses a file that others may read.
func LoadCA(path string) (*CA, error) {
	data, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	ca, err := ParseCA(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ca, nil
}

func parseCACert(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("ca: %w", err)
	}
	if !cert.IsCA || !cert.BasicConstraintsValid || cert.KeyUsage&x509.KeyUsageCertSign == 0 {
		return nil, fmt.Errorf("ca: certificate %q may not sign others", cert.Subject.CommonName)
	}
	return cert, nil
}
