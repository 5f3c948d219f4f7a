package app

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// execute runs one command as the program would.
func execute(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	t.Setenv("VIGIA_CONFIG", "")
	var o, e bytes.Buffer
	code = Execute(context.Background(), args, &o, &e)
	return o.String(), e.String(), code
}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	for _, args := range [][]string{{"inventory"}, {"check"}, {"enroll"}, {"run"}, {"status"}, {"doctor"}, {"version"},
		{"service", "install"}, {"service", "uninstall"}, {"service", "start"}, {"service", "stop"}, {"service", "status"}} {
		out, errOut, code := execute(t, append(args, "--help")...)
		if code != 0 || errOut != "" || !strings.Contains(out, "Example") || !strings.Contains(out, "vigia-agent "+args[0]) {
			t.Errorf("%v --help: exit code %d, %q\n%s", args, code, errOut, out)
		}
	}
	out, _, code := execute(t)
	if code != 0 || !strings.Contains(out, "Exit codes: 0 done") {
		t.Errorf("without arguments: exit code %d\n%s", code, out)
	}
}

func TestWrongUseIsExplained(t *testing.T) {
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"inventry"}, ExitUsage, "inventry"},
		{[]string{"inventory", "--root", filepath.Join(empty, "none")}, ExitUsage, "--root"},
		{[]string{"inventory", "--section", "sofware"}, ExitUsage, "there are"},
		{[]string{"inventory", "--output", "xml"}, ExitUsage, "output"},
		{[]string{"run", "--interval", "1s", "--state", empty}, ExitUsage, "--interval 1s"},
		{[]string{"run", "--timeout", "0s", "--state", empty}, ExitUsage, "--timeout 0s"},
		{[]string{"run", "--once", "--state", empty}, ExitNotEnrolled, "not enrolled"},
		{[]string{"status", "--state", empty, "--reported-since", "yesterday"}, ExitUsage, "RFC 3339"},
		{[]string{"status", "--state", empty}, ExitNotEnrolled, ""},
		{[]string{"enroll", "--token", "x", "--state", empty}, ExitFailure, "token"},
		{[]string{"check", "--state", empty}, ExitFailure, "--allowlist FILE"},
		{[]string{"check", "--allowlist", filepath.Join(empty, "none.yaml")}, ExitFailure, "none.yaml"},
		{[]string{"version", "--config", filepath.Join(empty, "none.yaml")}, ExitUsage, "none.yaml"},
	} {
		_, errOut, code := execute(t, c.args...)
		if code != c.code || !strings.Contains(errOut, c.want) {
			t.Errorf("%v: exit code %d, want %d with %q; told: %s", c.args, code, c.code, c.want, errOut)
		}
	}
}

func TestSettingsFileIsStrictAndTellsAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(file, []byte("intervall: 4h\nlog-level: loud\ninterval: 1s\nonce: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errOut, code := execute(t, "version", "--config", file)
	for _, want := range []string{":1: intervall: no such setting", "loud", ":3: interval: 1s: must be from", ":4: once: no such setting"} {
		if code != ExitUsage || !strings.Contains(errOut, want) {
			t.Errorf("exit code %d, no %q in: %s", code, want, errOut)
		}
	}
}

// image is a folder that looks like a small Debian system.
func image(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range map[string]string{
		"etc/os-release": "ID=debian\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n",
		"etc/hostname":   "sample-image\n",
		"var/lib/dpkg/status": "Package: sample-tool\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 1.2\nMaintainer: Sample <sample@example.com>\n\n" +
			"Package: sample-game\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: 2.0\nMaintainer: Sample <sample@example.com>\n\n",
	} {
		full := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestInventoryOfAnImageHoldsNothingOfTheHost(t *testing.T) {
	out, errOut, code := execute(t, "inventory", "--root", image(t), "--output", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var all map[string]json.RawMessage
	var doc struct {
		Machine  struct{ Hostname string }
		Hardware struct {
			CPUs []any `json:"cpus"`
		}
		Software []struct{ Name, Source string }
		Sources  []struct{ Source, Outcome string }
	}
	for _, into := range []any{&all, &doc} {
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"machine", "hardware", "system", "software", "antivirus", "sources"} {
		if _, ok := all[key]; !ok {
			t.Errorf("the document has no %q", key)
		}
	}
	if doc.Machine.Hostname != "sample-image" || len(doc.Hardware.CPUs) != 0 || len(doc.Software) != 2 {
		t.Errorf("want what the image holds and nothing else, got %s", out)
	}
	outcomes := map[string]string{}
	for _, s := range doc.Sources {
		outcomes[s.Source] = s.Outcome
	}
	if outcomes["deb"] != "ok" || outcomes["snap"] != "absent" || outcomes["ClamAV"] != "absent" {
		t.Errorf("outcomes %v", outcomes)
	}
}

func TestSectionsAreChosen(t *testing.T) {
	out, errOut, code := execute(t, "inventory", "--root", image(t), "--section", "software,system", "--output", "json")
	var all map[string]json.RawMessage
	if code != 0 || json.Unmarshal([]byte(out), &all) != nil || len(all) != 2 || all["software"] == nil || all["system"] == nil {
		t.Errorf("exit code %d, %s%s", code, out, errOut)
	}
}

func TestCheckTellsVerdictsAndExitsThree(t *testing.T) {
	root, dir := image(t), t.TempDir()
	write := func(text string) string {
		file := filepath.Join(dir, "allowlist.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const tool = "  - {name: tools, effect: allow, match: {source: deb, name: sample-tool, version: '>=1.0, <3'}, reason: sample}\n"
	out, errOut, code := execute(t, "check", "--root", root, "--output", "json", "--allowlist", write("mode: enforce\nbaseline: true\nrules:\n"+tool))
	var rows []map[string]string
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{
		{"program": "sample-game", "version": "2.0", "source": "deb", "verdict": "unauthorized", "rule": ""},
		{"program": "sample-tool", "version": "1.2", "source": "deb", "verdict": "authorized", "rule": "tools"},
	}
	if code != ExitUnauthorized || len(rows) != 2 {
		t.Fatalf("exit code %d, %s%s", code, out, errOut)
	}
	for i := range want {
		for k, v := range want[i] {
			if rows[i][k] != v {
				t.Errorf("row %d: %s is %q, want %q", i, k, rows[i][k], v)
			}
		}
	}
	all := write("mode: monitor\nrules:\n" + tool + "  - {name: games, effect: allow, match: {name: sample-game}, reason: sample}\n")
	if out, _, code := execute(t, "check", "--root", root, "--allowlist", all); code != 0 || !strings.Contains(out, "2 programs, 0 not authorized") {
		t.Errorf("everything is allowed: exit code %d, %s", code, out)
	}
	_, errOut, code = execute(t, "check", "--root", root, "--allowlist", write("mode: enforce\nrules:\n  - {name: broken, efect: allow}\n"))
	if code != ExitUsage || !strings.Contains(errOut, "3:") || !strings.Contains(errOut, "efect") {
		t.Errorf("a broken file: exit code %d, want the line and the key in: %s", code, errOut)
	}
}

func TestCacheIsKeptForTheRunningSystemOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	for _, c := range []struct{ flag, root, want string }{
		{noCache, "/", ""},
		{"", "/mnt/image", ""},
		{dir, "/mnt/image", dir},
		{dir, "/", dir},
	} {
		if got, err := cacheFolder(c.flag, c.root); err != nil || got != c.want {
			t.Errorf("--cache %q --root %s: %q, %v; want %q", c.flag, c.root, got, err, c.want)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cacheFolder(filepath.Join(file, "below"), "/"); err == nil || !strings.Contains(err.Error(), "--cache") {
		t.Errorf("a folder that cannot be made: %v", err)
	}
	if _, errOut, code := execute(t, "inventory", "--root", image(t), "--cache", dir); code != 0 {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}
