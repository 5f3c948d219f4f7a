package app

import (
	"runtime"
	"slices"

	"golang.org/x/sys/windows/registry"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/hardware"
	"vigia/agent/internal/probe/system"
	"vigia/agent/internal/probe/winsoft"
	"vigia/agent/internal/winreg"
)

// probes lists every source of a Windows machine, in the order in which they run.
func probes() []probe.Probe {
	return slices.Concat(hardware.Probes(), system.Probes(), winsoft.Probes(windowsMachine))
}

// windowsMachine is the running system.
func windowsMachine(*probe.Env) winsoft.Machine {
	return winsoft.Machine{Local: winreg.Machine(), Users: winreg.Users(), Expand: expand, Arch: runtime.GOARCH}
}

// expand fills in variables such as %SystemDrive%; text that cannot be expanded stays.
func expand(text string) string {
	if full, err := registry.ExpandString(text); err == nil {
		return full
	}
	return text
}
