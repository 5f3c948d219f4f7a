package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for something that has no limit of its own.
const patience = 60 * time.Second

// programs builds both programs once per test run and returns the folder they are in.
func programs(t *testing.T) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var built string // removed by TestMain

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "vigia-e2e-")
	if err != nil {
		return "", err
	}
	built = dir
	for name, cgo := range map[string]string{"agent": "0", "collector": "1"} {
		cmd := exec.Command("go", "build", "-tags", "grpcnotrace", "-o", filepath.Join(dir, "vigia-"+name), "vigia/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building vigia-%s: %w\n%s", name, err, out)
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFleet); dir != "" {
		if err := sendAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
	os.Exit(code)
}

// process is a program that a test started; it ends with the test.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

func start(t *testing.T, log string, name string, args ...string) *process {
	t.Helper()
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := &process{t: t, cmd: exec.Command(name, args...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the exit code is asked for where it matters
		close(p.done)
	}()
	t.Cleanup(func() { p.end(syscall.SIGKILL) })
	return p
}

// end sends a signal and waits until the program has ended.
func (p *process) end(sig syscall.Signal) {
	select {
	case <-p.done:
		return
	default:
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("sending %v: %v", sig, err)
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Errorf("pid %d did not end after %v; its log:\n%s", p.cmd.Process.Pid, sig, tail(p.log))
		_ = p.cmd.Process.Kill()
	}
}

// tail returns the end of a log.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(b) > 4000 {
		b = b[len(b)-4000:]
	}
	return string(b)
}

// result is what a command printed, and its exit code.
type result struct {
	out, err string
	code     int
}

// command runs a program to its end.
func command(t *testing.T, name string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return result{out.String(), errOut.String(), cmd.ProcessState.ExitCode()}
}

// must fails the test unless the command ended with 0.
func must(t *testing.T, r result) result {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	return r
}

// eventually waits until f is true.
func eventually(t *testing.T, what string, within time.Duration, f func() bool, logs ...string) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !f() {
		if time.Now().After(deadline) {
			text := ""
			for _, l := range logs {
				text += "\n" + l + ":\n" + tail(l)
			}
			t.Fatalf("%s: not within %v%s", what, within, text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// freePort returns an address of 127.0.0.1 that nothing listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// collector is a collector's process and its data.
type collector struct {
	*process
	t           *testing.T
	bin         string
	data        string
	agents, web string
	args        []string
}

func newCollector(t *testing.T, args ...string) *collector {
	t.Helper()
	dir := programs(t)
	c := &collector{t: t, bin: filepath.Join(dir, "vigia-collector"), data: t.TempDir(), agents: freePort(t), web: freePort(t), args: args}
	c.start()
	return c
}

// start starts the collector, again on the same data after it ended, and waits until
// it is ready.
func (c *collector) start() {
	c.t.Helper()
	args := append([]string{"serve", "--data", c.data, "--agents", c.agents, "--web", c.web}, c.args...)
	c.process = start(c.t, filepath.Join(c.data, "test.log"), c.bin, args...)
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} // its certificate is its own; readiness alone is asked
	eventually(c.t, "the collector is ready", patience, func() bool {
		answer, err := client.Get("https://" + c.web + "/readyz")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, c.log)
}

// cli runs a command of the collector on its data.
func (c *collector) cli(args ...string) result {
	c.t.Helper()
	return command(c.t, c.bin, append(args, "--data", c.data)...)
}

// list runs a command that lists, and reads its JSON.
func list[T any](c *collector, args ...string) []T {
	c.t.Helper()
	out := must(c.t, c.cli(append(args, "--output", "json")...)).out
	var rows []T
	if err := json.Unmarshal([]byte(out), &rows); err != nil || rows == nil {
		c.t.Fatalf("%v: not a JSON array: %v\n%s", args, err, out)
	}
	return rows
}

// allow imports an allowlist.
func (c *collector) allow(text string) {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "allowlist.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	must(c.t, c.cli("allowlist", "import", file, "--yes", "--max-open", "100000"))
}

func (c *collector) token() string {
	c.t.Helper()
	return strings.TrimSpace(must(c.t, c.cli("token", "create")).out)
}

// agent is this machine's agent with a state folder of its own.
type agent struct {
	*process
	t     *testing.T
	bin   string
	state string
}

func newAgent(t *testing.T) *agent {
	t.Helper()
	return &agent{t: t, bin: filepath.Join(programs(t), "vigia-agent"), state: t.TempDir()}
}

func (a *agent) cli(args ...string) result {
	a.t.Helper()
	return command(a.t, a.bin, args...)
}

func (a *agent) enroll(c *collector) *agent {
	a.t.Helper()
	must(a.t, a.cli("enroll", "--token", c.token(), "--state", a.state))
	return a
}

// start starts the agent as it runs on a PC.
func (a *agent) start() *agent {
	a.t.Helper()
	a.process = start(a.t, a.state+".log", a.bin, "run", "--state", a.state)
	return a
}

// reported waits until everything up to now was acknowledged.
func (a *agent) reported(since time.Time) {
	a.t.Helper()
	eventually(a.t, "the agent's report is acknowledged", patience, func() bool {
		return a.cli("status", "--state", a.state, "--reported-since", since.UTC().Format(time.RFC3339)).code == 0
	}, a.log)
}
