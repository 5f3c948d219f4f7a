package updatesign

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/internal/update"
)

var day0 = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

type setup struct {
	t                     *testing.T
	keys, repo, clientDir string
	now                   time.Time
}

func newSetup(t *testing.T) *setup {
	t.Helper()
	s := &setup{t: t, keys: filepath.Join(t.TempDir(), "keys"), repo: filepath.Join(t.TempDir(), "repo"), clientDir: t.TempDir(), now: day0}
	if err := InitKeys(s.keys, "open sesame", day0); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *setup) release(version, program string) {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(program), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := Sign(s.repo, s.keys, "open sesame", Release{Version: version, Valid: 30 * 24 * time.Hour, Programs: []Program{{"linux", "amd64", path}}}, s.now); err != nil {
		s.t.Fatal(err)
	}
}

func (s *setup) client() *update.Client { return s.clientOf(s.repo) }

func (s *setup) clientOf(repo string) *update.Client {
	return &update.Client{Dir: s.clientDir, Now: func() time.Time { return s.now }, Fetch: func(_ context.Context, name string, most int64) ([]byte, error) {
		data, err := os.ReadFile(filepath.Join(repo, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, update.ErrNotFound
		}
		if int64(len(data)) > most {
			return nil, errors.New("too long")
		}
		return data, err
	}}
}

func (s *setup) copyRepo() string {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(s.repo)); err != nil {
		s.t.Fatal(err)
	}
	return dir
}

func TestReleaseIsFoundAndVerified(t *testing.T) {
	s := newSetup(t)
	s.release("1.0.1", "first program")
	s.release("1.0.2", strings.Repeat("second program ", 1000))
	r, err := s.client().Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Program("1.0.2", "linux", "amd64")
	if err != nil || p.Size != 15000 || len(r.Versions()) != 2 {
		t.Fatalf("%+v, %v", p, err)
	}
	packed, err := os.ReadFile(filepath.Join(s.repo, "targets", p.Target))
	if err != nil || p.Verify(packed) != nil || len(packed) > 1000 {
		t.Errorf("%v, %v, %d bytes", err, p.Verify(packed), len(packed))
	}
	if err := p.VerifyProgram(bytes.Repeat([]byte("second program "), 1000)); err != nil {
		t.Error(err)
	}
	if _, err := r.Program("1.0.3", "linux", "amd64"); err == nil {
		t.Error("a version that nobody signed")
	}
	if _, err := s.client().Refresh(t.Context()); err != nil {
		t.Errorf("again, with nothing new: %v", err)
	}
}

func TestTamperedFilesAreRefused(t *testing.T) {
	s := newSetup(t)
	s.release("1.0.1", "program")
	r, err := s.client().Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Program("1.0.1", "linux", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	packed, _ := os.ReadFile(filepath.Join(s.repo, "targets", p.Target))
	packed[len(packed)-1] ^= 1
	if p.Verify(packed) == nil || p.VerifyProgram([]byte("Program")) == nil {
		t.Error("a changed program passes")
	}
	s.release("1.0.2", "program")
	for _, name := range []string{"timestamp.json", "2.snapshot.json", "2.targets.json"} {
		evil := s.copyRepo()
		path := filepath.Join(evil, "metadata", name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.Replace(text, []byte("2026-12-28"), []byte("2027-12-28"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.clientOf(evil).Refresh(t.Context()); err == nil {
			t.Errorf("%s: what was changed after signing passes", name)
		}
	}
	other := newSetup(t) // somebody else's keys
	other.release("9.9.9", "theirs")
	if _, err := s.clientOf(other.repo).Refresh(t.Context()); err == nil {
		t.Error("releases of other keys pass")
	}
}

func TestNoWayBackAndNoStandingStill(t *testing.T) {
	s := newSetup(t)
	s.release("1.0.1", "old, with a hole")
	old := s.copyRepo()
	s.release("1.0.2", "mended")
	if _, err := s.client().Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.clientOf(old).Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "version") {
		t.Errorf("a collector that shows an older list: %v", err)
	}
	s.now = day0.Add(31 * 24 * time.Hour) // it shows the same list for ever
	if _, err := s.client().Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("a list beyond its end: %v", err)
	}
	if err := Sign(s.repo, s.keys, "open sesame", Release{Valid: 30 * 24 * time.Hour}, s.now); err != nil { // the operator renews it
		t.Fatal(err)
	}
	if r, err := s.client().Refresh(t.Context()); err != nil || len(r.Versions()) != 2 {
		t.Errorf("renewed: %v", err)
	}
}

func TestKeysAndVersionsAreGuarded(t *testing.T) {
	s := newSetup(t)
	if err := InitKeys(s.keys, "open sesame", day0); !errors.Is(err, ErrExists) {
		t.Errorf("keys are overwritten: %v", err)
	}
	if err := InitKeys(t.TempDir(), "", day0); err == nil {
		t.Error("keys without a passphrase")
	}
	s.release("1.0.1", "x")
	if err := Sign(s.repo, s.keys, "wrong", Release{Valid: time.Hour}, day0); err == nil || !strings.Contains(err.Error(), "passphrase") {
		t.Errorf("a wrong passphrase: %v", err)
	}
	path := filepath.Join(s.keys, "1.root.json")
	for _, version := range []string{"1.0.1", "1.0", "../x", "1.0.2+dirty"} {
		if err := Sign(s.repo, s.keys, "open sesame", Release{Version: version, Valid: time.Hour, Programs: []Program{{"linux", "amd64", path}}}, day0); err == nil {
			t.Errorf("version %s is signed", version)
		}
	}
	if secret, _ := os.ReadFile(filepath.Join(s.keys, "release.key")); !bytes.Contains(secret, []byte("scrypt")) {
		t.Error("the key is not protected")
	}
}
