package msi

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vigia/agent/internal/pe"
	"vigia/internal/signtest"
)

const wxs = `<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
 <Product Id="*" UpgradeCode="3F2A1B0C-1111-2222-3333-444455556666" Name="Contoso Sample" Version="1.2.3" Manufacturer="Contoso" Language="1033">
  <Package InstallerVersion="200" Compressed="yes"/>
  <Media Id="1" Cabinet="a.cab" EmbedCab="yes"/>
  <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="ProgramFilesFolder"><Directory Id="D" Name="Contoso">
   <Component Id="C" Guid="12345678-1111-2222-3333-444455556666"><File Id="F" Name="a.txt" Source="a.txt"/></Component>
  </Directory></Directory></Directory>
  <Feature Id="All" Level="1"><ComponentRef Id="C"/></Feature>
 </Product>
</Wix>`

// sample builds a real package by wixl.
func sample(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"a.wxs": wxs, "a.txt": string(bytes.Repeat([]byte("content "), 2000))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("wixl", "-o", "a.msi", "a.wxs")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("wixl (make parts installs it): %v\n%s", err, out)
	}
	return filepath.Join(dir, "a.msi")
}

func open(t testing.TB, b []byte) *Package {
	t.Helper()
	p, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProperties(t *testing.T) {
	b, err := os.ReadFile(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	props, err := open(t, b).Properties()
	if err != nil || props["ProductName"] != "Contoso Sample" || props["ProductVersion"] != "1.2.3" || props["Manufacturer"] != "Contoso" || len(props["ProductCode"]) != 38 {
		t.Errorf("%v %v", props, err)
	}
}

func TestSignedAndTampered(t *testing.T) {
	plain := sample(t)
	a := signtest.New(t)
	trust := pe.TrustPool(a.Pool)
	for _, extra := range [][]string{nil, {"-add-msi-dse"}} {
		out := filepath.Join(t.TempDir(), "signed.msi")
		a.Sign(t, "Contoso Software", x509.ExtKeyUsageCodeSigning, plain, out, extra...)
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if name, err := open(t, b).Signer(context.Background(), trust, time.Now()); err != nil || name != "Contoso Software" {
			t.Errorf("%v: %q %v", extra, name, err)
		}
		at := bytes.Index(b, []byte("Contoso SampleContoso"))
		if at < 0 {
			at = bytes.Index(b, []byte("Contoso Sample"))
		}
		b[at] ^= 1
		if name, err := open(t, b).Signer(context.Background(), trust, time.Now()); !errors.Is(err, pe.ErrTampered) {
			t.Errorf("%v tampered: %q %v", extra, name, err)
		}
	}
	b, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, b).Signer(context.Background(), trust, time.Now()); !errors.Is(err, pe.ErrNotSigned) {
		t.Errorf("unsigned: %v", err)
	}
}

func FuzzMSI(f *testing.F) {
	b, err := os.ReadFile(sample(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	trust := pe.TrustPool(x509.NewCertPool())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		_, _ = p.Properties()
		_, _ = p.Signer(context.Background(), trust, time.Time{})
	})
}
