package hardware

import (
	"fmt"
	"io"

	firmware "github.com/digitalocean/go-smbios/smbios"

	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/agent/internal/rootfs"
)

// readTable asks GetSystemFirmwareTable.
func readTable(*rootfs.FS) ([]byte, smbios.Version, error) {
	stream, ep, err := firmware.Stream()
	if err != nil {
		return nil, smbios.Version{}, fmt.Errorf("GetSystemFirmwareTable: %w", err)
	}
	defer stream.Close()
	table, err := io.ReadAll(io.LimitReader(stream, smbios.MaxTable+1))
	if err != nil {
		return nil, smbios.Version{}, err
	}
	major, minor, _ := ep.Version()
	return table, smbios.Version{Major: major, Minor: minor}, nil
}
