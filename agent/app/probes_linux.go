package app

import (
	"slices"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/antivirus"
	"vigia/agent/internal/probe/hardware"
	"vigia/agent/internal/probe/software"
	"vigia/agent/internal/probe/system"
)

// probes lists every source of a Linux machine, in the order in which they run.
func probes() []probe.Probe {
	return slices.Concat(hardware.Probes(nil), []probe.Probe{
		system.System(),
		software.Deb(), software.Snap(), software.Flatpak(), software.Files(software.FilesOptions{}),
		antivirus.ClamAV(),
	})
}
