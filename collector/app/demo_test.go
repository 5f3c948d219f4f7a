package app

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigia/collector/internal/store/storetest"
)

// TestDemo fills on both engines, checks, and signs in as everybody whom the help names.
func TestDemo(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { tryDemo(t, filepath.Join(t.TempDir(), "data")) })
	t.Run("postgres", func(t *testing.T) { tryDemo(t, storetest.Postgres(t)) })
}

func tryDemo(t *testing.T, where string) {
	flag := "--data=" + where
	if strings.HasPrefix(where, "postgres") {
		flag = "--database-url=" + where
	}
	out, errOut, code := command("demo", flag, "--machines", "30", "--output", "json")
	if code != 0 {
		t.Fatalf("demo ended %d: %s", code, errOut)
	}
	var made demoResult
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Machines != 30 || len(made.SignIn) != 9 || len(made.Commands) != 2 {
		t.Fatalf("%v: %s", err, out)
	}
	if out, _, code := command("check", flag); code != 0 {
		t.Errorf("check ended %d: %s", code, out)
	}
	if link, _, code := command("signin-link", flag, "--person", "admin@example.com"); code != 0 || !strings.HasPrefix(link, "https://"+demoWeb+"/signin/") {
		t.Errorf("a link before the first start: %d %s", code, link)
	}
	if _, errOut, code := command("demo", flag); code != 1 || !strings.Contains(errOut, "sample data") {
		t.Errorf("filling it again ended %d: %s", code, errOut)
	}
	c := start(t, where)
	for _, p := range made.SignIn {
		visit(t, c, p.Email)
	}
	if _, errOut, code := command("demo", flag); code != 1 {
		t.Errorf("filling under a running collector ended %d: %s", code, errOut)
	}
}

// visit signs in and looks at the first page, which says that this is sample data.
func visit(t *testing.T, c *collector, email string) {
	t.Helper()
	b := browser(t)
	link := strings.TrimSpace(c.cli("signin-link", "--person", email))
	resp, err := b.PostForm(link, url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	code, body := get(t, b, "https://"+c.Addrs().Web+"/?lang=es")
	if code != 200 || !strings.Contains(body, "Datos de muestra") || !strings.Contains(body, "/signout") {
		t.Errorf("%s: the first page: %d\n%s", email, code, body)
	}
}

func TestDemoRefusesRealData(t *testing.T) {
	data := t.TempDir()
	c := start(t, data)
	c.token()
	if _, errOut, code := command("demo", "--data", data); code != 1 || !strings.Contains(errOut, "another collector") {
		t.Errorf("beside a running collector: %d %s", code, errOut)
	}
	c.stop()
	before, err := os.ReadFile(databaseFile(data))
	if err != nil {
		t.Fatal(err)
	}
	if _, errOut, code := command("demo", "--data", data); code != 1 || !strings.Contains(errOut, "fresh folder") {
		t.Errorf("over real data: %d %s", code, errOut)
	}
	if after, err := os.ReadFile(databaseFile(data)); err != nil || string(after) != string(before) {
		t.Errorf("the refused folder was changed: %v", err)
	}
	if _, errOut, code := command("demo", "--data", t.TempDir(), "--machines", "5"); code != 2 || !strings.Contains(errOut, "30") {
		t.Errorf("too few machines: %d %s", code, errOut)
	}
	if left, err := filepath.Glob(filepath.Join(data, ".demo-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
