// Package sdnotify tells a service manager that speaks systemd's notification protocol
// (sd_notify(3)) how the program is doing: ready, alive, stopping. Without such a
// manager every call does nothing. It refuses to know what "alive" means.
package sdnotify

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// Notifier speaks to the manager that started the program. The zero value and nil speak
// to nobody.
type Notifier struct {
	socket string
	every  time.Duration
}

// FromEnvironment reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them,
// so that no program started from here speaks in this one's name.
func FromEnvironment() *Notifier {
	n := &Notifier{socket: os.Getenv("NOTIFY_SOCKET")}
	pid := os.Getenv("WATCHDOG_PID")
	if usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		n.every = time.Duration(usec) * time.Microsecond
	}
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		_ = os.Unsetenv(name) // fails for names that are none
	}
	return n
}

// Environment is what a program that takes this one's place (same process) needs to
// speak on, as NAME=value.
func (n *Notifier) Environment() []string {
	if n == nil || n.socket == "" {
		return nil
	}
	env := []string{"NOTIFY_SOCKET=" + n.socket}
	if n.every > 0 {
		env = append(env, "WATCHDOG_USEC="+strconv.FormatInt(n.every.Microseconds(), 10), "WATCHDOG_PID="+strconv.Itoa(os.Getpid()))
	}
	return env
}

// Watchdog returns how often Alive is expected at least; zero: never.
func (n *Notifier) Watchdog() time.Duration {
	if n == nil {
		return 0
	}
	return n.every
}

// Ready says that the program serves.
func (n *Notifier) Ready() error { return n.send("READY=1") }

// Alive says that the program still does its work.
func (n *Notifier) Alive() error { return n.send("WATCHDOG=1") }

// Stopping says that the program is about to end.
func (n *Notifier) Stopping() error { return n.send("STOPPING=1") }

// Status is one line for people, shown by systemctl status.
func (n *Notifier) Status(line string) error { return n.send("STATUS=" + line) }

func (n *Notifier) send(state string) error {
	if n == nil || n.socket == "" {
		return nil
	}
	// An address that begins with @ is an abstract one, as net has it too.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("telling the service manager %q: %w", state, err)
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("telling the service manager %q: %w", state, err)
	}
	return nil
}
