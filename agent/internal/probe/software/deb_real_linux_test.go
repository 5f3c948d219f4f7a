package software

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
)

// TestDebAgreesWithDpkgQuery compares the probe with dpkg itself on this machine.
func TestDebAgreesWithDpkgQuery(t *testing.T) {
	out, err := exec.Command("/usr/bin/dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n").Output()
	if err != nil {
		t.Fatalf("dpkg-query is needed for this test (package dpkg): %v", err)
	}
	want := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		if state, rest, _ := strings.Cut(strings.TrimSpace(line), "\t"); state != "config-files" && state != "not-installed" {
			want[rest] = true
		}
	}
	got, took := collectHere(t, Deb(), &probe.Env{Root: "/", Now: time.Now(), CacheDir: t.TempDir()})
	origins, requested, base := map[string]int{}, 0, 0
	for _, p := range got {
		name, _, _ := strings.Cut(p.Name, ":")
		key := name + "\t" + p.Version + "\t" + p.Arch
		if !want[key] {
			t.Errorf("%q is not known to dpkg-query", key)
		}
		delete(want, key)
		if p.InstalledAt.IsZero() || p.Publisher == "" {
			t.Errorf("%s: installed at %v by %q", p.Name, p.InstalledAt, p.Publisher)
		}
		if origins[p.Origin]++; p.Origin == "" {
			t.Logf("no origin: %s %s %s", p.Name, p.Version, p.Publisher)
		}
		if p.Requested {
			requested++
		}
		if p.Base {
			base++
		}
	}
	for key := range want {
		t.Errorf("%q is missing", key)
	}
	t.Logf("%d packages, %d requested, %d base, origins %v, CPU %v", len(got), requested, base, origins, took)
}

// collectHere runs a probe and tells the CPU time it took.
func collectHere(t *testing.T, p probe.Probe, env *probe.Env) ([]inventory.Program, time.Duration) {
	t.Helper()
	var part inventory.Snapshot
	before := cpuTime(t)
	n, err := p.Collect(context.Background(), env, &part)
	took := cpuTime(t) - before
	if err != nil {
		t.Fatalf("%s: %v", p.Source, err)
	}
	if n != len(part.Software) {
		t.Fatalf("%s: says %d entries, gave %d", p.Source, n, len(part.Software))
	}
	return part.Software, took
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
