package app

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMainPathsInABrowser walks what each role does most, and each kind of form with
// JavaScript and without it, in Chromium; see assets/e2e/paths.mjs.
func TestMainPathsInABrowser(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	out, errOut, code := command("demo", "--data", data, "--machines", "30", "--output", "json")
	if code != 0 {
		t.Fatalf("demo ended %d: %s", code, errOut)
	}
	var made demoResult
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	c := start(t, data)
	links := map[string][]string{}
	for _, p := range append(made.SignIn, made.SignIn[0], made.SignIn[0]) { // the first twice more, for the forms
		link, err := url.Parse(strings.TrimSpace(c.cli("signin-link", "--person", p.Email)))
		if err != nil {
			t.Fatal(err)
		}
		links[p.Role] = append(links[p.Role], link.Path)
	}
	var machines []struct{ Hostname, Person string }
	if err := json.Unmarshal([]byte(c.cli("machine", "list", "-o", "json")), &machines); err != nil {
		t.Fatal(err)
	}
	mine := ""
	for _, m := range machines {
		if m.Person == "empleado@example.com" {
			mine = m.Hostname
		}
	}
	facts, err := json.Marshal(map[string]any{"base": "https://" + c.Addrs().Web, "signin": links, "out": screens(t), "mine": mine})
	if err != nil || mine == "" {
		t.Fatalf("the employee's machine %q: %v", mine, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "assets/e2e/paths.mjs")
	cmd.Dir, cmd.Stdin = "../internal/web", bytes.NewReader(facts)
	b, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(b), "steps walked") {
		t.Errorf("walking (make assets and make parts bring what it needs): %v\n%s", err, b)
	}
}
