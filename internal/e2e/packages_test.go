package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pack builds a real Debian package with one program in it.
func pack(t *testing.T, name, version string) (deb string) {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{
		"DEBIAN/control":  fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Sample Maintainer <sample@example.com>\nSection: misc\nPriority: optional\nDescription: sample package of a test\n", name, version),
		"usr/bin/" + name: "#!/bin/sh\necho sample\n",
	}
	for path, text := range files {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	deb = filepath.Join(t.TempDir(), name+".deb")
	must(t, command(t, "dpkg-deb", "--build", "--root-owner-group", root, deb))
	return deb
}

// dpkg runs dpkg, again while somebody else holds its lock.
func dpkg(t *testing.T, args ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test installs packages: run it as root, on a machine that may be thrown away")
	}
	deadline := time.Now().Add(2 * patience)
	for {
		r := command(t, "dpkg", args...)
		if r.code == 0 {
			return
		}
		if !strings.Contains(r.err, "lock") || time.Now().After(deadline) {
			t.Fatalf("dpkg %v: exit code %d\n%s%s", args, r.code, r.out, r.err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// installed installs a package until the test ends, and returns when dpkg did.
func installed(t *testing.T, deb, name string) time.Time {
	t.Helper()
	t.Cleanup(func() { dpkg(t, "--purge", name) })
	dpkg(t, "--install", deb)
	return time.Now()
}
