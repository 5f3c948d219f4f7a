package software

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"vigia/agent/internal/probe"
)

// TestFilesHere looks at this machine: the Go that runs this test is found where it
// lies in /usr/local or a home, and dpkg owns nothing of what is told.
func TestFilesHere(t *testing.T) {
	got, took := collectHere(t, Files(FilesOptions{}), &probe.Env{Root: "/", Now: time.Now(), CacheDir: t.TempDir()})
	for _, p := range got {
		if _, err := os.Stat(p.Path); err != nil || p.Name == "" || p.InstalledAt.IsZero() || (p.Scope == "user") != (p.User != "") {
			t.Errorf("%+v: %v", p, err)
		}
		if info, err := os.Lstat(p.Path); err == nil && info.Mode().IsRegular() {
			if out, err := exec.Command("/usr/bin/dpkg-query", "-S", p.Path).Output(); err == nil {
				t.Errorf("%s is owned: %s", p.Path, out)
			}
		}
	}
	if _, err := os.Stat("/usr/local/go/VERSION"); err == nil {
		if p := named(t, got, "go"); p.Path != "/usr/local/go" || p.Version == "" {
			t.Errorf("%+v", p)
		}
	}
	t.Logf("%d programs, CPU %v", len(got), took)
}
