// Package command owns running other programs, for facts that no file tells. It is the
// only package of the agent that may do so. It refuses to search for a program, to use
// a shell, to pass on the agent's environment or standard input, to wait for ever, and
// to hold more output than it was told to.
package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// Errors of Run, wrapped with the program's path.
var (
	ErrNotAbsolute = errors.New("not an absolute path")
	ErrTimeout     = errors.New("took too long and was ended")
	ErrOutput      = errors.New("wrote more than may be read and was ended")
)

// Defaults and fixed limits.
const (
	DefaultTimeout = 10 * time.Second
	DefaultOutput  = 1 << 20         // bytes of standard output
	maxStderr      = 4 << 10         // bytes of standard error kept, for the error's text
	killDelay      = 2 * time.Second // from the end of a program to giving up on its pipes
)

// Command is one call of a program.
type Command struct {
	Path    string        // absolute
	Args    []string      // without the program's name
	Timeout time.Duration // 0 is DefaultTimeout
	Output  int           // most bytes of standard output; 0 is DefaultOutput
}

// ExitError tells that a program ended by itself with a code other than 0.
type ExitError struct {
	Path   string
	Code   int
	Stderr string // its beginning, at most 4 KiB
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("%s ended with code %d: %s", e.Path, e.Code, e.Stderr)
}

// Run runs c and returns its standard output. The program gets an empty standard input,
// the root folder as its own, and an environment of nothing but a fixed PATH and the C
// locale, so that output does not depend on who started the agent. When ctx or the
// time ends, or the output is too long, the program and what it started are killed.
// Errors: ErrNotAbsolute, ErrTimeout, ErrOutput, ctx's own, *ExitError, or that of the
// system when it cannot be started.
func Run(ctx context.Context, c Command) ([]byte, error) {
	if !filepath.IsAbs(c.Path) {
		return nil, fmt.Errorf("command %q: %w", c.Path, ErrNotAbsolute)
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Output <= 0 {
		c.Output = DefaultOutput
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(c.Timeout, func() { cancel(ErrTimeout) })
	defer timer.Stop()

	out := &capped{limit: c.Output, full: func() { cancel(ErrOutput) }}
	diag := &capped{limit: maxStderr}
	cmd := exec.CommandContext(ctx, c.Path, c.Args...)
	cmd.Env, cmd.Dir = environment(), rootDir()
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, diag, killDelay
	ownGroup(cmd)
	err := cmd.Run()
	if cause := context.Cause(ctx); cause != nil {
		return nil, fmt.Errorf("command %s: %w", c.Path, cause)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, &ExitError{Path: c.Path, Code: exit.ExitCode(), Stderr: string(bytes.TrimSpace(diag.buf.Bytes()))}
	}
	if err != nil {
		return nil, fmt.Errorf("command %s: %w", c.Path, err)
	}
	return out.buf.Bytes(), nil
}

// capped keeps the first limit bytes, and tells when there are more.
type capped struct {
	buf   bytes.Buffer
	limit int
	full  func()
}

// Write never fails, so that a program is not told of a closed pipe before it is ended.
func (c *capped) Write(p []byte) (int, error) {
	room := c.limit - c.buf.Len()
	c.buf.Write(p[:min(room, len(p))])
	if len(p) > room && c.full != nil {
		c.full()
	}
	return len(p), nil
}
