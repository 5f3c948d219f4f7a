package app

import (
	"context"
	"os"

	"vigia/agent/internal/command"
	"vigia/internal/sdnotify"
)

// launch lets the newer version take this process's place where there is one, and
// returns where this version is the one to run.
func (c *runCmd) launch(s *session, m *sdnotify.Notifier) error {
	path := c.other(s)
	if path == "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.log.Info("a newer version that came by itself runs", "program", path)
	err = command.Replace(path, os.Args[1:], append(m.Environment(), launcherVar+"="+self))
	s.log.Error("the newer version cannot be started; this one runs", "error", err)
	return nil
}

// relaunch starts the installed program again, which decides what runs next.
func relaunch(s *session, m *sdnotify.Notifier) error {
	self := os.Getenv(launcherVar)
	if self == "" {
		var err error
		if self, err = os.Executable(); err != nil {
			return err
		}
	}
	s.log.Info("starting again, in the version that is to run")
	return command.Replace(self, os.Args[1:], append(m.Environment(), launcherVar+"="))
}

// supervised is for Windows.
func (c *runCmd) supervised(_ *session, work func(context.Context) error) func(context.Context) error {
	return work
}
