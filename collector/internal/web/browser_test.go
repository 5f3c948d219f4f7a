package web_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// screenshots makes sure of the browser and returns a folder for what it saw.
func screenshots(t *testing.T) string {
	t.Helper()
	for _, need := range []struct{ path, remedy string }{
		{"assets/node_modules/playwright-core", "run make assets"},
		{"/usr/bin/chromium", "run make parts (apt install chromium)"},
	} {
		if _, err := os.Stat(need.path); err != nil {
			t.Fatalf("%s is missing: %s", need.path, need.remedy)
		}
	}
	out := os.Getenv("VIGIA_SCREENSHOTS")
	if out == "" {
		return t.TempDir()
	}
	out, err := filepath.Abs(out)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestListsInTheBrowser uses lists, search and help as a person does, also without
// JavaScript.
func TestListsInTheBrowser(t *testing.T) {
	out := screenshots(t)
	f := newFake()
	f.links["enlace"], f.links["otro"] = "ana@example.com", "ana@example.com"
	srv := console(t, f.deps(t))
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	b, err := exec.CommandContext(ctx, "node", "assets/e2e/lists.mjs", srv.URL, "/signin/enlace", "/signin/otro", filepath.Join(out, "lists")).CombinedOutput()
	if err != nil || !strings.Contains(string(b), "used") {
		t.Fatalf("using the lists: %v\n%s", err, b)
	}
}

// TestBrowser walks the console in a real Chromium. VIGIA_SCREENSHOTS names a folder
// that keeps what it saw.
func TestBrowser(t *testing.T) {
	out := screenshots(t)
	f := newFake()
	f.links["enlace"] = "ana@example.com"
	srv := console(t, f.deps(t))
	walk(t, srv.URL, "/signin/enlace", out, false,
		"/", "/machines", "/machines?q=zzz", "/machines/"+laptop, "/machines/"+server, "/machines/"+freshPC, "/machines/"+laptop+"/software?q=any", "/machines/"+laptop+"/software?show=requested",
		"/machines/"+laptop+"/history", "/software", "/findings", "/findings?state=open&machine="+laptop, "/findings/41", "/findings/40", "/findings/review", "/findings/review?q=zzz", "/findings/review/authorize?row=41-0-u",
		"/allowlist", "/allowlist?changed=3", "/allowlist/rules/1", "/allowlist/rules/1/edit", "/allowlist/remove?row=1", "/allowlist/history", "/allowlist/history/3", "/allowlist/mode?to=monitor", "/allowlist/proposals", "/allowlist/import", "/software/titles/1",
		"/nonconformities", "/nonconformities/NC-2026-0001", "/nonconformities/NC-2026-0002", "/search?q=pc", "/search?q=zzz", "/help", "/help/allowlist", "/help/commands", "/help?q=equipo", "/machines?sort=-findings&site=Quer%C3%A9taro&cols=machine.state.site.area.person.os.serial.seen.report.enrolled.agent.spooled.programs.findings", "/nada")
}

// walk runs the script over the pages of a console; quick looks at each twice only.
func walk(t *testing.T, base, signin, out string, quick bool, paths ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{"assets/e2e/walk.mjs", base, signin, out}, paths...)...)
	if quick {
		cmd.Env = append(cmd.Environ(), "QUICK=1")
	}
	b, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(b), " visits") {
		t.Fatalf("walking the console: %v\n%s", err, b)
	}
	t.Logf("%s", b)
}
