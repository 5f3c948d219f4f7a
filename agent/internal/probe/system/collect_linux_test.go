package system

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
)

// image makes the tree of a mounted image; a value that starts with "->" is a link.
func image(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(full), 0o755)
		if target, ok := strings.CutPrefix(content, "->"); ok && err == nil {
			err = os.Symlink(target, full)
		} else if err == nil {
			err = os.WriteFile(full, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func run(root string) *inventory.Snapshot {
	return probe.NewRunner([]probe.Probe{System()}, probe.Options{}).Run(context.Background(), &probe.Env{Root: root}, probe.Filter{})
}

func TestImage(t *testing.T) {
	dir := image(t, map[string]string{
		"etc/os-release":          "->../usr/lib/os-release",
		"usr/lib/os-release":      "PRETTY_NAME=\"Fedora Linux 42 (Server Edition)\"\nID=fedora\nVERSION_ID=42\nSUPPORT_END=2026-05-13\n",
		"etc/localtime":           "->/usr/share/zoneinfo/America/Mexico_City",
		"etc/timezone":            "Etc/UTC\n",
		"etc/locale.conf":         "LANG=\"es_MX.UTF-8\"\n",
		"etc/passwd":              "root:x:0:0::/root:/bin/bash\nana:x:1000:1000:Ana Example:/home/ana:/bin/bash\n",
		"etc/group":               "wheel:x:10:ana\n",
		"sbin":                    "->/usr/sbin",
		"usr/sbin/init":           "->/usr/lib/systemd/systemd",
		"usr/lib/systemd/systemd": "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
		"bin/sh":                  "->/usr/lib/systemd/systemd",
		"run/reboot-required":     "",
		"var/log/installer/log":   "",
		"proc/stat":               "btime 1772440199\n",
	})
	old := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "var/log/installer"), old, old); err != nil {
		t.Fatal(err)
	}
	s := run(dir)
	want := inventory.System{
		OS: "linux", Name: "Fedora Linux 42 (Server Edition)", Distribution: "fedora", Version: "42", Arch: "arm64",
		InstalledAt: old, Timezone: "America/Mexico_City", Locale: "es_MX.UTF-8", Init: "systemd", RebootPending: true,
		SupportEnds: "2026-05-13", Users: []inventory.Account{{Name: "ana", Admin: true}},
	}
	if !reflect.DeepEqual(s.System, want) || s.Sources[0].Outcome != inventory.OutcomeOK || s.Sources[0].Entries != 2 {
		t.Errorf("got  %+v, %+v\nwant %+v", s.System, s.Sources, want)
	}
	if text, _ := json.Marshal(s); strings.Contains(string(text), "Ana Example") {
		t.Error("a person's name was told")
	}
}

func TestEmptyImageAndBrokenFiles(t *testing.T) {
	s := run(t.TempDir())
	if s.System.Name != "Linux" || s.System.Kernel != "" || s.Sources[0].Outcome != inventory.OutcomeOK {
		t.Errorf("empty: %+v, %+v", s.System, s.Sources)
	}
	for name, content := range map[string]string{
		"etc/os-release": strings.Repeat("x", 70<<10),
		"etc/passwd":     strings.Repeat("x", 2<<20),
		"etc/group/x":    "a folder where a file belongs",
	} {
		s := run(image(t, map[string]string{name: content}))
		if s.Sources[0].Outcome != inventory.OutcomeFailed || s.Sources[0].Error == "" {
			t.Errorf("%s: %+v", name, s.Sources)
		}
	}
}

func TestThisMachine(t *testing.T) {
	s := run("/")
	y := s.System
	if s.Sources[0].Outcome != inventory.OutcomeOK || y.OS != "linux" || y.Name == "" || y.Kernel == "" || y.Arch == "" || y.BootedAt.IsZero() {
		t.Errorf("%+v, %+v", y, s.Sources)
	}
	if !y.BootedAt.Equal(y.BootedAt.Truncate(time.Minute)) {
		t.Errorf("booted at %v", y.BootedAt)
	}
}
