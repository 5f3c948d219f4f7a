package uplink

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/internal/inventory"
	"vigia/internal/pki"
)

func enrollOptions(t *testing.T, c *collector, dir string) EnrollOptions {
	return EnrollOptions{Token: c.token(t), Facts: inventory.Machine{Hostname: "pc-017"}, OS: "linux", StateDir: dir, Version: "test", Now: time.Now}
}

func TestEnroll(t *testing.T) {
	c := newCollector(t)
	dir := filepath.Join(t.TempDir(), "state")
	if _, err := LoadIdentity(dir); !errors.Is(err, ErrNotEnrolled) || !strings.Contains(RemedyOf(err), "vigia-agent enroll --token") {
		t.Fatalf("before: %v", err)
	}
	got, err := Enroll(t.Context(), enrollOptions(t, c, dir))
	if err != nil || got.MachineID != machineID || got.Skew.Abs() > MaxSkew || got.NotAfter.Before(time.Now().Add(pki.MachineLife-time.Hour)) {
		t.Fatalf("%+v, %v", got, err)
	}
	id, err := LoadIdentity(dir)
	if err != nil || id.MachineID != machineID || id.Addresses[0] != c.addr || id.Trust.Fingerprints()[0] != c.ca.Fingerprint() {
		t.Fatalf("%+v, %v", id, err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, identityPath(dir): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if _, err := Enroll(t.Context(), enrollOptions(t, c, dir)); !errors.Is(err, ErrAlreadyEnrolled) {
		t.Errorf("again: %v", err)
	}
	o := enrollOptions(t, c, dir)
	o.Replace = true
	if _, err := Enroll(t.Context(), o); err != nil {
		t.Errorf("replace: %v", err)
	}
	if next, err := LoadIdentity(dir); err != nil || next.Current.Key.Equal(id.Current.Key) {
		t.Errorf("the key is the old one, %v", err)
	}
	if err := os.WriteFile(identityPath(dir), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadIdentity(dir); !errors.Is(err, ErrNotEnrolled) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("damaged: %v", err)
	}
}

func TestEnrollFailuresNameTheRemedy(t *testing.T) {
	c, other := newCollector(t), newCollector(t)
	make := func(change func(*pki.Token)) string {
		tok := pki.Token{Addresses: []string{c.addr}, CA: c.ca.Fingerprint(), Secret: c.secret}
		change(&tok)
		line, err := tok.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	good := make(func(*pki.Token) {})
	for name, x := range map[string]struct {
		change func(*EnrollOptions)
		kind   error
		text   string
	}{
		"mistyped":     {func(o *EnrollOptions) { o.Token = good[:30] + "x" + good[31:] }, ErrTokenRefused, "mistyped"},
		"truncated":    {func(o *EnrollOptions) { o.Token = good[:40] }, ErrTokenRefused, "truncated"},
		"wrong secret": {func(o *EnrollOptions) { o.Token = make(func(k *pki.Token) { k.Secret = []byte("fedcba9876543210") }) }, ErrTokenRefused, "another token"},
		"foreign":      {func(o *EnrollOptions) { o.Token = make(func(k *pki.Token) { k.Addresses = []string{other.addr} }) }, ErrWrongCollector, "another CA"},
		"wrong CA":     {func(o *EnrollOptions) { o.Token = make(func(k *pki.Token) { k.CA[0] ^= 1 }) }, ErrWrongCollector, "get a new token"},
		"unreachable":  {func(o *EnrollOptions) { o.Token = make(func(k *pki.Token) { k.Addresses = []string{"127.0.0.1:1"} }) }, ErrUnreachable, "firewalls"},
		"clock behind": {func(o *EnrollOptions) { o.Now = func() time.Time { return time.Now().AddDate(0, 0, -3) } }, ErrClock, "set this machine's clock"},
		"clock ahead":  {func(o *EnrollOptions) { o.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) } }, ErrClock, "set this machine's clock"},
	} {
		o := enrollOptions(t, c, filepath.Join(t.TempDir(), "state"))
		x.change(&o)
		if _, err := Enroll(t.Context(), o); !errors.Is(err, x.kind) || !strings.Contains(err.Error(), x.text) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(o.StateDir); !os.IsNotExist(err) {
			t.Errorf("%s: something was saved", name)
		}
	}
	for code, kind := range map[codes.Code]error{codes.FailedPrecondition: ErrProtocol, codes.ResourceExhausted: ErrBusy, codes.Unavailable: ErrUnreachable} {
		c.enrollErr = status.Error(code, "because")
		if _, err := Enroll(t.Context(), enrollOptions(t, c, t.TempDir())); !errors.Is(err, kind) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestEnrollTriesTheNextAddress(t *testing.T) {
	c := newCollector(t)
	o := enrollOptions(t, c, t.TempDir())
	line, err := pki.Token{Addresses: []string{"127.0.0.1:1", c.addr}, CA: c.ca.Fingerprint(), Secret: c.secret}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	o.Token = line
	if got, err := Enroll(t.Context(), o); err != nil || got.Address != c.addr {
		t.Fatalf("%+v, %v", got, err)
	}
}
