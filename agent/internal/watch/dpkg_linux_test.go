package watch

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vigia/agent/internal/probe/software"
)

// TestRealDpkgWakes installs and removes a package with dpkg itself, in a system of
// the test's own, and tells how long after dpkg's return the wake came.
func TestRealDpkgWakes(t *testing.T) {
	root := t.TempDir()
	for _, d := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"} {
		must(t, os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	pkg := filepath.Join(t.TempDir(), "pkg")
	must(t, os.MkdirAll(filepath.Join(pkg, "DEBIAN"), 0o755))
	must(t, os.MkdirAll(filepath.Join(pkg, "usr/share/vigia-test"), 0o755))
	must(t, os.WriteFile(filepath.Join(pkg, "usr/share/vigia-test/file"), []byte("x"), 0o644))
	must(t, os.WriteFile(filepath.Join(pkg, "DEBIAN/control"),
		[]byte("Package: vigia-test\nVersion: 1.0\nArchitecture: all\nMaintainer: Ana <ana@example.com>\nDescription: test\n"), 0o644))
	run(t, "/usr/bin/dpkg-deb", "--build", "--root-owner-group", pkg, pkg+".deb")

	r := start(t, root, Options{Quiet: 500 * time.Millisecond}, map[string][]string{"deb": software.Deb().Watch})
	for _, step := range [][]string{{"--install", pkg + ".deb"}, {"--purge", "vigia-test"}} {
		run(t, "/usr/bin/dpkg", append([]string{"--root=" + root, "--force-not-root", "--force-script-chrootless", "--log=" + root + "/log"}, step...)...)
		done := time.Now()
		woke := r.next("deb")
		t.Logf("dpkg %s: woken %v after dpkg returned", step[0], woke.Sub(done).Round(time.Millisecond))
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s (package dpkg) is needed for this test: %v\n%s", name, err, out)
	}
}
