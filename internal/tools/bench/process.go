package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// run is one call of this program: what it measured and what it started.
type run struct {
	options
	ctx     context.Context // ends when somebody stops this program
	dir     string
	rows    []row
	started []*started
	serial  int
}

// started is a process that runs beside this one.
type started struct {
	cmd *exec.Cmd
	log string
}

// start starts a program whose output goes to a file.
func (r *run) start(as *syscall.Credential, end syscall.Signal, name string, args ...string) (*started, error) {
	s := &started{cmd: exec.Command(name, args...), log: r.path("log")}
	f, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s.cmd.Stdout, s.cmd.Stderr = f, f
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: end, Credential: as}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	r.started = append(r.started, s)
	return s, nil
}

// path is a new path in the folder of this run.
func (r *run) path(name string) string {
	r.serial++
	return filepath.Join(r.dir, fmt.Sprintf("%02d-%s", r.serial, name))
}

// stop ends a process and waits for it, 30 s at most.
func (s *started) stop(with syscall.Signal) {
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(with) // it may have ended by itself
	kill := time.AfterFunc(30*time.Second, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	kill.Stop()
}

func (s *started) tail() string {
	b, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

func (r *run) stopAll() {
	for i := len(r.started) - 1; i >= 0; i-- {
		r.started[i].stop(syscall.SIGINT)
	}
	r.started = nil
}

func (r *run) clean() {
	r.stopAll()
	for _, dir := range []string{r.dir, r.state} {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		}
	}
}

// output runs a program to its end, an hour at most, and returns what it printed.
func (r *run) output(name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(r.ctx, time.Hour)
	defer cancel()
	var problem bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(problem.String()))
	}
	return out, nil
}

// pause waits, unless somebody stops this program.
func (r *run) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.ctx.Done():
		return fmt.Errorf("stopped: %w", context.Cause(r.ctx))
	case <-t.C:
		return nil
	}
}

// usage is what one run of a program took.
type usage struct {
	cpu    time.Duration // user and system, with children that it waited for
	rss    int64         // bytes at the most, of it or of one child
	output []byte
}

// once runs a program and returns what the kernel says of it (wait4).
func once(command []string) (usage, error) {
	var out, problem bytes.Buffer
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return usage{}, fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(problem.String()))
	}
	u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, errors.New("the system does not tell what a process took")
	}
	return usage{cpu: time.Duration(u.Utime.Nano() + u.Stime.Nano()), rss: u.Maxrss << 10, output: out.Bytes()}, nil
}

// now reads the processor time and resident memory of a running process.
func now(pid int) (cpu time.Duration, rss int64, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	f := strings.Fields(string(rest))
	if len(f) < 22 {
		return 0, 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	var n [3]int64
	for i, at := range [3]int{11, 12, 21} {
		if n[i], err = strconv.ParseInt(f[at], 10, 64); err != nil {
			return 0, 0, err
		}
	}
	return time.Duration(n[0]+n[1]) * 10 * time.Millisecond, n[2] * int64(os.Getpagesize()), nil
}

// freePort is a port of 127.0.0.1 that nobody listened on a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// waitFor tries until ok or within has passed; s must run on.
func (r *run) waitFor(s *started, within time.Duration, what string, ok func() bool) error {
	for end := time.Now().Add(within); time.Now().Before(end); {
		if ok() {
			return nil
		}
		if err := r.pause(100 * time.Millisecond); err != nil {
			return err
		}
		if err := s.cmd.Process.Signal(syscall.Signal(0)); err != nil {
			break
		}
	}
	return fmt.Errorf("%s: not within %s; its log ends:\n%s", what, within, s.tail())
}
