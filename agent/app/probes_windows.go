package app

import (
	"slices"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/hardware"
	"vigia/agent/internal/probe/system"
)

// probes lists every source of a Windows machine, in the order in which they run.
func probes() []probe.Probe {
	return slices.Concat(hardware.Probes(), system.Probes())
}
