package hardware

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	entry "github.com/digitalocean/go-smbios/smbios"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/agent/internal/rootfs"
)

const firmwareTables = "/sys/firmware/dmi/tables/"

// readTable reads the table as the kernel shows it. It does not search /dev/mem, as
// go-smbios would where the kernel shows none: such machines have no table.
func readTable(fsys *rootfs.FS) ([]byte, smbios.Version, error) {
	point, err := fsys.ReadFile(firmwareTables+"smbios_entry_point", 4<<10)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, smbios.Version{}, fmt.Errorf("no %s: %w", firmwareTables, probe.ErrAbsent)
	case errors.Is(err, fs.ErrPermission):
		return nil, smbios.Version{}, fmt.Errorf("run as root to read the firmware's table: %w", err)
	case err != nil:
		return nil, smbios.Version{}, err
	}
	ep, err := entry.ParseEntryPoint(bytes.NewReader(point))
	if err != nil {
		return nil, smbios.Version{}, fmt.Errorf("smbios_entry_point: %w", err)
	}
	table, err := fsys.ReadFile(firmwareTables+"DMI", smbios.MaxTable)
	if err != nil {
		return nil, smbios.Version{}, err
	}
	major, minor, _ := ep.Version()
	return table, smbios.Version{Major: major, Minor: minor}, nil
}
