package updater

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/uplink"
	"vigia/internal/update/updatesign"
)

// site is a collector with a folder of releases.
type site struct {
	t          *testing.T
	keys, repo string
	offer      uplink.Offer
	told       []uplink.Told
	breakAt    int64 // once, from this offset of a target on, the line is down; 0: never
	read       int64 // bytes of targets
	tamper     bool
	last       time.Time
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, keys: filepath.Join(t.TempDir(), "keys"), repo: filepath.Join(t.TempDir(), "repo")}
	if err := updatesign.InitKeys(s.keys, "open sesame", time.Now()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) release(version string) {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "program")
	var text strings.Builder
	for i := range 60_000 { // does not pack into one piece
		fmt.Fprintf(&text, "%x", i*i*7919)
	}
	if err := os.WriteFile(path, []byte(version+text.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	r := updatesign.Release{Version: version, Valid: time.Hour, Programs: []updatesign.Program{{OS: runtime.GOOS, Arch: runtime.GOARCH, Path: path}}}
	if err := updatesign.Sign(s.repo, s.keys, "open sesame", r, time.Now()); err != nil {
		s.t.Fatal(err)
	}
	s.offer = uplink.Offer{Version: version, Attempt: 1, Grace: time.Hour}
}

func (s *site) Ask(_ context.Context, t uplink.Told) (uplink.Offer, error) {
	s.told = append(s.told, t)
	return s.offer, nil
}

func (s *site) Piece(_ context.Context, name string, offset int64) ([]byte, int64, error) {
	data, err := os.ReadFile(filepath.Join(s.repo, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, uplink.ErrUnknownFile
	}
	if err != nil {
		return nil, 0, err
	}
	if strings.HasPrefix(name, "targets/") {
		if s.breakAt > 0 && offset >= s.breakAt {
			s.breakAt = 0
			return nil, 0, errors.New("the line is down")
		}
		if s.tamper {
			data[len(data)-1] ^= 1
		}
	}
	size := int64(len(data))
	piece := data[offset:min(offset+64<<10, size)]
	if strings.HasPrefix(name, "targets/") {
		s.read += int64(len(piece))
	}
	return piece, size, nil
}

func (s *site) Close() error { return nil }

func (s *site) updater(runs string) *Updater {
	dir := s.t.TempDir()
	return &Updater{Versions: &Versions{Dir: filepath.Join(dir, "versions"), Now: time.Now}, Trust: filepath.Join(dir, "updates"), Version: runs,
		Every: time.Hour, Random: func() float64 { return 0 }, Open: func(context.Context) (Channel, error) { return s, nil },
		LastAck: func() time.Time { return s.last }, Try: func(context.Context, string, string) error { return nil },
		Log: slog.New(slog.DiscardHandler), Now: time.Now}
}

func (s *site) phases() string {
	var list []string
	for _, t := range s.told {
		list = append(list, t.Phase)
	}
	return strings.Join(list, " ")
}

func TestANewerVersionIsTakenProvenAndKept(t *testing.T) {
	s := newSite(t)
	s.release("1.0.2")
	s.breakAt = 64 << 10
	u := s.updater("1.0.1")
	if err := u.look(t.Context()); err == nil || errors.Is(err, ErrRestart) {
		t.Fatalf("the line was down: %v", err)
	}
	before := s.read
	if err := u.look(t.Context()); !errors.Is(err, ErrRestart) {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(s.repo, "targets/vigia-agent/1.0.2", runtime.GOOS+"-"+runtime.GOARCH+".zst")); err != nil || s.read != info.Size() || before == 0 {
		t.Errorf("%d bytes read of %v, %v: it must go on where it was", s.read, info, err)
	}
	if got := s.phases(); got != "current downloading failed current downloading trying" {
		t.Errorf("told %s", got)
	}
	path, err := u.Versions.Choose("1.0.1")
	if text, _ := os.ReadFile(path); err != nil || !strings.HasPrefix(string(text), "1.0.2") {
		t.Fatalf("%s, %v", path, err)
	}
	u.Version, s.last = "1.0.2", time.Now().Add(time.Second) // it runs, and a report was acknowledged
	if err := u.trial(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	for range 5 { // proven: started as often as need be
		if path, err := u.Versions.Choose("1.0.1"); err != nil || path == "" {
			t.Fatalf("%q, %v", path, err)
		}
	}
	if path, err := u.Versions.Choose("1.0.3"); err != nil || path != "" {
		t.Errorf("a newer package was installed: %q, %v", path, err)
	}
}

func TestTamperedOlderAndForeignVersionsAreRefused(t *testing.T) {
	s := newSite(t)
	s.release("1.0.2")
	s.tamper = true
	u := s.updater("1.0.1")
	if err := u.look(t.Context()); err == nil || errors.Is(err, ErrRestart) {
		t.Errorf("a tampered program: %v", err)
	}
	if path, err := u.Versions.Choose("1.0.1"); err != nil || path != "" {
		t.Errorf("and it runs: %q, %v", path, err)
	}
	s.tamper = false
	for _, runs := range []string{"1.0.2", "1.0.3"} {
		u.Version = runs
		if err := u.look(t.Context()); err == nil || errors.Is(err, ErrRestart) || !strings.Contains(err.Error(), "not taken") {
			t.Errorf("version %s is offered 1.0.2: %v", runs, err)
		}
	}
	s.offer.Version, u.Version = "9.0.0", "1.0.1"
	if err := u.look(t.Context()); err == nil || !strings.Contains(err.Error(), "not among the signed") {
		t.Errorf("a version that nobody signed: %v", err)
	}
	s.offer.Version = "1.0.2"
	u.Try = func(context.Context, string, string) error { return errors.New("exec format error") }
	if err := u.look(t.Context()); err == nil || !strings.Contains(err.Error(), "exec format error") {
		t.Errorf("a version that does not start: %v", err)
	}
	told := len(s.told)
	if err := u.look(t.Context()); err != nil || len(s.told) != told+1 || s.told[told].Phase != "rolled-back" {
		t.Errorf("it is not tried again by itself: %v, told %v", err, s.told[told:])
	}
	s.offer.Attempt, u.Try = 2, func(context.Context, string, string) error { return nil }
	if err := u.look(t.Context()); !errors.Is(err, ErrRestart) {
		t.Errorf("staged anew: %v", err)
	}
}

func TestAVersionThatDoesNotReportIsGivenUp(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	v := &Versions{Dir: t.TempDir(), Now: func() time.Time { return now }}
	try := func() {
		t.Helper()
		if err := v.Try("1.0.2", 7, time.Minute, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	choose := func() string {
		t.Helper()
		path, err := v.Choose("1.0.1")
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	try()
	for range maxStarts { // ends by itself again and again
		if choose() == "" {
			t.Fatal("given up too soon")
		}
	}
	if failed, err := v.Failed(); choose() != "" || err != nil || failed != nil {
		t.Errorf("%+v, %v", failed, err)
	}
	if failed, err := v.Failed(); err != nil || failed == nil || failed.Attempt != 7 || !strings.Contains(failed.Problem, "3 times") {
		t.Errorf("%+v, %v", failed, err)
	}
	if _, err := os.Stat(v.Program("1.0.2")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its program is still there: %v", err)
	}
	try()
	if choose() == "" {
		t.Fatal("not started")
	}
	now = now.Add(2 * time.Minute) // hangs, and is ended from outside
	if got := choose(); got != "" {
		t.Errorf("runs %q after its grace", got)
	}
	if failed, _ := v.Failed(); failed == nil || !strings.Contains(failed.Problem, "within 1m0s") {
		t.Errorf("%+v", failed)
	}
}
