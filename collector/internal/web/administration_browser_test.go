package web_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestAdministrationInABrowser walks settings, mail and backups in a real Chromium.
func TestAdministrationInABrowser(t *testing.T) {
	out := t.TempDir()
	if dir := os.Getenv("VIGIA_SCREENSHOTS"); dir != "" {
		out = filepath.Join(dir, "administration")
	}
	f := newFake()
	f.links["enlace"] = "sofia@example.com"
	srv := console(t, f.deps(t))
	walk(t, srv.URL, "/signin/enlace", out, false, "/settings", "/mail", "/mail/4", "/mail/3", "/mail/server", "/backups", "/webhooks", "/webhooks/1", "/deliveries",
		"/administration", "/tokens", "/tokens/new", "/tokens/T5", "/tokens/T5/revoke", "/agents", "/machines/"+laptop+"/agent", "/machines/"+laptop+"/revoke", "/certificates", "/certificates/rotate/begin", "/certificates/rotate/finish",
		"/audit", "/audit/2", "/audit/4", "/audit/proof", "/audit/proof?seq=2&hash=00")
}
