package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// parsed are the flags that a command line gives.
func parsed(t *testing.T, args ...string) flags {
	t.Helper()
	var f flags
	p, err := kong.New(&f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestScenariosAgainstTheRealProgram runs every scenario against a collector process.
func TestScenariosAgainstTheRealProgram(t *testing.T) {
	dir := t.TempDir()
	program, data := filepath.Join(dir, "vigia-collector"), filepath.Join(dir, "data")
	if out, err := exec.Command("go", "build", "-tags", "grpcnotrace", "-o", program, "vigia/collector").CombinedOutput(); err != nil {
		t.Fatalf("building the collector: %v\n%s", err, out)
	}
	var log bytes.Buffer
	server := exec.Command(program, "serve", "--data", data, "--agents", "127.0.0.1:0", "--web", "127.0.0.1:0")
	server.Stderr = &log
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the collector's log:\n%s", &log)
		}
	})
	token := waitToken(t, program, data)
	args := []string{"--collector", program, "--data", data, "--token", token, "--agents", "6", "--programs", "60", "--rounds", "2", "--cycles", "3",
		"--settle", "10ms", "--output", "json"}
	f := parsed(t, append(args, "--scenario", "first,changed,unchanged,connect,reconnect")...)
	f.PID = server.Process.Pid
	var out bytes.Buffer
	if err := run(context.Background(), f, &out); err != nil {
		t.Fatal(err)
	}
	var results []result
	if err := json.Unmarshal(out.Bytes(), &results); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{6, 12, 18, 6, 18} {
		if r := results[i]; r.Done != want || r.Stored != 6 || r.PerSecond <= 0 || r.RSSAfter == 0 {
			t.Errorf("%+v, want %d done", r, want)
		}
	}
}

// waitToken makes a token as soon as the collector has written down its address.
func waitToken(t *testing.T, program, data string) string {
	t.Helper()
	var out []byte
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if out, err = exec.Command(program, "token", "create", "--uses", "6", "--data", data).Output(); err == nil {
			return strings.TrimSpace(string(out))
		}
	}
	t.Fatalf("no token within a minute: %v", err)
	return ""
}

func TestFlagsAreChecked(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--data x --scenario swim", "--scenario swim"},
		{"--scenario first", "--data or --database-url"},
		{"--data x --rounds 0", "--rounds 0"},
		{"--data x --programs 20000", "--programs 20000"},
	} {
		f := parsed(t, strings.Fields(c.args)...)
		if err := f.check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.args, err, c.want)
		}
	}
}

func TestPlus(t *testing.T) {
	a := result{Done: 1, Seconds: 1, CollectorCPU: 10, RSSBefore: 7, Retries: 1}
	b := result{Done: 3, Seconds: 1, CollectorCPU: 2, RSSBefore: 5, Retries: 2}
	if r := a.plus(b); r.Done != 4 || r.PerSecond != 2 || r.CollectorCPU != 4 || r.RSSBefore != 7 || r.Retries != 3 {
		t.Errorf("%+v", r)
	}
}
