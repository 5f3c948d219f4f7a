package pe

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf16"
)

// authority is a CA of the test and what it signs.
type authority struct {
	cert *x509.Certificate
	key  *rsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
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
	a := &authority{key: key, pool: x509.NewCertPool()}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

// signer writes a certificate and its key for osslsigncode.
func (a *authority) signer(t testing.TB, name string, usage x509.ExtKeyUsage, ec bool) (certs, key string) {
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
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, public, a.key)
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

func osslsigncode(t testing.TB, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("osslsigncode"); err != nil {
		t.Fatalf("osslsigncode is missing (make parts installs it): %v", err)
	}
	if out, err := exec.Command("osslsigncode", args...).CombinedOutput(); err != nil {
		t.Fatalf("osslsigncode %v: %v\n%s", args, err, out)
	}
}

// program is a real program with a version resource: a header, a section of resources.
func program() []byte {
	const resources = 0x1000
	version := versionResource(map[string]string{"ProductName": "Sample Tool", "CompanyName": "Contoso", "FileDescription": "A tool", "FileVersion": "1.2.3"})
	rsrc := make([]byte, 0x200+len(version))
	dir := func(at int, id, offset uint32) {
		binary.LittleEndian.PutUint16(rsrc[at+14:], 1)
		binary.LittleEndian.PutUint32(rsrc[at+16:], id)
		binary.LittleEndian.PutUint32(rsrc[at+20:], offset)
	}
	dir(0, typeVersion, 0x80000000|0x40)
	dir(0x40, 1, 0x80000000|0x80)
	dir(0x80, 1033, 0xc0)
	binary.LittleEndian.PutUint32(rsrc[0xc0:], resources+0x200)
	binary.LittleEndian.PutUint32(rsrc[0xc4:], uint32(len(version)))
	copy(rsrc[0x200:], version)
	for len(rsrc)%0x200 != 0 {
		rsrc = append(rsrc, 0)
	}
	b := make([]byte, 0x400)
	copy(b, "MZ")
	binary.LittleEndian.PutUint32(b[60:], 0x80)
	copy(b[0x80:], "PE\x00\x00")
	coff := b[0x84:]
	binary.LittleEndian.PutUint16(coff, 0x8664)
	binary.LittleEndian.PutUint16(coff[2:], 1)
	binary.LittleEndian.PutUint16(coff[16:], 240)
	binary.LittleEndian.PutUint16(coff[18:], 0x22)
	opt := b[0x98:]
	binary.LittleEndian.PutUint16(opt, 0x20b)
	for at, v := range map[int]uint32{16: 0x1000, 24: 0x400000, 32: 0x1000, 36: 0x200, 56: 0x3000, 60: 0x400, 108: 16, 112 + 16: resources, 112 + 20: uint32(len(rsrc))} {
		binary.LittleEndian.PutUint32(opt[at:], v)
	}
	sec := b[0x98+240:]
	copy(sec, ".rsrc")
	for at, v := range map[int]uint32{8: uint32(len(rsrc)), 12: resources, 16: uint32(len(rsrc)), 20: 0x400, 36: 0x40000040} {
		binary.LittleEndian.PutUint32(sec[at:], v)
	}
	return append(b, rsrc...)
}

func utf(s string) []byte {
	var b []byte
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func node(name string, kind uint16, valueSize int, value, below []byte) []byte {
	b := append(make([]byte, 6), utf(name)...)
	pad := func() {
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	pad()
	b = append(b, value...)
	if len(below) > 0 {
		pad()
	}
	b = append(b, below...)
	binary.LittleEndian.PutUint16(b, uint16(len(b)))
	binary.LittleEndian.PutUint16(b[2:], uint16(valueSize))
	binary.LittleEndian.PutUint16(b[4:], kind)
	pad()
	return b
}

func versionResource(texts map[string]string) []byte {
	var list []byte
	for name, text := range texts {
		list = append(list, node(name, 1, len(utf(text))/2, utf(text), nil)...)
	}
	fixed := make([]byte, 52)
	binary.LittleEndian.PutUint32(fixed, 0xfeef04bd)
	binary.LittleEndian.PutUint32(fixed[16:], 4<<16|5)
	return node("VS_VERSION_INFO", 0, 52, fixed, node("StringFileInfo", 1, 0, nil, node("040904b0", 1, 0, nil, list)))
}

func open(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestVersionResource(t *testing.T) {
	f := open(t, program())
	v, err := f.Version()
	want := Version{Product: "Sample Tool", Description: "A tool", Company: "Contoso", FileVersion: "1.2.3", ProductVersion: "4.5.0.0"}
	if err != nil || v != want || f.Arch != "amd64" || f.DLL {
		t.Errorf("%+v %v, want %+v", v, err, want)
	}
}

func TestSignedTamperedUntrusted(t *testing.T) {
	a := newAuthority(t)
	plain := filepath.Join(t.TempDir(), "plain.exe")
	if err := os.WriteFile(plain, program(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, now := context.Background(), time.Now()
	for _, ec := range []bool{false, true} {
		certs, key := a.signer(t, "Contoso Software", x509.ExtKeyUsageCodeSigning, ec)
		out := filepath.Join(t.TempDir(), "signed.exe")
		osslsigncode(t, "sign", "-h", "sha256", "-certs", certs, "-key", key, "-n", "Sample", "-in", plain, "-out", out)
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if name, err := open(t, b).Signer(ctx, a.pool, now); err != nil || name != "Contoso Software" {
			t.Errorf("ec %v: %q %v", ec, name, err)
		}
		if name, err := open(t, b).Signer(ctx, newAuthority(t).pool, now); err == nil {
			t.Errorf("a signer that nobody trusts was named: %q", name)
		}
		if name, err := open(t, b).Signer(ctx, a.pool, now.Add(48*time.Hour)); err == nil {
			t.Errorf("an expired certificate without a timestamp was taken: %q", name)
		}
		for _, at := range []int{0x3f0, 0x500, 0x600} { // headers and content
			bad := bytes.Clone(b)
			bad[at] ^= 1
			if name, err := open(t, bad).Signer(ctx, a.pool, now); !errors.Is(err, ErrTampered) {
				t.Errorf("changed at %#x: %q %v", at, name, err)
			}
		}
		for at := len(program()) + 8; at < len(b); at += 37 { // the signature itself
			bad := bytes.Clone(b)
			bad[at] ^= 0x55
			if name, err := open(t, bad).Signer(ctx, a.pool, now); err == nil && name != "Contoso Software" {
				t.Errorf("signature changed at %#x names %q", at, name)
			}
		}
		if name, err := open(t, append(bytes.Clone(b), "more"...)).Signer(ctx, a.pool, now); err == nil {
			t.Errorf("something appended was taken: %q", name)
		}
	}
	certs, key := a.signer(t, "Contoso Software", x509.ExtKeyUsageCodeSigning, false)
	tsaCerts, tsaKey := a.signer(t, "Sample TSA", x509.ExtKeyUsageTimeStamping, false)
	stamped := filepath.Join(t.TempDir(), "stamped.exe")
	osslsigncode(t, "sign", "-h", "sha256", "-certs", certs, "-key", key, "-TSA-certs", tsaCerts, "-TSA-key", tsaKey, "-in", plain, "-out", stamped)
	old, err := os.ReadFile(stamped)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := open(t, old).Signer(ctx, a.pool, now.Add(48*time.Hour)); err != nil || name != "Contoso Software" {
		t.Errorf("with a timestamp, after the certificate's end: %q %v", name, err)
	}
	certs, key = a.signer(t, "Mail only", x509.ExtKeyUsageEmailProtection, false)
	out := filepath.Join(t.TempDir(), "mail.exe")
	osslsigncode(t, "sign", "-h", "sha256", "-certs", certs, "-key", key, "-in", plain, "-out", out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := open(t, b).Signer(ctx, a.pool, now); err == nil {
		t.Errorf("a certificate for mail signs no programs: %q", name)
	}
	if _, err := open(t, program()).Signer(ctx, a.pool, now); !errors.Is(err, ErrNotSigned) {
		t.Errorf("unsigned: %v", err)
	}
}

func FuzzPE(f *testing.F) {
	f.Add(program())
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		_, _ = file.Version()
		_, _ = file.Signer(context.Background(), x509.NewCertPool(), time.Time{})
	})
}

func FuzzSigned(f *testing.F) {
	f.Add([]byte{0x30, 0x82})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSigned(b)
		if err != nil {
			return
		}
		if _, _, err := s.imageDigest(); err == nil {
			_, _ = s.verify(x509.NewCertPool(), time.Now())
		}
	})
}

func FuzzVersion(f *testing.F) {
	f.Add(versionResource(map[string]string{"ProductName": "x"}))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = ParseVersion(b) })
}
