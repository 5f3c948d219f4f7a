package hardware

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"

	"vigia/agent/internal/probe/hardware/edid"
	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/agent/internal/winreg"
	"vigia/agent/internal/wmi"
	"vigia/internal/inventory"
)

// windowsDevices fills what the firmware's table does not tell, by WMI. A question that
// fails costs what it asked for and is told.
type windowsDevices struct {
	ask   wmi.Asker
	local winreg.Key
	errs  []error
}

func (w *windowsDevices) query(ctx context.Context, namespace, query string, rows any) bool {
	err := w.ask.Query(ctx, namespace, query, rows)
	if err != nil && !errors.Is(err, wmi.ErrAbsent) {
		w.errs = append(w.errs, err)
	}
	return err == nil
}

func (w *windowsDevices) collect(ctx context.Context, h *inventory.Hardware) error {
	w.processors(ctx, h)
	w.disks(ctx, h)
	w.protection(ctx, h)
	w.gpus(ctx, h)
	w.monitors(ctx, h)
	w.batteries(ctx, h)
	w.networks(ctx, h)
	h.TPM = w.tpm(ctx)
	return errors.Join(w.errs...)
}

// processors fills what the firmware's table does not tell of each processor.
func (w *windowsDevices) processors(ctx context.Context, h *inventory.Hardware) {
	var rows []struct {
		Name, Manufacturer, SocketDesignation                   string
		NumberOfCores, NumberOfLogicalProcessors, MaxClockSpeed uint32
	}
	w.query(ctx, wmi.CIMV2, "SELECT Name, Manufacturer, SocketDesignation, NumberOfCores, NumberOfLogicalProcessors, MaxClockSpeed FROM Win32_Processor", &rows)
	for i, r := range rows {
		if i >= len(h.CPUs) {
			h.CPUs = append(h.CPUs, inventory.CPU{Socket: r.SocketDesignation, Arch: runtime.GOARCH})
		}
		c := &h.CPUs[i]
		c.Model, c.Vendor = cmp.Or(c.Model, strings.TrimSpace(r.Name)), cmp.Or(c.Vendor, r.Manufacturer)
		c.Cores, c.Threads = cmp.Or(c.Cores, int(r.NumberOfCores)), cmp.Or(c.Threads, int(r.NumberOfLogicalProcessors))
		c.MaxMHz = cmp.Or(c.MaxMHz, int(r.MaxClockSpeed))
	}
}

// diskDrive is Win32_DiskDrive.
type diskDrive struct {
	Index                              uint32
	Model, SerialNumber, InterfaceType string
	MediaType, PNPDeviceID             string
	Size                               uint64
}

// physicalDisk is MSFT_PhysicalDisk.
type physicalDisk struct {
	DeviceId                         string
	MediaType, BusType, HealthStatus uint16
}

// disks lists drives, with what the storage service adds: kind, bus and health. A drive
// that predicts its own failure (SMART) is failing, whatever the service says.
func (w *windowsDevices) disks(ctx context.Context, h *inventory.Hardware) {
	var drives []diskDrive
	if !w.query(ctx, wmi.CIMV2, "SELECT Index, Model, SerialNumber, InterfaceType, MediaType, PNPDeviceID, Size FROM Win32_DiskDrive", &drives) {
		return
	}
	var physical []physicalDisk
	w.query(ctx, wmi.Storage, "SELECT DeviceId, MediaType, BusType, HealthStatus FROM MSFT_PhysicalDisk", &physical)
	var predicted []struct {
		InstanceName   string
		PredictFailure bool
	}
	w.query(ctx, wmi.Monitors, "SELECT InstanceName, PredictFailure FROM MSStorageDriver_FailurePredictStatus", &predicted)
	for _, d := range drives {
		disk := inventory.Disk{Name: "disk" + strconv.Itoa(int(d.Index)), Model: d.Model, Serial: smbios.Meaningful(d.SerialNumber), Bytes: d.Size,
			Bus: strings.ToLower(d.InterfaceType), Kind: driveKind(d)}
		for _, p := range physical {
			if p.DeviceId == strconv.Itoa(int(d.Index)) {
				disk.Kind, disk.Bus, disk.Health = physicalKind(p, disk.Kind), busName(p.BusType, disk.Bus), diskHealth(p.HealthStatus)
			}
		}
		for _, p := range predicted {
			if d.PNPDeviceID != "" && strings.HasPrefix(strings.ToUpper(p.InstanceName), strings.ToUpper(d.PNPDeviceID)) {
				disk.Health = "ok"
				if p.PredictFailure {
					disk.Health = "failing"
				}
			}
		}
		h.Disks = append(h.Disks, disk)
	}
}

func driveKind(d diskDrive) string {
	m := strings.ToLower(d.MediaType + " " + d.Model + " " + d.PNPDeviceID)
	switch {
	case strings.Contains(m, "removable"), strings.EqualFold(d.InterfaceType, "USB"):
		return "removable"
	case strings.Contains(m, "virtual"), strings.Contains(m, "vmware"), strings.Contains(m, "qemu"):
		return "virtual"
	case strings.Contains(m, "nvme"):
		return "nvme"
	}
	return ""
}

// physicalKind reads MediaType (3 turning, 4 solid) and BusType (7 USB, 17 NVMe).
func physicalKind(p physicalDisk, kind string) string {
	switch {
	case p.BusType == 17:
		return "nvme"
	case p.BusType == 7 || kind == "virtual":
		return cmp.Or(kind, "removable")
	case p.MediaType == 3:
		return "hdd"
	case p.MediaType == 4:
		return "ssd"
	}
	return kind
}

func busName(bus uint16, other string) string {
	switch bus {
	case 1, 10:
		return "scsi"
	case 3, 11:
		return "sata"
	case 7:
		return "usb"
	case 8:
		return "raid"
	case 12:
		return "sd"
	case 13:
		return "mmc"
	case 17:
		return "nvme"
	}
	return other
}

// diskHealth reads HealthStatus: 0 healthy, 1 warning, 2 unhealthy, 5 unknown.
func diskHealth(status uint16) string {
	switch status {
	case 0:
		return "ok"
	case 1, 2:
		return "failing"
	}
	return ""
}

// protection tells BitLocker's state of each volume. ConversionStatus: 0 decrypted,
// 1 encrypted, 2 encrypting, 3 decrypting, 4 and 5 paused.
func (w *windowsDevices) protection(ctx context.Context, h *inventory.Hardware) {
	var rows []struct {
		DriveLetter                        string
		ProtectionStatus, ConversionStatus uint32
	}
	if !w.query(ctx, wmi.Encryption, "SELECT DriveLetter, ProtectionStatus, ConversionStatus FROM Win32_EncryptableVolume", &rows) {
		return
	}
	for _, r := range rows {
		for i := range h.Volumes {
			v := &h.Volumes[i]
			if r.DriveLetter == "" || !strings.HasPrefix(v.Mount, r.DriveLetter) {
				continue
			}
			v.Encrypted = r.ConversionStatus == 1 || (r.ConversionStatus == 0 && r.ProtectionStatus == 1)
			switch {
			case r.ConversionStatus == 2 || r.ConversionStatus == 4:
				v.Protection = "encrypting"
			case r.ConversionStatus == 3 || r.ConversionStatus == 5:
				v.Protection = "decrypting"
			case r.ProtectionStatus == 1:
				v.Protection = "on"
			case v.Encrypted: // the key lies in the open, as during an update of the firmware
				v.Protection = "suspended"
			default:
				v.Protection = "off"
			}
		}
	}
}

func (w *windowsDevices) gpus(ctx context.Context, h *inventory.Hardware) {
	var rows []struct{ Name, AdapterCompatibility, DriverVersion string }
	w.query(ctx, wmi.CIMV2, "SELECT Name, AdapterCompatibility, DriverVersion FROM Win32_VideoController", &rows)
	for _, r := range rows {
		if r.Name != "" {
			h.GPUs = append(h.GPUs, inventory.GPU{Vendor: r.AdapterCompatibility, Model: r.Name, Driver: r.DriverVersion})
		}
	}
}

// monitors lists the screens that are connected now, and reads the EDID that Windows
// keeps of each: those that were connected once stay in the registry.
func (w *windowsDevices) monitors(ctx context.Context, h *inventory.Hardware) {
	var rows []struct {
		InstanceName string
		Active       bool
	}
	w.query(ctx, wmi.Monitors, "SELECT InstanceName, Active FROM WmiMonitorBasicDisplayParams", &rows)
	for _, r := range rows {
		instance := r.InstanceName
		if i := strings.LastIndexByte(r.InstanceName, '_'); i > 0 {
			instance = r.InstanceName[:i]
		}
		k, err := w.local.Open(`SYSTEM\CurrentControlSet\Enum\` + instance + `\Device Parameters`)
		if err != nil || !r.Active {
			continue
		}
		v, err := k.Value("EDID")
		k.Close()
		if err != nil {
			continue
		}
		if d, err := edid.Parse(v.Data); err == nil {
			h.Monitors = append(h.Monitors, inventory.Monitor{Vendor: edid.Maker(d.MakerID), Model: d.Name, Serial: d.Serial, Year: d.Year})
		}
	}
}

// batteries joins three classes by their instance.
func (w *windowsDevices) batteries(ctx context.Context, h *inventory.Hardware) {
	var static []struct {
		InstanceName, DeviceName, SerialNumber string
		DesignedCapacity                       uint32
	}
	if !w.query(ctx, wmi.Monitors, "SELECT InstanceName, DeviceName, SerialNumber, DesignedCapacity FROM BatteryStaticData", &static) || len(static) == 0 {
		return
	}
	var full []struct {
		InstanceName        string
		FullChargedCapacity uint32
	}
	w.query(ctx, wmi.Monitors, "SELECT InstanceName, FullChargedCapacity FROM BatteryFullChargedCapacity", &full)
	var cycles []struct {
		InstanceName string
		CycleCount   uint32
	}
	w.query(ctx, wmi.Monitors, "SELECT InstanceName, CycleCount FROM BatteryCycleCount", &cycles)
	for _, s := range static {
		b := inventory.Battery{Model: strings.TrimSpace(s.DeviceName), Serial: strings.TrimSpace(s.SerialNumber), DesignMWh: int(s.DesignedCapacity)}
		for _, f := range full {
			if f.InstanceName == s.InstanceName {
				b.FullMWh = int(f.FullChargedCapacity)
			}
		}
		for _, c := range cycles {
			if c.InstanceName == s.InstanceName {
				b.Cycles = int(c.CycleCount)
			}
		}
		if b.DesignMWh > 0 && b.FullMWh > 0 {
			b.WearPct = max(0, 100-b.FullMWh*100/b.DesignMWh)
		}
		h.Batteries = append(h.Batteries, b)
	}
}

// networks adds kind and speed to the interfaces found, by their address.
func (w *windowsDevices) networks(ctx context.Context, h *inventory.Hardware) {
	var rows []struct {
		Name, MACAddress, NetConnectionID string
		AdapterTypeID                     uint32
		Speed                             uint64
		PhysicalAdapter                   bool
	}
	w.query(ctx, wmi.CIMV2, "SELECT Name, MACAddress, NetConnectionID, AdapterTypeID, Speed, PhysicalAdapter FROM Win32_NetworkAdapter", &rows)
	for _, r := range rows {
		if r.MACAddress == "" {
			continue
		}
		n := findNetwork(h, strings.ToLower(r.MACAddress))
		if n == nil {
			if !r.PhysicalAdapter {
				continue
			}
			h.Networks = append(h.Networks, inventory.Network{Name: cmp.Or(r.NetConnectionID, r.Name), MAC: strings.ToLower(r.MACAddress)})
			n = &h.Networks[len(h.Networks)-1]
		}
		n.Kind = "virtual"
		if lower := strings.ToLower(r.Name); r.PhysicalAdapter && !strings.Contains(lower, "virtual") && !strings.Contains(lower, "hyper-v") {
			n.Kind = "ethernet"
			if r.AdapterTypeID == 9 || strings.Contains(lower, "wi-fi") || strings.Contains(lower, "wireless") {
				n.Kind = "wifi"
			}
		}
		if mbps := r.Speed / 1_000_000; mbps > 0 && mbps < 1_000_000 && n.Kind == "ethernet" { // a radio's speed moves all the time
			n.SpeedMbps = int(mbps)
		}
	}
}

func findNetwork(h *inventory.Hardware, mac string) *inventory.Network {
	for i := range h.Networks {
		if h.Networks[i].MAC == mac {
			return &h.Networks[i]
		}
	}
	return nil
}

// tpm tells the version that the TPM follows: the first of "2.0, 0, 1.59".
func (w *windowsDevices) tpm(ctx context.Context) string {
	var rows []struct{ SpecVersion string }
	if !w.query(ctx, wmi.TPM, "SELECT SpecVersion FROM Win32_Tpm", &rows) || len(rows) == 0 {
		return ""
	}
	version, _, _ := strings.Cut(rows[0].SpecVersion, ",")
	if version = strings.TrimSpace(version); strings.HasPrefix(version, "Not") {
		return ""
	}
	return version
}
