package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// wine is a Windows of its own: a copy of the prepared prefix (internal/tools/wine.sh).
type wine struct {
	t      *testing.T
	prefix string // in the chroot
	drive  string // the folder of C: on the host
}

const wineScript = "../tools/wine.sh"

// windowsAgent builds vigia-agent.exe once per test run.
var windowsAgent = sync.OnceValues(func() (string, error) {
	dir, err := build()
	if err != nil {
		return "", err
	}
	exe := filepath.Join(dir, "vigia-agent.exe")
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "grpcnotrace", "-o", exe, "vigia/agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=windows", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building vigia-agent.exe: %w\n%s", err, out)
	}
	return exe, nil
})

// newWine makes a Windows with the agent at C:\vigia\vigia-agent.exe.
func newWine(t *testing.T) *wine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("Wine runs in a chroot here: run this test as root")
	}
	exe, err := windowsAgent()
	if err != nil {
		t.Fatal(err)
	}
	root := strings.TrimSpace(must(t, commandFor(t, 10*time.Minute, wineScript)).out)
	w := &wine{t: t, prefix: strings.TrimSpace(must(t, commandFor(t, 2*time.Minute, wineScript, "new")).out)}
	w.drive = filepath.Join(root, w.prefix, "drive_c")
	t.Cleanup(func() { commandFor(t, patience, wineScript, "drop", w.prefix) })
	// The server keeps what is in memory only, the keys of other users, while it lives.
	must(t, commandFor(t, patience, wineScript, "exec", w.prefix, "wineserver", "-p"))
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	w.write(`vigia\vigia-agent.exe`, b)
	if err := os.Remove(filepath.Join(filepath.Dir(w.drive), "dosdevices", "z:")); err != nil { // the chroot is no part of this Windows
		t.Fatal(err)
	}
	return w
}

// commandFor is command with a limit of its own, and with files for what is printed:
// Wine's servers outlive the program and would keep pipes open.
func commandFor(t *testing.T, limit time.Duration, name string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	dir := t.TempDir()
	var files [2]*os.File
	for i, kind := range [...]string{"out", "err"} {
		f, err := os.Create(filepath.Join(dir, kind))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = files[0], files[1]
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s: %v", name, err)
	}
	read := func(f *os.File) string {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(b), "\r", "")
	}
	return result{read(files[0]), read(files[1]), cmd.ProcessState.ExitCode()}
}

// path returns where a path below C:\ lies on the host.
func (w *wine) path(name string) string {
	return filepath.Join(w.drive, filepath.FromSlash(strings.ReplaceAll(strings.TrimPrefix(name, `C:\`), `\`, "/")))
}

// write writes a file below C:\.
func (w *wine) write(name string, content []byte) {
	w.t.Helper()
	file := w.path(name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// run runs a Windows program to its end.
func (w *wine) run(args ...string) result {
	w.t.Helper()
	return commandFor(w.t, patience, wineScript, append([]string{"exec", w.prefix, "timeout", "50", "wine"}, args...)...)
}

// agent runs the agent to its end.
func (w *wine) agent(args ...string) result {
	w.t.Helper()
	return w.run(append([]string{`C:\vigia\vigia-agent.exe`}, args...)...)
}

// start starts a Windows program that goes on; it ends with the test.
func (w *wine) start(log string, args ...string) *process {
	w.t.Helper()
	return start(w.t, log, wineScript, append([]string{"exec", w.prefix, "wine"}, args...)...)
}

// reg imports a registry file.
func (w *wine) reg(text string) {
	w.t.Helper()
	w.write(`import.reg`, []byte("Windows Registry Editor Version 5.00\r\n\r\n"+strings.ReplaceAll(text, "\n", "\r\n")))
	must(w.t, w.run("reg", "import", `C:\import.reg`))
}
