package e2e

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const winState = `C:\vigia\state`

// winStatus is what the agent's status says, nil where it cannot be read.
func (w *wine) winStatus() *struct {
	Uplink struct {
		Spooled int `json:"spooled"`
	} `json:"uplink"`
} {
	w.t.Helper()
	var s struct {
		Uplink struct {
			Spooled int `json:"spooled"`
		} `json:"uplink"`
	}
	b, err := os.ReadFile(w.path(winState + `\status.json`))
	if err != nil || json.Unmarshal(b, &s) != nil {
		return nil
	}
	return &s
}

func (w *wine) serviceIs(state string) func() bool {
	return func() bool { return strings.Contains(w.agent("service", "status").out, state) }
}

// agentPID finds the agent's process on the host, below this prefix.
func (w *wine) agentPID() int {
	w.t.Helper()
	procs, err := os.ReadDir("/proc")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range procs {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile("/proc/" + p.Name() + "/cmdline")
		env, _ := os.ReadFile("/proc/" + p.Name() + "/environ")
		if strings.Contains(string(line), "vigia-agent.exe") && strings.Contains(string(line), "run") && strings.Contains(string(env), w.prefix) {
			return pid
		}
	}
	return 0
}

// TestWindowsService lives under Wine's service manager: installed, started, stopped,
// killed and started again; what happens while the collector is away waits in the spool.
// Wine proves nothing of recovery by the service manager, of sessions, of rights of
// files beyond Unix' own, and of Windows' trust.
func TestWindowsService(t *testing.T) {
	c := newCollector(t)
	c.allow(allowNothing)
	w := newWine(t)
	must(t, w.agent("enroll", "--token", c.token(), "--state", winState))
	identity, err := os.ReadFile(w.path(winState + `\identity.json`))
	if err != nil || !strings.Contains(string(identity), `"dpapi:`) || strings.Contains(string(identity), "PRIVATE KEY") {
		t.Errorf("the key is not sealed by DPAPI: %v\n%.200s", err, identity)
	}
	must(t, w.agent("service", "install", "--state", winState))

	// A file that everybody may write is refused, and the collector hears nothing.
	exe := w.path(`C:\vigia\vigia-agent.exe`)
	if err := os.Chmod(exe, 0o757); err != nil {
		t.Fatal(err)
	}
	w.agent("service", "start")
	eventually(t, "refusal", patience, w.serviceIs("stopped"))
	if s := w.winStatus(); s != nil {
		t.Error("a service file that users can write was started")
	}
	if err := os.Chmod(exe, 0o755); err != nil {
		t.Fatal(err)
	}

	began := time.Now()
	must(t, w.agent("service", "start"))
	eventually(t, "the service runs", patience, w.serviceIs("running"))
	reported := func(since time.Time) func() bool {
		return func() bool {
			return w.agent("status", "--state", winState, "--reported-since", since.UTC().Format(time.RFC3339)).code == 0
		}
	}
	eventually(t, "its report", patience, reported(began), c.log)

	c.end(9)
	must(t, w.run("reg", "add", `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Away`, "/v", "DisplayName", "/d", "Sample Away", "/f"))
	eventually(t, "a report in the spool", patience, func() bool { s := w.winStatus(); return s != nil && s.Uplink.Spooled > 0 })

	pid := w.agentPID()
	if pid == 0 {
		t.Fatal("the service's process is not found")
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the service is seen dead", patience, w.serviceIs("stopped"))
	c.start()
	must(t, w.agent("service", "start"))
	eventually(t, "what happened while away", patience, func() bool { return c.finding("Sample Away") != nil }, c.log)

	must(t, w.agent("service", "stop"))
	eventually(t, "the service stops", patience, w.serviceIs("stopped"))
	must(t, w.agent("service", "uninstall"))
	if !w.serviceIs("not-installed")() {
		t.Error("the service is still there after uninstall")
	}
}
