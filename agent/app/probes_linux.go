package app

import (
	"slices"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/addons"
	"vigia/agent/internal/probe/antivirus"
	"vigia/agent/internal/probe/hardware"
	"vigia/agent/internal/probe/software"
	"vigia/agent/internal/probe/system"
	"vigia/agent/internal/rootfs"
)

// probes lists every source of a Linux machine, in the order in which they run.
func probes() []probe.Probe {
	return slices.Concat(hardware.Probes(nil), []probe.Probe{
		system.System(),
		software.Deb(), software.Snap(), software.Flatpak(), software.Files(software.FilesOptions{}),
	}, addons.Probes(linuxPlaces()), []probe.Probe{antivirus.ClamAV()})
}

// linuxPlaces is where people of a Linux machine add to programs.
func linuxPlaces() addons.Places {
	return addons.Places{
		Top:  []string{"/home/*", "/root"},
		Show: func(path string) string { return path },
		Homes: func(env *probe.Env, root *rootfs.FS) ([]addons.Home, error) {
			list, err := software.Homes(env, root)
			all := make([]addons.Home, 0, len(list))
			for _, h := range list {
				all = append(all, addons.Home{Path: h.Path, User: h.User})
			}
			return all, err
		},
	}
}
