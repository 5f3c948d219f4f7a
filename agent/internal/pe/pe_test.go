package pe

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf16"

	"vigia/internal/signtest"
)

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
	a := signtest.New(t)
	plain := filepath.Join(t.TempDir(), "plain.exe")
	if err := os.WriteFile(plain, program(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, now := context.Background(), time.Now()
	for _, ec := range []bool{false, true} {
		certs, key := a.Signer(t, "Contoso Software", x509.ExtKeyUsageCodeSigning, ec)
		out := filepath.Join(t.TempDir(), "signed.exe")
		signtest.Run(t, "sign", "-h", "sha256", "-certs", certs, "-key", key, "-n", "Sample", "-in", plain, "-out", out)
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if name, err := open(t, b).Signer(ctx, TrustPool(a.Pool), now); err != nil || name != "Contoso Software" {
			t.Errorf("ec %v: %q %v", ec, name, err)
		}
		if name, err := open(t, b).Signer(ctx, TrustPool(signtest.New(t).Pool), now); err == nil {
			t.Errorf("a signer that nobody trusts was named: %q", name)
		}
		if name, err := open(t, b).Signer(ctx, TrustPool(a.Pool), now.Add(48*time.Hour)); err == nil {
			t.Errorf("an expired certificate without a timestamp was taken: %q", name)
		}
		for _, at := range []int{0x3f0, 0x500, 0x600} { // headers and content
			bad := bytes.Clone(b)
			bad[at] ^= 1
			if name, err := open(t, bad).Signer(ctx, TrustPool(a.Pool), now); !errors.Is(err, ErrTampered) {
				t.Errorf("changed at %#x: %q %v", at, name, err)
			}
		}
		for at := len(program()) + 8; at < len(b); at += 37 { // the signature itself
			bad := bytes.Clone(b)
			bad[at] ^= 0x55
			if name, err := open(t, bad).Signer(ctx, TrustPool(a.Pool), now); err == nil && name != "Contoso Software" {
				t.Errorf("signature changed at %#x names %q", at, name)
			}
		}
		if name, err := open(t, append(bytes.Clone(b), "more"...)).Signer(ctx, TrustPool(a.Pool), now); err == nil {
			t.Errorf("something appended was taken: %q", name)
		}
	}
	certs, key := a.Signer(t, "Contoso Software", x509.ExtKeyUsageCodeSigning, false)
	tsaCerts, tsaKey := a.Signer(t, "Sample TSA", x509.ExtKeyUsageTimeStamping, false)
	stamped := filepath.Join(t.TempDir(), "stamped.exe")
	signtest.Run(t, "sign", "-h", "sha256", "-certs", certs, "-key", key, "-TSA-certs", tsaCerts, "-TSA-key", tsaKey, "-in", plain, "-out", stamped)
	old, err := os.ReadFile(stamped)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := open(t, old).Signer(ctx, TrustPool(a.Pool), now.Add(48*time.Hour)); err != nil || name != "Contoso Software" {
		t.Errorf("with a timestamp, after the certificate's end: %q %v", name, err)
	}
	certs, key = a.Signer(t, "Mail only", x509.ExtKeyUsageEmailProtection, false)
	out := filepath.Join(t.TempDir(), "mail.exe")
	signtest.Run(t, "sign", "-h", "sha256", "-certs", certs, "-key", key, "-in", plain, "-out", out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := open(t, b).Signer(ctx, TrustPool(a.Pool), now); err == nil {
		t.Errorf("a certificate for mail signs no programs: %q", name)
	}
	if _, err := open(t, program()).Signer(ctx, TrustPool(a.Pool), now); !errors.Is(err, ErrNotSigned) {
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
		_, _ = file.Signer(context.Background(), TrustPool(x509.NewCertPool()), time.Time{})
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
			_, _ = s.verify(TrustPool(x509.NewCertPool()), time.Now())
		}
	})
}

func FuzzVersion(f *testing.F) {
	f.Add(versionResource(map[string]string{"ProductName": "x"}))
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = ParseVersion(b) })
}
