package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/internal/pki"
)

func sampleToken(t *testing.T) string {
	t.Helper()
	line, err := pki.Token{Addresses: []string{"127.0.0.1:1"}, Secret: []byte("0123456789abcdef")}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return line
}

func TestTokenIsLeftForTheRunningAgent(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	out, errOut, code := execute(t, "enroll", "--later", "--state", state, "--token", sampleToken(t))
	if code != 0 || !strings.Contains(out, "kept until") {
		t.Fatalf("exit code %d, %s%s", code, out, errOut)
	}
	if info, err := os.Stat(tokenFile(state)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if got, err := readToken(tokenFile(state)); err != nil || got != sampleToken(t) {
		t.Errorf("%q, %v", got, err)
	}
	if _, errOut, code := execute(t, "enroll", "--later", "--state", state, "--token", "VIGIA-nonsense"); code != ExitUsage || !strings.Contains(errOut, "--token") {
		t.Errorf("a token that is none: exit code %d, %s", code, errOut)
	}
}

func TestTokenThatOthersReadIsNotUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readToken(path); err == nil || !strings.Contains(err.Error(), "chmod 0600") {
		t.Errorf("read by others: %v", err)
	}
	link := path + "-link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := readToken(link); err == nil || !strings.Contains(err.Error(), "no plain file") {
		t.Errorf("a link: %v", err)
	}
}

func TestTokenStaysWhileTheCollectorIsAwayAndGoesWhenRefused(t *testing.T) {
	state := t.TempDir()
	a, err := newAgent(agentConfig{State: state, Interval: time.Hour, Log: slog.New(slog.DiscardHandler), Now: time.Now, Tokens: []string{tokenFile(state)}})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := leaveToken(state, sampleToken(t)); err != nil {
		t.Fatal(err)
	}
	if tried, err := a.tryTokens(context.Background()); tried || err == nil {
		t.Errorf("nobody listens: %v, %v", tried, err)
	}
	if _, err := os.Stat(tokenFile(state)); err != nil {
		t.Errorf("the token is to be tried again: %v", err)
	}
	if err := leaveToken(state, "mistyped"); err != nil {
		t.Fatal(err)
	}
	if tried, err := a.tryTokens(context.Background()); tried || err != nil {
		t.Errorf("no token: %v, %v", tried, err)
	}
	if _, err := os.Stat(tokenFile(state)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a token that can never work is removed: %v", err)
	}
}
