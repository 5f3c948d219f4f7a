package app

import (
	"runtime"
	"slices"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/antivirus"
	"vigia/agent/internal/probe/hardware"
	"vigia/agent/internal/probe/system"
	"vigia/agent/internal/probe/winsoft"
	"vigia/agent/internal/winreg"
	"vigia/agent/internal/wmi"
)

// probes lists every source of a Windows machine, in the order in which they run.
func probes() []probe.Probe {
	ask := wmi.NewLive()
	return slices.Concat(hardware.Probes(hardware.WindowsDevices(ask)), []probe.Probe{system.Windows(ask)},
		winsoft.Probes(windowsMachine), []probe.Probe{antivirus.Windows(ask, removable)})
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

// removable reports drives that people plug in.
func removable(drive string) bool {
	name, err := windows.UTF16PtrFromString(drive)
	if err != nil {
		return false
	}
	kind := windows.GetDriveType(name)
	return kind == windows.DRIVE_REMOVABLE || kind == windows.DRIVE_CDROM
}
