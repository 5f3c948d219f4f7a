package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"vigia/internal/inventory"
)

// TestARM64 runs the agent for 64-bit ARM under qemu's user emulation: an inventory of
// an image, and its check against an allowlist.
func TestARM64(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Fatalf("qemu-user-static is missing (make parts installs it): %v", err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "vigia-agent-arm64")
	build := exec.Command("go", "build", "-trimpath", "-tags", "grpcnotrace", "-o", bin, "vigia/agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	image := t.TempDir()
	status := "Package: sample-arm\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.0\nMaintainer: Sample <sample@example.com>\nDescription: sample\n\n"
	for name, text := range map[string]string{"var/lib/dpkg/status": status, "etc/os-release": "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n", "etc/hostname": "arm\n"} {
		file := filepath.Join(image, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var snap inventory.Snapshot
	r := must(t, command(t, qemu, bin, "inventory", "--root", image, "--output", "json"))
	if err := json.Unmarshal([]byte(r.out), &snap); err != nil {
		t.Fatal(err)
	}
	if len(snap.Software) != 1 || snap.Software[0].Name != "sample-arm" || snap.Software[0].Arch != "arm64" {
		t.Errorf("software %+v", snap.Software)
	}
	if r := must(t, command(t, qemu, bin, "version")); !strings.Contains(r.out, "linux/arm64") {
		t.Errorf("version: %s", r.out)
	}
	allowlist := filepath.Join(dir, "allow.yaml")
	if err := os.WriteFile(allowlist, []byte(allowNothing), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := command(t, qemu, bin, "check", "--root", image, "--allowlist", allowlist); r.code != 3 || !strings.Contains(r.out, "sample-arm") {
		t.Errorf("check: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}
