package app

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/addons"
	"vigia/agent/internal/probe/antivirus"
	"vigia/agent/internal/probe/hardware"
	"vigia/agent/internal/probe/system"
	"vigia/agent/internal/probe/winsoft"
	"vigia/agent/internal/rootfs"
	"vigia/agent/internal/winreg"
	"vigia/agent/internal/wmi"
)

// probes lists every source of a Windows machine, in the order in which they run.
func probes() []probe.Probe {
	ask := wmi.NewLive()
	return slices.Concat(hardware.Probes(hardware.WindowsDevices(ask)), []probe.Probe{system.Windows(ask)},
		winsoft.Probes(windowsMachine), addons.Probes(windowsPlaces()), []probe.Probe{antivirus.Windows(ask, removable)})
}

// windowsMachine is the running system.
func windowsMachine(*probe.Env) winsoft.Machine {
	return winsoft.Machine{Local: winreg.Machine(), Users: winreg.Users(), Expand: expand, Arch: runtime.GOARCH}
}

// windowsPlaces is where people of a Windows machine add to programs.
func windowsPlaces() addons.Places {
	return addons.Places{
		Windows: true,
		Top:     []string{"/C:/Users/*"},
		Show:    func(path string) string { return filepath.FromSlash(strings.TrimPrefix(path, "/")) },
		Homes: func(env *probe.Env, _ *rootfs.FS) ([]addons.Home, error) {
			people, err := windowsMachine(env).People()
			homes := make([]addons.Home, 0, len(people))
			for _, p := range people {
				homes = append(homes, addons.Home{Path: "/" + filepath.ToSlash(p.Dir), User: p.User})
			}
			return homes, err
		},
	}
}

// expand fills in variables such as %SystemDrive%; text that cannot be expanded stays.
func expand(text string) string {
	if full, err := registry.ExpandString(text); err == nil {
		return full
	}
	return text
}

// removable reports drives that people plug in.
func removable(drive string) bool {
	name, err := windows.UTF16PtrFromString(drive)
	if err != nil {
		return false
	}
	kind := windows.GetDriveType(name)
	return kind == windows.DRIVE_REMOVABLE || kind == windows.DRIVE_CDROM
}
