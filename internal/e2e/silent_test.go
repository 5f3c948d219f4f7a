package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestAgentIsSilent looks at a running agent from outside: it listens nowhere, every
// thread of it steps back behind all others, and it uses one processor at most.
func TestAgentIsSilent(t *testing.T) {
	c := newCollector(t)
	a := newAgent(t).enroll(c)
	began := time.Now()
	a.start()
	a.reported(began)
	pid := a.cmd.Process.Pid
	mine := map[string]bool{}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name())); err == nil {
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				mine[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	if len(mine) == 0 {
		t.Error("no socket at all: is the agent connected?")
	}
	for table, listens := range map[string]string{"tcp": "0A", "tcp6": "0A", "udp": "07", "udp6": "07"} {
		for _, line := range strings.Split(read(t, "/proc/net/"+table), "\n") {
			f := strings.Fields(line) // number, local, remote, state, …, inode
			if len(f) > 9 && mine[f[9]] && f[3] == listens {
				t.Errorf("the agent listens: %s %s", table, f[1])
			}
		}
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatal(tasks, err)
	}
	for _, task := range tasks {
		_, rest, _ := strings.Cut(read(t, task), ") ")
		if f := strings.Fields(rest); len(f) < 17 || f[16] != "15" {
			t.Errorf("%s: nice is not 15: %s", task, rest)
		}
	}
	a.end(syscall.SIGTERM)
	cpu := a.cmd.ProcessState.UserTime() + a.cmd.ProcessState.SystemTime()
	if ran := time.Since(began); cpu > ran {
		t.Errorf("%s of processor in %s", cpu, ran)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
