package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"syscall"
	"time"
)

// Server is a PostgreSQL server in a temporary folder, on a unix socket there.
type Server struct {
	bin string
	dir string              // holds the socket, the log and data/
	as  *syscall.Credential // PostgreSQL refuses to run as root

	wrapper *exec.Cmd
	words   io.WriteCloser // the wrapper's standard input
}

const install = "install it with: apt-get install postgresql"

// keeper starts the server and waits for a word. The end of its input, which comes
// when the test process ends in whatever way, stops the server and removes the folder.
const keeper = `
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c shared_buffers=64MB -c max_connections=200 -c deadlock_timeout=100ms >>"$2/log" 2>&1 &
pid=$!
word=gone
read word
case "$word" in
crash) kill -QUIT $pid;;
*) kill -INT $pid;;
esac
wait $pid
case "$word" in fast|crash) ;; *) rm -rf "$2";; esac
`

func startServer() (*Server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.dir, err = os.MkdirTemp("", "vigia-pg-"); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, err
	}
	return s, s.start()
}

func findBinaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.New("no PostgreSQL under /usr/lib/postgresql; " + install)
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) < version(found[j]) })
	return filepath.Dir(found[len(found)-1]), nil
}

func version(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

func (s *Server) prepare() error {
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("PostgreSQL does not run as root and there is no user postgres; %s: %w", install, err)
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(s.dir, uid, gid); err != nil {
			return err
		}
	}
	return s.run("initdb", "-D", filepath.Join(s.dir, "data"), "-U", "vigia", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-sync")
}

func (s *Server) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, out.String())
	}
	return nil
}

// sql runs one statement in the database postgres.
func (s *Server) sql(statement string) error {
	return s.run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", s.dir, "-U", "vigia", "-d", "postgres", "-c", statement)
}

func (s *Server) start() error {
	cmd := exec.Command("/bin/sh", "-c", keeper, "sh", s.bin, s.dir)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	words, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.wrapper, s.words = cmd, words
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(30 * time.Millisecond) {
		err := s.run("pg_isready", "-q", "-h", s.dir, "-U", "vigia", "-d", "postgres")
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("PostgreSQL did not start within a minute: %w: %s", err, log)
		}
	}
}

func (s *Server) stop(word string) error {
	if s.wrapper == nil {
		return errors.New("PostgreSQL is not running")
	}
	_, err := io.WriteString(s.words, word+"\n")
	_ = s.words.Close()
	if werr := s.wrapper.Wait(); err == nil {
		err = werr
	}
	s.wrapper = nil
	return err
}

func (s *Server) remove() {
	if s.wrapper != nil {
		_ = s.stop("remove")
	}
	_ = os.RemoveAll(s.dir)
}
