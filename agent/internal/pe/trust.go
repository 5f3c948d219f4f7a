package pe

import (
	"crypto/x509"
	"time"
)

// Trust says whether a certificate was good for a use at a moment. others are what the
// signature brought with it.
type Trust func(leaf *x509.Certificate, others []*x509.Certificate, at time.Time, use x509.ExtKeyUsage) error

// TrustPool trusts what ends in one of roots.
func TrustPool(roots *x509.CertPool) Trust {
	return func(leaf *x509.Certificate, others []*x509.Certificate, at time.Time, use x509.ExtKeyUsage) error {
		pool := x509.NewCertPool()
		for _, c := range others {
			pool.AddCert(c)
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: pool, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{use}})
		return err
	}
}
