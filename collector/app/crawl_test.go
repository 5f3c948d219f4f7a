package app

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/web"
)

// notCrawled are pages that no link leads to: how one gets in, parts that pages fetch by
// themselves, and where forms lead. Other tests look at them.
var notCrawled = []string{"/signin", "/signin/code", "/signin/link", "/signin/reset", "/signin/{secret}",
	"/home/counts", "/search/quick", "/backups/live", "/machines/{id}/asked", "/accounts/find", "/import/{id}", "/certificates/live", "/audit/proof/live", "/audit/export",
	"/nonconformities/{number}/files/{hash}", "/answer/{secret}", "/questions/{n}"}

// TestEveryPageInABrowser follows every link of the sample company's console as each
// role and judges every kind of page in Chromium; see assets/e2e/crawl.mjs. What it saw
// is kept in VIGIA_SCREENS, bin/screens unless given; VIGIA_PAGES limits it to pages
// whose path contains that.
func TestEveryPageInABrowser(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	out, errOut, code := command("demo", "--data", data, "--machines", "30", "--output", "json")
	if code != 0 {
		t.Fatalf("demo ended %d: %s", code, errOut)
	}
	var made demoResult
	if err := json.Unmarshal([]byte(out), &made); err != nil || len(made.SignIn) != 9 {
		t.Fatalf("%v: %s", err, out)
	}
	c := start(t, data)
	c.cli("group", "create", "portátiles", "--os", "*", "--about", "Equipos con Windows y Linux")
	c.cli("setting", "set", "mail.host=127.0.0.1", "mail.port=9", "mail.tls=none", "mail.from=vigia@example.com")
	c.cli("account", "invite", "empleado@example.com") // leaves a message to look at
	c.cli("webhook", "create", "pruebas", "https://127.0.0.1:9/hook")
	c.cli("webhook", "test", "1")
	signin := map[string]string{}
	for _, p := range made.SignIn {
		link, err := url.Parse(strings.TrimSpace(c.cli("signin-link", "--person", p.Email)))
		if err != nil {
			t.Fatal(err)
		}
		signin[p.Role] = link.Path
	}
	facts, err := json.Marshal(map[string]any{"base": "https://" + c.Addrs().Web, "signin": signin, "patterns": web.Pages(),
		"catalogue": absolute(t, "../internal/locale/catalogue"), "out": screens(t), "workers": 2, "only": os.Getenv("VIGIA_PAGES")})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "assets/e2e/crawl.mjs")
	cmd.Dir, cmd.Stdin = "../internal/web", bytes.NewReader(facts)
	b, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("crawling (make assets and make parts bring what it needs): %v\n%s", err, b)
	}
	_, rest, ok := strings.Cut(string(b), "COVERED ")
	var covered []string
	if err := json.NewDecoder(strings.NewReader(rest)).Decode(&covered); !ok || err != nil {
		t.Fatalf("nothing was covered: %v\n%s", err, b)
	}
	for _, page := range web.Pages() {
		file := strings.Contains(filepath.Base(page), ".") || strings.HasSuffix(page, "/file")
		if os.Getenv("VIGIA_PAGES") == "" && !file && !slices.Contains(notCrawled, page) && !slices.Contains(covered, page) {
			t.Errorf("%s was not looked at: no link leads there in the sample company", page)
		}
	}
	t.Logf("%s", b)
}

// screens is the folder that keeps what browsers saw.
func screens(t *testing.T) string {
	if dir := os.Getenv("VIGIA_SCREENS"); dir != "" {
		return absolute(t, dir)
	}
	return absolute(t, "../../bin/screens")
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
