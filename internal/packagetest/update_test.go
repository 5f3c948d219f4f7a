//go:build linux

package packagetest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// keptAlive runs the installed agent as a service manager would: what ends is started again.
func keptAlive(t *testing.T, program, state string) {
	t.Helper()
	var stop atomic.Bool
	var current atomic.Pointer[os.Process]
	ended := make(chan struct{})
	log := filepath.Join(t.TempDir(), "agent.log")
	go func() {
		defer close(ended)
		for starts := 0; !stop.Load() && starts < 20; starts++ {
			f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				return
			}
			cmd := exec.Command(program, "run", "--state", state, "--update-interval", "1s")
			cmd.Stdout, cmd.Stderr = f, f
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			if cmd.Start() == nil {
				current.Store(cmd.Process)
				_ = cmd.Wait()
			}
			f.Close()
			time.Sleep(100 * time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		stop.Store(true)
		if p := current.Load(); p != nil {
			_ = p.Signal(syscall.SIGTERM)
		}
		<-ended
		if t.Failed() {
			text, _ := os.ReadFile(log)
			t.Logf("agent: %s", text[max(0, len(text)-5000):])
		}
	})
}

// The whole way of an update, with the programs of the packages: keys, release, stage,
// the agent that changes itself, and one that goes back by itself.
func TestUpdateFromTheCollector(t *testing.T) {
	server, data := collector(t)
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", filepath.Join(packages(t, older, "deb"), "vigia-agent_"+older+"_amd64.deb"), dir)
	installed, state := filepath.Join(dir, "usr/bin/vigia-agent"), filepath.Join(dir, "state")
	run(t, installed, "enroll", "--state", state, "--token", strings.TrimSpace(run(t, server, "token", "create", "--data", data)))
	keys, releases, phrase := filepath.Join(dir, "keys"), filepath.Join(dir, "releases"), filepath.Join(dir, "passphrase")
	if err := os.WriteFile(phrase, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	release := func(version, program string) {
		t.Helper()
		run(t, server, "update", "sign", "--keys", keys, "--passphrase-file", phrase, "--releases", releases, program)
		run(t, server, "update", "publish", releases, "--data", data)
		run(t, server, "update", "stage", version, "--grace", "60s", "--data", data)
	}
	run(t, server, "update", "init-keys", "--keys", keys, "--passphrase-file", phrase)
	keptAlive(t, installed, state)
	release(newer, filepath.Join(packages(t, newer, "agent", "update"), "vigia-agent_"+newer+"_linux-amd64"))
	proven := func() error {
		var r struct{ Current string }
		text, err := os.ReadFile(filepath.Join(state, "versions/state.json"))
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil || r.Current != newer {
			return fmt.Errorf("%s, %w", text, err)
		}
		return nil
	}
	eventually(t, "the new version runs and has reported", proven)
	list := func(want string) func() error {
		return func() error {
			if out := run(t, server, "update", "list", "--data", data); !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
				return fmt.Errorf("want %q in\n%s", want, out)
			}
			return nil
		}
	}
	eventually(t, "the collector knows", list(newer+" current 1"))
	if out := run(t, installed, "version"); !strings.Contains(out, older) {
		t.Errorf("what the package installed was touched: %s", out)
	}

	// One that can say its version, and ends as soon as it is to work.
	const broken = "0.8.3"
	bad := filepath.Join(dir, "vigia-agent_"+broken+"_linux-amd64")
	if err := os.WriteFile(bad, []byte("#!/bin/sh\n[ \"$1\" = version ] && echo '{\"version\": \""+broken+"\"}'\n[ \"$1\" = version ]\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	release(broken, bad)
	eventually(t, "the machine goes back, and says why", list(newer+" "+broken+" rolled-back"))
	if err := proven(); err != nil {
		t.Error(err)
	}
	if out, err := try(server, "update", "stage", "0.9.9", "--data", data); err == nil || !strings.Contains(out, "not published") {
		t.Errorf("a version that nobody published: %s, %v", out, err)
	}
}
