package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestForget(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	if out, _, code := execute(t, "forget", "--state", state, "--yes"); code != 0 || !strings.Contains(out, "nothing") {
		t.Errorf("nothing there: exit code %d, %s", code, out)
	}
	a, err := newAgent(agentConfig{State: state, Interval: time.Hour, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, errOut, code := execute(t, "forget", "--state", state, "--yes"); code != ExitFailure || !strings.Contains(errOut, "stop it first") {
		t.Errorf("an agent runs: exit code %d, %s", code, errOut)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if out, _, code := execute(t, "forget", "--state", state); code != 0 || !strings.Contains(out, "--yes") {
		t.Errorf("only telling: exit code %d, %s", code, out)
	}
	if _, errOut, code := execute(t, "forget", "--state", state, "--hold"); code != 0 {
		t.Errorf("holding: exit code %d, %s", code, errOut)
	}
	if _, errOut, code := execute(t, "forget", "--state", state, "--yes", "--unless-held"); code != 0 {
		t.Errorf("exit code %d, %s", code, errOut)
	}
	if _, err := os.Stat(spoolDir(state)); err != nil {
		t.Errorf("an upgrade removed what it was to keep: %v", err)
	}
	if out, errOut, code := execute(t, "forget", "--state", state, "--yes", "--unless-held"); code != 0 { // a hold is for once
		t.Errorf("exit code %d, %s%s", code, out, errOut)
	}
	if _, err := os.Stat(state); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "letter.txt"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errOut, code := execute(t, "forget", "--state", other, "--yes"); code != ExitUsage || !strings.Contains(errOut, "not an agent's folder") {
		t.Errorf("somebody else's folder: exit code %d, %s", code, errOut)
	}
	if _, err := os.Stat(filepath.Join(other, "letter.txt")); err != nil {
		t.Error(err)
	}
}
