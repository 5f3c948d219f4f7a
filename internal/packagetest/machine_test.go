//go:build linux

package packagetest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait.
const patience = 60 * time.Second

// machine is a Debian 12 that was booted: systemd is its first process, its network has
// a loopback and nothing else.
type machine struct {
	t    *testing.T
	dir  string
	init string // pid of its first process
}

// boot copies the kept root and starts it.
func boot(t *testing.T) *machine {
	t.Helper()
	kept := strings.TrimSpace(run(t, "internal/tools/nspawn.sh"))
	m := &machine{t: t, dir: filepath.Join(t.TempDir(), "root")}
	run(t, "cp", "-a", "--reflink=auto", kept, m.dir)
	var console bytes.Buffer
	cmd := exec.Command("systemd-nspawn", "-D", m.dir, "--register=no", "--keep-unit", "--private-network", "--boot", "--console=pipe")
	cmd.Stdout, cmd.Stderr = &console, &console
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		if init, err := strconv.Atoi(m.init); err == nil {
			_ = syscall.Kill(init, syscall.SIGKILL) // all of it ends with its first process
		}
		_ = cmd.Process.Kill()
		<-ended
	})
	eventually(t, "booting", func() error {
		select {
		case <-ended:
			t.Fatalf("systemd-nspawn ended: %s", console.String())
		default:
		}
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
		if err != nil || len(strings.Fields(string(children))) == 0 {
			return fmt.Errorf("no first process yet: %w", err)
		}
		m.init = strings.Fields(string(children))[0]
		out, err := m.try("systemctl is-system-running || true")
		if state := strings.TrimSpace(out); err != nil || state != "running" && state != "degraded" {
			return fmt.Errorf("%s: %w", state, err)
		}
		return nil
	})
	return m
}

// try runs a shell line inside the machine.
func (m *machine) try(line string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", "--target", m.init, "--all", "--", "/bin/sh", "-c", line)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_PAGER=cat"}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w\n%s", line, err, out.String())
	}
	return out.String(), nil
}

func (m *machine) sh(line string) string {
	m.t.Helper()
	out, err := m.try(line)
	if err != nil {
		m.t.Fatalf("%v\n%s", err, m.log())
	}
	return strings.TrimSpace(out)
}

// log is the end of what the services said.
func (m *machine) log() string {
	out, err := m.try("journalctl --no-pager -n 25 -u vigia-agent -u vigia-collector -o cat")
	if err != nil {
		return err.Error()
	}
	return out
}

// until waits until a shell line succeeds.
func (m *machine) until(what, line string) {
	m.t.Helper()
	end := time.Now().Add(patience)
	for {
		_, err := m.try(line)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			m.t.Fatalf("%s: not within %v: %v\n%s", what, patience, err, m.log())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// put copies files into the machine's /root.
func (m *machine) put(files ...string) {
	m.t.Helper()
	run(m.t, "cp", append(files, filepath.Join(m.dir, "root"))...)
}

// eventually waits until check has no objection.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("%s: not within %v: %v", what, patience, err)
}
