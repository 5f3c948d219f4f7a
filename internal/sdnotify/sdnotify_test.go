//go:build linux

package sdnotify

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

func TestSpeaksToTheManager(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "30000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	n := FromEnvironment()
	if n.Watchdog() != 30*time.Second || os.Getenv("NOTIFY_SOCKET") != "" || os.Getenv("WATCHDOG_USEC") != "" {
		t.Errorf("watchdog %v; the environment must be clean", n.Watchdog())
	}
	if env := n.Environment(); !slices.Contains(env, "NOTIFY_SOCKET="+socket) || !slices.Contains(env, "WATCHDOG_USEC=30000000") {
		t.Errorf("handed on: %v", env)
	}
	for _, step := range []struct {
		tell func() error
		want string
	}{{n.Ready, "READY=1"}, {n.Alive, "WATCHDOG=1"}, {func() error { return n.Status("3 reports wait") }, "STATUS=3 reports wait"}, {n.Stopping, "STOPPING=1"}} {
		if err := step.tell(); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		if err := l.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		size, err := l.Read(buf)
		if err != nil || string(buf[:size]) != step.want {
			t.Errorf("heard %q, %v; want %q", buf[:size], err, step.want)
		}
	}
}

func TestSilentWithoutAManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "30000000")
	t.Setenv("WATCHDOG_PID", "1") // meant for another process
	n := FromEnvironment()
	if err := n.Ready(); err != nil || n.Watchdog() != 0 || n.Environment() != nil {
		t.Errorf("%v, %v, %v", err, n.Watchdog(), n.Environment())
	}
	if err := (*Notifier)(nil).Alive(); err != nil {
		t.Error(err)
	}
	lost := &Notifier{socket: filepath.Join(t.TempDir(), "gone")}
	if err := lost.Ready(); err == nil {
		t.Error("a manager that is gone is told of")
	}
}
