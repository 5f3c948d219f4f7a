package web_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestAuthorizationsInABrowser walks the pages of requests, one's own page and the question
// of a mail in a real Chromium, with axe.
func TestAuthorizationsInABrowser(t *testing.T) {
	out := t.TempDir()
	if dir := os.Getenv("VIGIA_SCREENSHOTS"); dir != "" {
		out = filepath.Join(dir, "authorizations")
	}
	f := newFake()
	f.links["enlace"], f.links["suyo"] = "sofia@example.com", "luis@example.com"
	srv := console(t, f.deps(t))
	walk(t, srv.URL, "/signin/enlace", filepath.Join(out, "it"), true,
		"/authorizations", "/authorizations/new", "/authorizations/AUT-2026-0001", "/authorizations/AUT-2026-0003?look=grant&reach=all", "/authorizations/AUT-2026-0004",
		"/authorizations/rules", "/authorizations/rules/1?look=remove", "/authorizations/exceptions", "/authorizations/brake", "/findings/severities", "/findings/41")
	walk(t, srv.URL, "/signin/suyo", filepath.Join(out, "own"), true, "/my", "/questions/3", "/answer/pregunta", "/answer/contestada")
}
