package web_test

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/actor"
)

// TestBrowserSignIn signs in and looks after an account in a real Chromium, without
// JavaScript and with it. VIGIA_SCREENSHOTS names a folder that keeps what it saw.
func TestBrowserSignIn(t *testing.T) {
	h := newHouse(t)
	h.password("luis@example.com")
	h.password("marta@example.com")
	ctx := actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
	key, err := h.a.NewTOTP("marta@example.com")
	if err != nil {
		t.Fatal(err)
	}
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key.Secret)
	if _, err := h.a.SetTOTP(ctx, "marta@example.com", key.Secret, h.code(secret)); err != nil {
		t.Fatal(err)
	}
	invitation, err := h.a.PrintLink(ctx, "rosa@example.com", account.ForInvite)
	if err != nil {
		t.Fatal(err)
	}
	h.f.links["operador"] = ""
	facts, err := json.Marshal(map[string]any{
		"email": "luis@example.com", "password": goodPassword, "operator": "/signin/operador", "invitation": "/signin/" + invitation, "clock": h.a.now().Unix(),
		"coded": map[string]string{"email": "marta@example.com", "password": goodPassword, "secret": secret},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if dir := os.Getenv("VIGIA_SCREENSHOTS"); dir != "" {
		if out, err = filepath.Abs(filepath.Join(dir, "signin")); err != nil {
			t.Fatal(err)
		}
	}
	run, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	b, err := exec.CommandContext(run, "node", "assets/e2e/signin.mjs", h.URL, out, string(facts)).CombinedOutput()
	if err != nil || !strings.Contains(string(b), " visits") {
		t.Fatalf("signing in (make assets and make parts bring what it needs): %v\n%s", err, b)
	}
	t.Logf("%s", b)
}
