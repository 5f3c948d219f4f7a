package hardware

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// names reads the computer's name, its domain and the MachineGuid.
func names(_ *rootfs.FS, m *inventory.Machine) error {
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("reading the computer's name: %w", err)
	}
	m.Hostname, m.Domain = splitHost(host)
	buf := make([]uint16, 256)
	n := uint32(len(buf))
	if err := windows.GetComputerNameEx(windows.ComputerNameDnsDomain, &buf[0], &n); err == nil && n > 0 {
		m.Domain = windows.UTF16ToString(buf[:n])
	}
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Cryptography`, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return fmt.Errorf("reading MachineGuid: %w", err)
	}
	defer key.Close()
	m.MachineID, _, err = key.GetStringValue("MachineGuid")
	if err != nil {
		return fmt.Errorf("reading MachineGuid: %w", err)
	}
	return nil
}
