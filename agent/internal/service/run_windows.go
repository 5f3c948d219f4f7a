package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

// Run runs work until ctx ends or the service manager asks to stop. Whether there is a
// service manager is asked by connecting to it: sessions and parents tell too little
// (svc.IsWindowsService is wrong under Wine). Without one it works in the terminal.
func Run(ctx context.Context, log *slog.Logger, sink *Sink, work func(context.Context) error) error {
	h := &handler{ctx: ctx, log: log, sink: sink, work: work}
	err := svc.Run(Name, h)
	switch {
	case errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT):
		return work(ctx)
	case err != nil:
		return fmt.Errorf("running as a service: %w", err)
	}
	return h.result
}

type handler struct {
	ctx    context.Context
	log    *slog.Logger
	sink   *Sink
	work   func(context.Context) error
	result error
}

// exitRefused and exitFailed are the codes of the service that its log explains.
const (
	exitFailed  = 1
	exitRefused = 2
)

// Execute is called by the service manager.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	status <- svc.Status{State: svc.StartPending, WaitHint: 30_000}
	if events, err := eventlog.Open(Name); err == nil {
		defer events.Close()
		h.sink.divert(func(kind EventKind, text string) error {
			switch kind {
			case EventError:
				return events.Error(3, text)
			case EventWarning:
				return events.Warning(2, text)
			}
			return events.Info(1, text)
		})
	}
	if err := checkOwnFile(); err != nil {
		h.result = err
		h.log.Error("the service does not start", "error", err)
		return true, exitRefused
	}
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h.work(ctx) }()
	status <- svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	for {
		select {
		case h.result = <-done: // by itself: the manager must learn of it
			h.log.Error("the agent ended", "error", h.result)
			return true, exitFailed
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- r.CurrentStatus
			case svc.Stop, svc.Shutdown:
				status <- svc.Status{State: svc.StopPending, WaitHint: uint32(StopTimeout.Milliseconds())}
				cancel()
				select {
				case h.result = <-done:
				case <-time.After(StopTimeout):
					h.log.Error("the agent did not stop in time", "timeout", StopTimeout)
				}
				return false, 0
			}
		}
	}
}

// checkOwnFile refuses a program that somebody other than the system and its
// administrators could replace: it runs with all rights.
func checkOwnFile() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return CheckWritable(exe)
}

// afterInstall asks for what older systems do not have, one by one: a delayed start,
// and the restart also of an agent that ended with an error of its own.
func afterInstall() error {
	m, err := mgr.Connect()
	if err != nil {
		return err
	}
	defer m.Disconnect()
	s, err := m.OpenService(Name)
	if err != nil {
		return err
	}
	defer s.Close()
	actions := []mgr.RecoveryAction{
		{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
		{Type: mgr.ServiceRestart, Delay: time.Minute},
		{Type: mgr.ServiceRestart, Delay: 5 * time.Minute},
	}
	if err := s.SetRecoveryActions(actions, 86_400); err != nil {
		return fmt.Errorf("asking for restarts: %w", err)
	}
	_ = s.SetRecoveryActionsOnNonCrashFailures(true) // since Windows Vista
	if c, err := s.Config(); err == nil {
		c.DelayedAutoStart = true
		_ = s.UpdateConfig(c) // tolerated where it is absent
	}
	return nil
}
