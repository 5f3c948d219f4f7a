//go:build linux

package packagetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The rpm files in a root that knows rpm only: unpacked, their scripts run, upgraded,
// verified, erased. There is no running systemd in it, as where images are made.
func TestRpmInARootOfItsOwn(t *testing.T) {
	first, second := packages(t, older, "rpm"), packages(t, newer, "rpm")
	dir := filepath.Join(t.TempDir(), "root")
	run(t, "cp", "-a", "--reflink=auto", strings.TrimSpace(run(t, "internal/tools/nspawn.sh")), dir)
	run(t, "sh", "-c", "rm -f "+dir+"/usr/bin/deb-systemd-*") // what only Debian has
	rpm := func(args ...string) string {
		t.Helper()
		// The libraries are there, and rpm does not know of them.
		return run(t, "rpm", append([]string{"--root", dir, "--dbpath", "/var/lib/rpm"}, args...)...)
	}
	files := func(version, from string) []string {
		return []string{filepath.Join(from, "vigia-agent_"+version+"_amd64.rpm"), filepath.Join(from, "vigia-collector_"+version+"_amd64.rpm")}
	}
	out := rpm(append([]string{"-i", "--nodeps"}, files(older, first)...)...)
	for _, want := range []string{"vigia-agent enroll --token", "signin-link"} {
		if !strings.Contains(out, want) {
			t.Errorf("installing says nothing of %q: %s", want, out)
		}
	}
	in := func(line string) string {
		t.Helper()
		return strings.TrimSpace(run(t, "chroot", dir, "/bin/sh", "-c", line))
	}
	if got := in("systemctl is-enabled vigia-agent vigia-collector; getent passwd vigia-collector | cut -d: -f1; stat -c '%U %a' /var/lib/vigia-collector; vigia-agent version | head -1"); got != "enabled\nenabled\nvigia-collector\nvigia-collector 700\nvigia-agent "+older {
		t.Errorf("after installing: %s", got)
	}
	in("sed -i 's/^interval: .*/interval: 3h/' /etc/vigia/agent.yaml && mkdir -p /var/lib/vigia-agent && touch /var/lib/vigia-agent/identity.json")
	rpm(append([]string{"-U", "--nodeps"}, files(newer, second)...)...)
	if got := in("vigia-agent version | head -1; grep interval /etc/vigia/agent.yaml; systemctl is-enabled vigia-agent"); got != "vigia-agent "+newer+"\ninterval: 3h\nenabled" {
		t.Errorf("after upgrading: %s", got)
	}
	if got, err := try("rpm", "--root", dir, "--dbpath", "/var/lib/rpm", "-V", "--nodeps", "vigia-agent"); err == nil || strings.Count(got, "\n") < 1 || !strings.Contains(got, "c /etc/vigia/agent.yaml") || strings.Contains(got, "/usr/") {
		t.Errorf("of the files only the settings were changed: %s, %v", got, err)
	}
	rpm("-e", "vigia-agent", "vigia-collector")
	if got := in("ls /usr/bin/vigia-* /etc/systemd/system/multi-user.target.wants/vigia-* 2>/dev/null; ls /var/lib/vigia-agent /etc/vigia"); !strings.Contains(got, "identity.json") || !strings.Contains(got, "agent.yaml.rpmsave") || strings.Contains(got, "/usr/bin") || strings.Contains(got, ".wants") {
		t.Errorf("after erasing: %s", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "usr/lib/systemd/system/vigia-agent.service")); !os.IsNotExist(err) {
		t.Errorf("the unit is still there: %v", err)
	}
}
