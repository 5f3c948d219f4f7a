// Package service owns how the agent lives under the operating system's service
// manager, through kardianos/service: install, remove, start, stop, status, and
// running under it. It refuses to know what the agent does while it runs.
package service

import (
	"errors"
	"fmt"
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
	svc, err := service.New(nothing{}, config(executable, args))
	if err != nil {
		return nil, fmt.Errorf("service manager: %w (is this system's service manager running?)", err)
	}
	return &Manager{svc: svc}, nil
}

// Install registers the service, to be started at boot. It is an error when it is
// installed already.
func (m *Manager) Install() error {
	if err := m.svc.Install(); err != nil {
		return err
	}
	return afterInstall()
}

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

// nothing is what kardianos/service wants to run; Run does it.
type nothing struct{}

func (nothing) Start(service.Service) error { return nil }
func (nothing) Stop(service.Service) error  { return nil }
