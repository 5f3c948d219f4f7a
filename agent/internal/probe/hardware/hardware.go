// Package hardware owns what the agent tells of the machine itself: its firmware,
// processors, memory, drives, volumes, network interfaces, screens, batteries, and the
// facts by which it is recognised (source "machine"). It runs no programs, opens no
// devices, and never touches network file systems.
//
// On Linux everything is read from /sys and /proc by parsers of our own, so that a
// recorded tree can stand in for a machine in tests; on Windows the firmware's table,
// gopsutil and WMI answer.
package hardware

import (
	"context"
	"fmt"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// Sources of this package.
const (
	SourceMachine  = string(inventory.SectionMachine)
	SourceHardware = string(inventory.SectionHardware)
	SourceSMBIOS   = "smbios" // health of the firmware's table: entries are its structures
)

// Probes returns the probes of this package. devices fills in what the firmware's table
// and the system's plain functions do not tell, nil where there is no such thing.
func Probes(devices Devices) []probe.Probe {
	return []probe.Probe{Machine(), Hardware(devices), SMBIOS()}
}

// Devices adds to h. What it could add stays when it fails; the source fails in part.
type Devices func(ctx context.Context, h *inventory.Hardware) error

// Hardware fills the section hardware. It takes from a broken SMBIOS table what can be
// read, and does not fail for it: that is for the source "smbios" to tell.
func Hardware(devices Devices) probe.Probe {
	return probe.Probe{
		Source: SourceHardware, Section: inventory.SectionHardware, Timeout: 60 * time.Second, LiveOnly: true,
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			fsys, err := rootfs.Open(env.Root)
			if err != nil {
				return 0, err
			}
			defer fsys.Close()
			h := &part.Hardware
			info, _ := readFirmware(fsys)
			applyFirmware(h, info)
			if err := collect(ctx, fsys, info, h); err != nil {
				return 0, err
			}
			if devices != nil {
				if err := devices(ctx, h); err != nil {
					return count(h), fmt.Errorf("%w: %w", probe.ErrPartial, err)
				}
			}
			return count(h), nil
		},
	}
}

// SMBIOS fills nothing: it tells whether the firmware's table could be read in full.
func SMBIOS() probe.Probe {
	return probe.Probe{
		Source: SourceSMBIOS, Section: inventory.SectionHardware, Timeout: 5 * time.Second, LiveOnly: true,
		Collect: func(_ context.Context, env *probe.Env, _ *inventory.Snapshot) (int, error) {
			fsys, err := rootfs.Open(env.Root)
			if err != nil {
				return 0, err
			}
			defer fsys.Close()
			info, err := decodeTable(fsys)
			if err != nil {
				return 0, fmt.Errorf("reading smbios: %w", err)
			}
			return info.Structures, nil
		},
	}
}

// count is how many things h names.
func count(h *inventory.Hardware) int {
	return len(h.CPUs) + len(h.Memory.Modules) + len(h.Disks) + len(h.Volumes) + len(h.Networks) +
		len(h.GPUs) + len(h.Monitors) + len(h.Batteries)
}
