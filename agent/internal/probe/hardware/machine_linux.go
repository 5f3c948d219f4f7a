package hardware

import (
	"errors"
	"os"

	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// names reads hostname, domain and machine-id. The running kernel's hostname counts
// before the file's.
func names(fsys *rootfs.FS, m *inventory.Machine) error {
	full := fsys.ReadText("/etc/hostname")
	if fsys.Live() {
		if running, err := os.Hostname(); err == nil && running != "" && running != "(none)" {
			full = running
		}
	}
	m.Hostname, m.Domain = splitHost(full)
	if m.Domain == "" {
		m.Domain = domainFromHosts(fsys.ReadText("/etc/hosts"), m.Hostname)
	}
	m.MachineID = machineID(fsys.ReadText("/etc/machine-id"))
	if m.MachineID == "" {
		m.MachineID = machineID(fsys.ReadText("/var/lib/dbus/machine-id"))
	}
	if m.Hostname == "" && m.MachineID == "" {
		return errors.New("neither /etc/hostname nor /etc/machine-id tells who this machine is")
	}
	return nil
}
