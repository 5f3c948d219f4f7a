package app

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"vigia/agent/internal/pe"
	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/addons"
	"vigia/agent/internal/probe/antivirus"
	"vigia/agent/internal/probe/hardware"
	"vigia/agent/internal/probe/system"
	"vigia/agent/internal/probe/winfile"
	"vigia/agent/internal/probe/winsoft"
	"vigia/agent/internal/winreg"
	"vigia/agent/internal/wmi"
)

// probes lists every source of a Windows machine, in the order in which they run.
func probes() []probe.Probe {
	ask := wmi.NewLive()
	w := windowsPC{details: winfile.NewDetails(pe.SystemTrust)}
	return slices.Concat(hardware.Probes(hardware.WindowsDevices(ask)), []probe.Probe{system.Windows(ask)},
		winsoft.Probes(w.machine), addons.Probes(w.addonPlaces()), []probe.Probe{winfile.Portable(w.filePlaces()), antivirus.Windows(ask, removable)})
}

// windowsPC is the running system.
type windowsPC struct {
	details *winfile.Details
}

func (w windowsPC) machine(env *probe.Env) winsoft.Machine {
	w.details.Load(detailsFile(env))
	return winsoft.Machine{Local: winreg.Machine(), Users: winreg.Users(), Expand: expand, Arch: runtime.GOARCH, Signer: w.details.Signer}
}

// detailsFile is where what was read of files is kept.
func detailsFile(env *probe.Env) string {
	if env.CacheDir == "" {
		return ""
	}
	return filepath.Join(env.CacheDir, "file-details.json")
}

// expand fills in variables such as %SystemDrive%; text that cannot be expanded stays.
func expand(text string) string {
	if full, err := registry.ExpandString(text); err == nil {
		return full
	}
	return text
}

// driveType is that of GetDriveType for a root such as C:\.
func driveType(drive string) uint32 {
	name, err := windows.UTF16PtrFromString(drive)
	if err != nil {
		return windows.DRIVE_UNKNOWN
	}
	return windows.GetDriveType(name)
}

// removable reports drives that people plug in.
func removable(drive string) bool {
	kind := driveType(drive)
	return kind == windows.DRIVE_REMOVABLE || kind == windows.DRIVE_CDROM
}

// fixedDrives lists the roots of drives that stay.
func fixedDrives() ([]string, error) {
	mask, err := windows.GetLogicalDrives()
	if err != nil {
		return nil, err
	}
	var roots []string
	for i := range 26 {
		root := string(rune('A'+i)) + `:\`
		if mask&(1<<i) != 0 && driveType(root) == windows.DRIVE_FIXED {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// slashed is a path as rootfs takes it.
func slashed(path string) string { return "/" + strings.TrimPrefix(filepath.ToSlash(path), "/") }
