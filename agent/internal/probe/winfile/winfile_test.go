package winfile

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/pe"
	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
	"vigia/internal/signtest"
)

// exe builds a real program for Windows.
func exe(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", "tool.exe", "main.go")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return filepath.Join(dir, "tool.exe")
}

func TestPortable(t *testing.T) {
	tool, a := exe(t), signtest.New(t)
	signed := filepath.Join(t.TempDir(), "signed.exe")
	a.Sign(t, "Contoso Software", x509.ExtKeyUsageCodeSigning, tool, signed)
	home := t.TempDir()
	put := func(name, from string) {
		t.Helper()
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(home, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(home, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("Downloads/one.exe", tool)
	put("Downloads/TWO.EXE", signed)
	put("Apps/Putty/putty.exe", signed)
	put("Apps/Putty/uninstall.exe", tool)
	put("Apps/Putty/sub/inner.exe", tool)
	put("AppData/Local/Installed/run.exe", tool)
	put("AppData/Local/Temp/x.exe", tool)
	put("Documents/notes.exe", "winfile_test.go") // a name is not enough
	details := NewDetails(pe.TrustPool(a.Pool))
	cache := filepath.Join(t.TempDir(), "details.json")
	places := Places{
		Trees: func(*probe.Env) ([]Tree, error) { return []Tree{{Dir: home, User: "ana"}}, nil },
		Installed: func(*probe.Env) ([]string, error) {
			return []string{filepath.Join(home, "appdata/local/INSTALLED")}, nil
		},
		ArrivedAt: func(i fs.FileInfo) time.Time { return i.ModTime() }, Details: details,
	}
	p := Portable(places)
	run := func() []string {
		t.Helper()
		details.Load(cache)
		var part inventory.Snapshot
		if _, err := p.Collect(context.Background(), &probe.Env{Root: "/", Hash: true}, &part); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range part.Software {
			if len(s.SHA256) != 64 || s.User != "ana" || s.Arch != "amd64" {
				t.Errorf("%+v", s)
			}
			got = append(got, s.Name+"|"+s.Signer+"|"+strings.TrimPrefix(s.Path, home+"/"))
		}
		slices.Sort(got)
		return got
	}
	want := []string{"TWO|Contoso Software|Downloads/TWO.EXE", "one||Downloads/one.exe", "putty|Contoso Software|Apps/Putty/putty.exe"}
	if got := run(); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	fresh := NewDetails(func(*x509.Certificate, []*x509.Certificate, time.Time, x509.ExtKeyUsage) error {
		return errors.New("asked again")
	})
	places.Details, details = fresh, fresh // a new process knows what the cache holds
	p = Portable(places)
	if got := run(); !slices.Equal(got, want) {
		t.Errorf("from the cache: %v", got)
	}
}

func TestSearchThatIsTooLargeSaysSo(t *testing.T) {
	w := &search{ctx: context.Background(), tree: Tree{Dir: t.TempDir()}, folders: 0, until: time.Now().Add(time.Minute)}
	if err := w.dir(w.tree.Dir, 0); err == nil {
		t.Error("no error")
	}
}
