package hardware

import (
	"context"
	"net"
	"runtime"

	"github.com/shirou/gopsutil/v3/mem"
	"golang.org/x/sys/windows"

	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/agent/internal/rootfs"
	"vigia/agent/internal/winreg"
	"vigia/agent/internal/wmi"
	"vigia/internal/inventory"
)

// WindowsDevices asks WMI and the registry for drives and their health, BitLocker,
// display adapters, screens, batteries, the kinds of interfaces and the TPM.
func WindowsDevices(ask wmi.Asker) Devices {
	return func(ctx context.Context, h *inventory.Hardware) error {
		w := windowsDevices{ask: ask, local: winreg.Machine()}
		return w.collect(ctx, h)
	}
}

// collect fills h from gopsutil and the Windows API.
func collect(ctx context.Context, _ *rootfs.FS, info *smbios.Info, h *inventory.Hardware) error {
	h.CPUs = applyProcessors(nil, info, runtime.GOARCH)
	total, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	applyMemory(h, total.Total)
	h.Virtual = virtual(hints{Vendor: info.System.Vendor, Model: info.System.Model, BIOSVendor: info.BIOS.Vendor, HypervisorOn: true})
	if h.Virtual == "vm" { // Windows runs above its own hypervisor on bare metal too
		h.Virtual = ""
	}
	h.Networks = interfaces()
	h.Volumes, err = volumes()
	return err
}

// interfaces lists those with a hardware address.
func interfaces() []inventory.Network {
	list, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var found []inventory.Network
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 || len(i.HardwareAddr) == 0 {
			continue
		}
		n := inventory.Network{Name: i.Name, MAC: i.HardwareAddr.String()}
		addrs, _ := i.Addrs()
		for _, a := range addrs {
			if p, ok := a.(*net.IPNet); ok && !p.IP.IsLinkLocalUnicast() {
				n.Addresses = append(n.Addresses, p.String())
			}
		}
		found = append(found, n)
	}
	return found
}

// volumes looks at fixed drives alone: a network drive may not answer.
func volumes() ([]inventory.Volume, error) {
	mask, err := windows.GetLogicalDrives()
	if err != nil {
		return nil, err
	}
	var found []inventory.Volume
	for i := range 26 {
		if mask&(1<<i) == 0 {
			continue
		}
		root := string(rune('A'+i)) + `:\`
		name, err := windows.UTF16PtrFromString(root)
		if err != nil || windows.GetDriveType(name) != windows.DRIVE_FIXED {
			continue
		}
		fsName := make([]uint16, windows.MAX_PATH+1)
		var free, total, all uint64
		if windows.GetVolumeInformation(name, nil, 0, nil, nil, nil, &fsName[0], uint32(len(fsName))) != nil ||
			windows.GetDiskFreeSpaceEx(name, &free, &total, &all) != nil || total == 0 {
			continue
		}
		found = append(found, inventory.Volume{
			Mount: root, FSType: windows.UTF16ToString(fsName), Bytes: total, FreePct: int(free * 100 / total),
		})
	}
	return found, nil
}
