package app

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"vigia/agent/internal/command"
	"vigia/agent/internal/service"
	"vigia/agent/internal/updater"
	"vigia/internal/sdnotify"
)

// launch has nothing to do: Windows cannot put a program in another's place, so the
// installed one starts the newer as its child. See supervised.
func (c *runCmd) launch(*session, *sdnotify.Notifier) error { return nil }

// relaunch ends a child so that the installed program starts what is to run.
func relaunch(*session, *sdnotify.Notifier) error { return &exitError{code: exitRestart} }

// exitRestart is how a child tells that another version is to run.
const exitRestart = 10

// supervised is what the service runs: this version, or the newer one as a child until
// it ends, and then whichever is to run next. In the child it is the work itself, until
// the standard input closes.
func (c *runCmd) supervised(s *session, work func(context.Context) error) func(context.Context) error {
	if os.Getenv(launcherVar) != "" {
		return func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it, or ends
				cancel()
			}()
			return work(ctx)
		}
	}
	return func(ctx context.Context) error {
		for {
			path := c.other(s)
			if path == "" {
				if err := work(ctx); ctx.Err() != nil || !errors.Is(err, updater.ErrRestart) {
					return err
				}
				continue
			}
			if err := c.child(ctx, s, path); err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
}

// child runs the newer version until it ends. What ends by itself is given a moment.
func (c *runCmd) child(ctx context.Context, s *session, path string) error {
	if err := service.CheckWritable(path); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.log.Info("a newer version that came by itself runs", "program", path)
	code, err := command.Supervise(ctx, path, os.Args[1:], []string{launcherVar + "=" + self}, service.StopTimeout)
	if ctx.Err() != nil || err == nil && code == exitRestart {
		return nil
	}
	s.log.Error("the newer version ended", "code", code, "error", err)
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
	}
	return nil
}
