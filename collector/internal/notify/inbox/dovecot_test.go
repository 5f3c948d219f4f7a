package inbox_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"vigia/collector/internal/notify/inbox"
)

// dovecot is a real IMAP server with one user, whose mailbox is a Maildir.
type dovecot struct {
	inbox.Server
	t    *testing.T
	mail string
	n    int
}

func startDovecot(t *testing.T) *dovecot {
	t.Helper()
	program, err := exec.LookPath("dovecot")
	if err != nil {
		program = "/usr/sbin/dovecot"
	}
	dir, err := os.MkdirTemp("/tmp", "dovecot") // its sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	d := &dovecot{t: t, mail: filepath.Join(dir, "mail"), Server: inbox.Server{Host: "127.0.0.1", Port: port, TLS: inbox.TLSNone, User: "vigia", Password: "hush", Mailbox: "INBOX"}}
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(d.mail, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	conf := fmt.Sprintf(`protocols = imap
listen = 127.0.0.1
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:%[1]s/mail
default_internal_user = dovecot
first_valid_uid = 0
passdb {
  driver = static
  args = password=hush
}
userdb {
  driver = static
  args = uid=dovecot gid=dovecot home=%[1]s
}
service imap-login {
  inet_listener imap {
    port = %[2]d
  }
  inet_listener imaps {
    port = 0
  }
}
`, dir, port)
	file := filepath.Join(dir, "dovecot.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "-R", "dovecot:dovecot", d.mail).CombinedOutput(); err != nil {
		t.Fatalf("giving the mailbox to dovecot (make parts installs it): %v %s", err, out)
	}
	cmd := exec.Command(program, "-F", "-c", file)
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting dovecot (make parts installs it): %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
		}
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = conn.Close()
			return d
		}
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Fatalf("dovecot does not answer: %v\n%s", err, log)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// comes puts a message into the mailbox, as a delivery does.
func (d *dovecot) comes(raw string) {
	d.t.Helper()
	d.n++
	name := fmt.Sprintf("%d.%d.test", time.Now().UnixNano(), d.n)
	tmp := filepath.Join(d.mail, "tmp", name)
	if err := os.WriteFile(tmp, []byte(raw), 0o666); err != nil {
		d.t.Fatal(err)
	}
	if out, err := exec.Command("chown", "dovecot:dovecot", tmp).CombinedOutput(); err != nil {
		d.t.Fatalf("%v %s", err, out)
	}
	if err := os.Rename(tmp, filepath.Join(d.mail, "new", name)); err != nil {
		d.t.Fatal(err)
	}
}
