package pki

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const machineID = "0192d3a4-5b6c-7d8e-9f01-23456789abcd"

var testTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func machineCert(t testing.TB, ca *CA, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey) {
	key := must(GenerateKey())(t)
	csr := must(NewCSR(key))(t)
	return must(ca.IssueMachine(csr, machineID, "pc-017", now))(t), key
}

func TestCAStoredAndLoaded(t *testing.T) {
	ca := must(NewCA("Example", testTime))(t)
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := SaveCA(path, ca); err != nil {
		t.Fatal(err)
	}
	back := must(LoadCA(path))(t)
	if back.Fingerprint() != ca.Fingerprint() || !back.key.Equal(ca.key) {
		t.Fatal("another CA came back")
	}
	if life := ca.Cert.NotAfter.Sub(testTime); life != CALife {
		t.Errorf("lives %s", life)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadCA(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a CA that others may read: %v", err)
	}
	other := must(NewCA("Other", testTime))(t)
	mixed := append(must(ca.MarshalPEM())(t)[:0:0], must(ca.MarshalPEM())(t)...)
	otherPEM := string(must(other.MarshalPEM())(t))
	key := otherPEM[strings.Index(otherPEM, "-----BEGIN PRIVATE"):]
	mixed = []byte(string(mixed[:strings.Index(string(mixed), "-----BEGIN PRIVATE")]) + key)
	if _, err := ParseCA(mixed); err == nil || !strings.Contains(err.Error(), "another certificate") {
		t.Errorf("foreign key: %v", err)
	}
}

func TestCAOnEitherCurve(t *testing.T) {
	if ca := must(NewCA("Example", testTime))(t); ca.key.Curve != elliptic.P256() {
		t.Errorf("a new CA is on %s", ca.key.Curve.Params().Name)
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384()} { // P-384: made before
		made := must(newCA("Example", testTime, curve))(t)
		ca := must(ParseCA(must(made.MarshalPEM())(t)))(t)
		trust := must(ParseTrust([][]byte{ca.Cert.Raw}))(t)
		cert, _ := machineCert(t, ca, testTime)
		chains, err := cert.Verify(x509.VerifyOptions{Roots: trust.Pool(), CurrentTime: testTime, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		if err != nil || len(chains) != 1 {
			t.Errorf("%s: %v", curve.Params().Name, err)
		}
	}
}

func TestOnlyThePublicKeyIsTakenFromTheRequest(t *testing.T) {
	ca := must(NewCA("Example", testTime))(t)
	key := must(GenerateKey())(t)
	evil := &x509.CertificateRequest{
		Subject:         pkix.Name{CommonName: "admin"},
		DNSNames:        []string{"collector.example.com"},
		IPAddresses:     []net.IP{net.IPv4(127, 0, 0, 1)},
		URIs:            []*url.URL{{Scheme: "vigia", Host: "machine", Path: "/ffffffff-ffff-ffff-ffff-ffffffffffff"}},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 0x03, 0x01, 0x01, 0xff}}},
	}
	csr := must(x509.CreateCertificateRequest(rand.Reader, evil, key))(t)
	cert := must(ca.IssueMachine(csr, machineID, "pc-017", testTime))(t)
	id := must(IdentityOf(cert))(t)
	if id.MachineID != machineID || cert.IsCA || len(cert.DNSNames)+len(cert.IPAddresses) != 0 || cert.Subject.CommonName != "pc-017" {
		t.Fatalf("taken from the request: %+v %v %v %v", id, cert.DNSNames, cert.IPAddresses, cert.Subject)
	}
	if !key.PublicKey.Equal(cert.PublicKey) || cert.NotAfter.Sub(testTime) != MachineLife {
		t.Fatalf("key or life wrong: %s", cert.NotAfter)
	}
	if _, err := cert.Verify(x509.VerifyOptions{Roots: must(NewTrust(ca.Cert))(t).Pool(), CurrentTime: testTime,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}); err == nil {
		t.Fatal("a machine's certificate can play a server")
	}
}

func TestRequestsRefused(t *testing.T) {
	ca := must(NewCA("Example", testTime))(t)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))(t)
	good := must(NewCSR(must(GenerateKey())(t)))(t)
	broken := append([]byte(nil), good...)
	broken[len(broken)-1] ^= 1
	for name, csr := range map[string][]byte{
		"empty": nil, "garbage": []byte("garbage"), "too long": make([]byte, maxCSR+1),
		"ed25519":          must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, edKey))(t),
		"p224":             must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, p224))(t),
		"broken signature": broken,
	} {
		if _, err := ca.IssueMachine(csr, machineID, "x", testTime); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, id := range []string{"", "x", strings.ToUpper(machineID), machineID + "/..", machineID[:35] + "g"} {
		if _, err := ca.IssueMachine(good, id, "x", testTime); err == nil {
			t.Errorf("machine id %q accepted", id)
		}
	}
	if cert := must(ca.IssueMachine(good, machineID, strings.Repeat("ñ", 200), testTime))(t); len(cert.Subject.CommonName) > maxCN {
		t.Errorf("common name of %d bytes", len(cert.Subject.CommonName))
	}
}

func TestIdentityOfOthersIsRefused(t *testing.T) {
	ca := must(NewCA("Example", testTime))(t)
	server := must(must(NewServerCertificate(ca, UseAgents, nil, func() time.Time { return testTime }))(t).Get(nil))(t)
	if _, err := IdentityOf(server.Leaf); err == nil {
		t.Error("a server's certificate read as a machine")
	}
	if _, err := IdentityOf(ca.Cert); err == nil {
		t.Error("the CA read as a machine")
	}
	key := must(GenerateKey())(t)
	for _, uri := range []string{"vigia://machine/x", "https://machine/" + machineID, "vigia://machine/" + machineID + "?a", "vigia://other/" + machineID} {
		u := must(url.Parse(uri))(t)
		cert := must(ca.sign(&x509.Certificate{NotBefore: testTime, NotAfter: testTime.Add(time.Hour), URIs: []*url.URL{u},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, &key.PublicKey))(t)
		if id, err := IdentityOf(cert); err == nil {
			t.Errorf("%s read as %+v", uri, id)
		}
	}
}

func TestRenewal(t *testing.T) {
	ca := must(NewCA("Example", testTime))(t)
	cert, old := machineCert(t, ca, testTime)
	life := cert.NotAfter.Sub(cert.NotBefore)
	for _, r := range []float64{0, 0.5, 0.999999} {
		share := float64(RenewAt(cert, r).Sub(cert.NotBefore)) / float64(life)
		if want := 2.0/3 - 0.05 + 0.1*r; share < want-0.001 || share > want+0.001 {
			t.Errorf("random %v: renewed after %.3f of life, want %.3f", r, share, want)
		}
	}
	csr := must(NewCSR(must(GenerateKey())(t)))(t)
	sig := must(SignRenewal(old, csr))(t)
	if err := VerifyRenewal(cert, csr, sig); err != nil {
		t.Error(err)
	}
	otherCert, _ := machineCert(t, ca, testTime)
	if VerifyRenewal(otherCert, csr, sig) == nil || VerifyRenewal(cert, csr[:len(csr)-1], sig) == nil || VerifyRenewal(cert, csr, nil) == nil {
		t.Error("a renewal that the key in use did not sign was accepted")
	}
}

func TestServerCertificateRenewsItself(t *testing.T) {
	now := testTime
	ca := must(NewCA("Example", now))(t)
	s := must(NewServerCertificate(ca, UseAgents, []string{"collector.example.com", "192.0.2.7", "127.0.0.1", "localhost"}, func() time.Time { return now }))(t)
	first := must(s.Get(nil))(t)
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "192.0.2.7", "collector.example.com"} {
		if err := first.Leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if len(first.Leaf.IPAddresses) != 3 || len(first.Leaf.DNSNames) != 2 {
		t.Errorf("names twice: %v %v", first.Leaf.IPAddresses, first.Leaf.DNSNames)
	}
	now = now.Add(ServerLife * 6 / 10)
	if must(s.Get(nil))(t) != first {
		t.Error("renewed too early")
	}
	now = testTime.Add(ServerLife * 7 / 10)
	second := must(s.Get(nil))(t)
	if second == first {
		t.Error("not renewed after two thirds of its life")
	}
	s.Set(must(NewCA("Next", now))(t), nil)
	if third := must(s.Get(nil))(t); third.Leaf.Issuer.CommonName != "Next" || third.Leaf.VerifyHostname("192.0.2.7") == nil {
		t.Error("the new CA or names did not take effect")
	}
	if _, err := NewServerCertificate(ca, UseWeb, []string{"host:443"}, time.Now); err == nil {
		t.Error("a name with a port was accepted")
	}
}

func TestTrust(t *testing.T) {
	a, b := must(NewCA("A", testTime))(t), must(NewCA("B", testTime))(t)
	trust := must(NewTrust(b.Cert, a.Cert))(t)
	back := must(ParseTrust(trust.DER()))(t)
	if fps := back.Fingerprints(); len(fps) != 2 || fps[0] != b.Fingerprint() || fps[1] != a.Fingerprint() {
		t.Errorf("got %v", fps)
	}
	leaf, _ := machineCert(t, a, testTime)
	for name, ders := range map[string][][]byte{"none": nil, "leaf": {leaf.Raw}, "garbage": {[]byte("x")}, "many": make([][]byte, MaxTrusted+1)} {
		if _, err := ParseTrust(ders); err == nil {
			t.Errorf("%s: trusted", name)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key.pem")
	key := must(GenerateKey())(t)
	if err := SaveKey(path, key); err != nil {
		t.Fatal(err)
	}
	if back := must(LoadKey(path))(t); !back.Equal(key) {
		t.Error("another key came back")
	}
	if info := must(os.Stat(path))(t); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
	if _, err := LoadKey(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if _, err := ParseKey([]byte("no pem")); err == nil {
		t.Error("no PEM accepted")
	}
}
