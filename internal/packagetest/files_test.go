//go:build linux

package packagetest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestSameCommitSameBytes(t *testing.T) {
	first := packages(t, older, "agent", "deb", "rpm", "sbom")
	second := filepath.Join(scratch, "again")
	makePackages(t, second, older, "agent", "deb", "rpm", "sbom")
	files, err := filepath.Glob(filepath.Join(first, "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		a, errA := os.ReadFile(f)
		b, errB := os.ReadFile(filepath.Join(second, filepath.Base(f)))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs when it is made again (%d and %d bytes, %v, %v)", filepath.Base(f), len(a), len(b), errA, errB)
		}
	}
}

func TestVersionSortsEverywhere(t *testing.T) {
	got := strings.TrimSpace(run(t, "internal/tools/version.sh"))
	if !regexp.MustCompile(`^\d+\.\d+\.\d+(\+dirty)?$`).MatchString(got) {
		t.Errorf("version %q", got)
	}
	if out, err := try("env", "OUT="+t.TempDir(), "VERSION=1.2-x", "internal/tools/packages.sh", "agent", "deb"); err == nil || !strings.Contains(out, "MAJOR.MINOR.PATCH") {
		t.Errorf("a version that no package has: %s, %v", out, err)
	}
}

// How exposed the services are, by systemd's own reckoning (0 to 10). The agent reads the
// whole machine as root; 2.5 is what that leaves.
func TestUnitsAreSound(t *testing.T) {
	dir := t.TempDir()
	for unit, most := range map[string]string{"vigia-agent.service": "26", "vigia-collector.service": "15"} {
		run(t, "systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold="+most, "installer/linux/"+unit)
		if out, err := try("systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=5", "installer/linux/"+unit); err == nil {
			t.Errorf("the gate lets everything pass: %s", out)
		}
	}
	run(t, "mkdir", "-p", filepath.Join(dir, "usr/lib/systemd"))
	run(t, "cp", "-a", "/usr/lib/systemd/system", filepath.Join(dir, "usr/lib/systemd/")) // what the unit comes after
	deb := packages(t, older, "agent", "deb", "rpm", "sbom")
	run(t, "dpkg-deb", "-x", filepath.Join(deb, "vigia-agent_"+older+"_amd64.deb"), dir)
	if out := run(t, "systemd-analyze", "verify", "--man=no", "--root="+dir, "/usr/lib/systemd/system/vigia-agent.service"); strings.Contains(out, "vigia-agent") {
		t.Errorf("systemd remarks: %s", out)
	}
}

func TestManualAndCompletionsOfThePackage(t *testing.T) {
	dir := t.TempDir()
	deb := packages(t, older, "agent", "deb", "rpm", "sbom")
	run(t, "dpkg-deb", "-x", filepath.Join(deb, "vigia-agent_"+older+"_amd64.deb"), dir)
	page := filepath.Join(dir, "usr/share/man/man8/vigia-agent.8.gz")
	if out := run(t, "sh", "-c", "LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings=w -l "+page+" 2>&1 | col -b"); !strings.Contains(out, "enroll") ||
		!strings.Contains(out, "--reported-since TIME") || !strings.Contains(out, "vigia-agent enroll --token") || strings.Contains(out, "warning") {
		t.Errorf("the manual page: %.2000s", out)
	}
	bash := filepath.Join(dir, "usr/share/bash-completion/completions/vigia-agent")
	ask := func(words string, at int) string {
		return run(t, "bash", "-c", "source "+bash+"; COMP_WORDS=("+words+"); COMP_CWORD="+string(rune('0'+at))+"; _vigia_agent; echo ${COMPREPLY[@]}")
	}
	for _, c := range []struct {
		words string
		at    int
		want  string
	}{{"vigia-agent serv", 1, "service"}, {"vigia-agent service st", 2, "start stop status"}, {"vigia-agent status --output ''", 3, "table json"}, {"vigia-agent enroll --la", 2, "--later"}} {
		if got := strings.TrimSpace(ask(c.words, c.at)); got != c.want {
			t.Errorf("bash: after %q come %q, want %q", c.words, got, c.want)
		}
	}
	fish := filepath.Join(dir, "usr/share/fish/vendor_completions.d/vigia-agent.fish")
	if out := run(t, "fish", "--no-config", "-c", "source "+fish+"; complete -C 'vigia-agent service st'; complete -C 'vigia-agent status --output '"); !strings.Contains(out, "status\tAsk the service manager") || !strings.Contains(out, "json\t") {
		t.Errorf("fish: %s", out)
	}
	run(t, "zsh", "-fc", "autoload -U compinit && compinit -D && source "+filepath.Join(dir, "usr/share/zsh/vendor-completions/_vigia-agent")+" && [[ $_comps[vigia-agent] = _vigia_agent ]]")
}

func TestBillOfMaterialsNamesWhatIsInside(t *testing.T) {
	dir := packages(t, older, "agent", "deb", "rpm", "sbom")
	text, err := os.ReadFile(filepath.Join(dir, "vigia-agent_"+older+".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"bomFormat": "CycloneDX"`, "pkg:golang/google.golang.org/grpc@v", `"version": "` + older + `"`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("lacks %s", want)
		}
	}
}
