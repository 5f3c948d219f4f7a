// Package signtest owns signing programs and packages of Windows in tests, with real
// osslsigncode and an authority of the test's own.
package signtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Authority is a CA of a test, and what it signs.
type Authority struct {
	Cert *x509.Certificate
	Pool *x509.CertPool // that trusts it alone
	key  *rsa.PrivateKey
}

func New(t testing.TB) *Authority {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Sample CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &Authority{key: key, Pool: x509.NewCertPool()}
	if a.Cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.Pool.AddCert(a.Cert)
	return a
}

// Signer writes a certificate and its key for osslsigncode.
func (a *Authority) Signer(t testing.TB, name string, usage x509.ExtKeyUsage, ec bool) (certs, key string) {
	t.Helper()
	var public, private any
	if ec {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public, private = &k.PublicKey, k
	} else {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		public, private = &k.PublicKey, k
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name, Organization: []string{"Sample"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage}}
	if usage == x509.ExtKeyUsageTimeStamping { // RFC 3161 wants it critical
		value, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
		if err != nil {
			t.Fatal(err)
		}
		tmpl.ExtKeyUsage = nil
		tmpl.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value}}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.Cert, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certs, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certs: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certs, key
}

// Run runs osslsigncode.
func Run(t testing.TB, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("osslsigncode"); err != nil {
		t.Fatalf("osslsigncode is missing (make parts installs it): %v", err)
	}
	if out, err := exec.Command("osslsigncode", args...).CombinedOutput(); err != nil {
		t.Fatalf("osslsigncode %v: %v\n%s", args, err, out)
	}
}

// Sign signs a program or package with a new certificate.
func (a *Authority) Sign(t testing.TB, name string, usage x509.ExtKeyUsage, in, out string, extra ...string) {
	t.Helper()
	certs, key := a.Signer(t, name, usage, false)
	Run(t, append([]string{"sign", "-h", "sha256", "-certs", certs, "-key", key, "-in", in, "-out", out}, extra...)...)
}
