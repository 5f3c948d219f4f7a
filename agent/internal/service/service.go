// Package service owns how the agent lives under the operating system's service
// manager, through kardianos/service: install, remove, start, stop, status, and
// running under it. It refuses to know what the agent does while it runs.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kardianos/service"
)

// Name is the service's name on every system.
const Name = "vigia-agent"

// StopTimeout bounds how long Stop waits for the agent to end.
const StopTimeout = 15 * time.Second

// State is what the service manager says.
type State string

// States.
const (
	Running      State = "running"
	Stopped      State = "stopped"
	NotInstalled State = "not-installed"
	Unknown      State = "unknown"
)

// Manager acts on the installed service.
type Manager struct {
	svc service.Service
}

// NewManager prepares a service that starts executable with args. An empty
// executable is the running program.
func NewManager(executable string, args []string) (*Manager, error) {
	svc, err := service.New(&program{}, config(executable, args))
	if err != nil {
		return nil, fmt.Errorf("service manager: %w (is this system's service manager running?)", err)
	}
	return &Manager{svc: svc}, nil
}

// Install registers the service, to be started at boot. It is an error when it is
// installed already.
func (m *Manager) Install() error { return m.svc.Install() }

// Uninstall stops the service when it runs and removes its registration.
func (m *Manager) Uninstall() error {
	if state, err := m.Status(); err == nil && state == Running {
		if err := m.svc.Stop(); err != nil {
			return fmt.Errorf("stopping before removal: %w", err)
		}
	}
	return m.svc.Uninstall()
}

// Start starts the installed service.
func (m *Manager) Start() error { return m.svc.Start() }

// Stop stops it.
func (m *Manager) Stop() error { return m.svc.Stop() }

// Status asks the service manager.
func (m *Manager) Status() (State, error) {
	status, err := m.svc.Status()
	switch {
	case errors.Is(err, service.ErrNotInstalled):
		return NotInstalled, nil
	case err != nil:
		return Unknown, err
	case status == service.StatusRunning:
		return Running, nil
	case status == service.StatusStopped:
		return Stopped, nil
	}
	return Unknown, nil
}

// Run runs work until ctx ends or the service manager asks to stop. It works the same
// in a terminal.
func Run(ctx context.Context, log *slog.Logger, work func(context.Context) error) error {
	p := &program{ctx: ctx, work: work, log: log, done: make(chan error, 1)}
	svc, err := service.New(p, config("", nil))
	if err != nil || service.Interactive() {
		return work(ctx)
	}
	if err := svc.Run(); err != nil {
		return fmt.Errorf("running as a service: %w", err)
	}
	return p.result
}

func config(executable string, args []string) *service.Config {
	return &service.Config{
		Name:        Name,
		DisplayName: "Vigía agent",
		Description: "Inventories this computer and reports to the company's Vigía collector",
		Executable:  executable,
		Arguments:   args,
		Option:      options(),
	}
}

// program is what kardianos/service starts and stops.
type program struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   func(context.Context) error
	log    *slog.Logger
	done   chan error
	result error
}

func (p *program) Start(s service.Service) error {
	ctx, cancel := context.WithCancel(p.ctx)
	p.cancel = cancel
	go func() {
		err := p.work(ctx)
		p.done <- err
		if ctx.Err() == nil { // ended by itself: the manager must learn of it
			if stopErr := s.Stop(); stopErr != nil {
				p.log.Error("telling the service manager that the agent ended", "error", stopErr)
			}
		}
	}()
	return nil
}

func (p *program) Stop(service.Service) error {
	p.cancel()
	select {
	case p.result = <-p.done:
	case <-time.After(StopTimeout):
		p.log.Error("the agent did not stop in time", "timeout", StopTimeout)
	}
	return nil
}
