package app

import (
	"fmt"

	"vigia/agent/internal/service"
)

type serviceCmd struct {
	Install   serviceInstallCmd   `cmd:"" help:"Register the agent with the service manager, to start at boot."`
	Uninstall serviceUninstallCmd `cmd:"" help:"Stop the service and remove its registration; identity and spool stay."`
	Start     serviceStartCmd     `cmd:"" help:"Start the service."`
	Stop      serviceStopCmd      `cmd:"" help:"Stop the service."`
	Status    serviceStatusCmd    `cmd:"" help:"Ask the service manager."`
}

func (*serviceCmd) Help() string {
	return "Examples:\n  vigia-agent service install && vigia-agent service start\n  vigia-agent service status --output json"
}

type serviceInstallCmd struct {
	State string `help:"Folder that the service keeps its identity and spool in." default:"${state}" type:"path" env:"VIGIA_STATE"`
}

func (*serviceInstallCmd) Help() string {
	return "Examples:\n  vigia-agent service install\n  vigia-agent service install --state /srv/vigia-agent"
}

func (c *serviceInstallCmd) Run(s *session) error {
	m, err := service.NewManager("", []string{"run", "--state", c.State})
	if err != nil {
		return err
	}
	if err := m.Install(); err != nil {
		return fmt.Errorf("installing the service: %w (it needs an administrator's rights)", err)
	}
	fmt.Fprintln(s.out, "installed; vigia-agent service start starts it")
	return nil
}

type serviceUninstallCmd struct{}

func (*serviceUninstallCmd) Help() string { return "Example:\n  vigia-agent service uninstall" }

func (*serviceUninstallCmd) Run(s *session) error {
	return serviceDo(s, "uninstalled", (*service.Manager).Uninstall)
}

type serviceStartCmd struct{}

func (*serviceStartCmd) Help() string { return "Example:\n  vigia-agent service start" }

func (*serviceStartCmd) Run(s *session) error {
	return serviceDo(s, "started", (*service.Manager).Start)
}

type serviceStopCmd struct{}

func (*serviceStopCmd) Help() string { return "Example:\n  vigia-agent service stop" }

func (*serviceStopCmd) Run(s *session) error { return serviceDo(s, "stopped", (*service.Manager).Stop) }

func serviceDo(s *session, done string, do func(*service.Manager) error) error {
	m, err := service.NewManager("", nil)
	if err != nil {
		return err
	}
	if err := do(m); err != nil {
		return fmt.Errorf("%w (installed? vigia-agent service status tells; acting needs an administrator's rights)", err)
	}
	fmt.Fprintln(s.out, done)
	return nil
}

type serviceStatusCmd struct {
	Output string `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func (*serviceStatusCmd) Help() string {
	return "Exits 0 when the service runs, 1 otherwise.\n\nExample:\n  vigia-agent service status --output json"
}

func (c *serviceStatusCmd) Run(s *session) error {
	state := service.Unknown
	m, err := service.NewManager("", nil)
	if err == nil {
		state, err = m.Status()
	}
	if err != nil {
		return fmt.Errorf("asking the service manager: %w", err)
	}
	if c.Output == "json" {
		err = writeJSON(s.out, map[string]string{"service": service.Name, "state": string(state)})
	} else {
		_, err = fmt.Fprintf(s.out, "%s: %s\n", service.Name, state)
	}
	if err == nil && state != service.Running {
		return &exitError{code: ExitFailure}
	}
	return err
}
