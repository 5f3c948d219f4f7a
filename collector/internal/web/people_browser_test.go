package web_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPeopleInABrowser walks the pages of the directory in a real Chromium.
func TestPeopleInABrowser(t *testing.T) {
	out := t.TempDir()
	if dir := os.Getenv("VIGIA_SCREENSHOTS"); dir != "" {
		out = filepath.Join(dir, "people")
	}
	f := newFake()
	f.links["enlace"] = "sofia@example.com"
	srv := console(t, f.deps(t))
	walk(t, srv.URL, "/signin/enlace", out, true,
		"/administration", "/people", "/people?active=false", "/people/new", "/people/2", "/people/2?done=deactivated", "/people/6", "/people/2/edit",
		"/areas", "/areas/1", "/areas/2/edit", "/sites", "/sites/2", "/sites/1/edit", "/import", "/import/good", "/import/wrong")
}
