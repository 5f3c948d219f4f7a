package hardware

import (
	"cmp"
	"strings"

	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// readFirmware decodes the SMBIOS table and fills what it did not tell from what the
// kernel made of it, part of which needs no privilege. It always returns an Info; the
// error is that of the table: probe.ErrAbsent (wrapped) where there is none.
func readFirmware(fsys *rootfs.FS) (*smbios.Info, error) {
	info, err := decodeTable(fsys)
	fillFromKernel(fsys, info)
	return info, err
}

// decodeTable is readFirmware without what the kernel adds.
func decodeTable(fsys *rootfs.FS) (*smbios.Info, error) {
	table, version, err := readTable(fsys)
	if err != nil {
		return &smbios.Info{}, err
	}
	return smbios.Decode(table, version)
}

// fillFromKernel fills empty fields from /sys/class/dmi/id, and from the device tree
// where a board has that instead of SMBIOS.
func fillFromKernel(fsys *rootfs.FS, in *smbios.Info) {
	fill := func(to *string, name string) {
		if *to == "" {
			*to = smbios.Meaningful(fsys.ReadText("/sys/class/dmi/id/" + name))
		}
	}
	told := in.System.Model != "" && in.System.Serial != "" && in.System.UUID != ""
	if !told && fsys.Exists("/sys/class/dmi/id") {
		fill(&in.System.Vendor, "sys_vendor")
		fill(&in.System.Model, "product_name")
		fill(&in.System.Version, "product_version")
		fill(&in.System.SKU, "product_sku")
		fill(&in.System.Serial, "product_serial")
		fill(&in.Board.Vendor, "board_vendor")
		fill(&in.Board.Model, "board_name")
		fill(&in.Board.Version, "board_version")
		fill(&in.Board.Serial, "board_serial")
		fill(&in.BIOS.Vendor, "bios_vendor")
		fill(&in.BIOS.Version, "bios_version")
		fill(&in.Chassis.AssetTag, "chassis_asset_tag")
		in.System.UUID = cmp.Or(in.System.UUID, smbios.RealUUID(fsys.ReadText("/sys/class/dmi/id/product_uuid")))
		in.BIOS.Date = cmp.Or(in.BIOS.Date, smbios.Date(fsys.ReadText("/sys/class/dmi/id/bios_date")))
		in.Chassis.Kind = cmp.Or(in.Chassis.Kind, smbios.ChassisKind(number(fsys.ReadText("/sys/class/dmi/id/chassis_type"))))
	}
	tree := func(name string) string {
		return smbios.Meaningful(strings.TrimRight(fsys.ReadText("/sys/firmware/devicetree/base/"+name), "\x00"))
	}
	if in.System.Model == "" {
		in.System.Model = tree("model")
	}
	if in.System.Serial == "" {
		in.System.Serial = tree("serial-number")
	}
}

// applyFirmware copies what the firmware tells into h.
func applyFirmware(h *inventory.Hardware, in *smbios.Info) {
	h.Vendor, h.Model, h.Version, h.SKU = in.System.Vendor, in.System.Model, in.System.Version, in.System.SKU
	h.Chassis, h.AssetTag = in.Chassis.Kind, in.Chassis.AssetTag
	h.BIOS = inventory.BIOS{Vendor: in.BIOS.Vendor, Version: in.BIOS.Version, Date: in.BIOS.Date}
	h.Board = inventory.Board{Vendor: in.Board.Vendor, Model: in.Board.Model, Version: in.Board.Version, Serial: in.Board.Serial}
	for _, a := range in.Arrays {
		if a.System {
			h.Memory.MaxBytes += a.MaxBytes
			h.Memory.Slots += a.Slots
		}
	}
	for _, d := range in.Memory {
		if d.Bytes == 0 {
			continue
		}
		locator := d.Locator
		if d.Bank != "" && smbios.Meaningful(d.Bank) != "" && !strings.Contains(locator, d.Bank) {
			locator = strings.TrimSpace(d.Bank + " " + locator)
		}
		h.Memory.Modules = append(h.Memory.Modules, inventory.MemoryModule{
			Locator: locator, Bytes: d.Bytes, Type: d.Type, SpeedMTs: d.SpeedMTs,
			Manufacturer: d.Manufacturer, PartNumber: d.PartNumber, Serial: d.Serial,
		})
	}
}

// applyMemory sets the total: what is plugged in where the firmware tells it, else what
// the kernel can use, which is less and moves with its version.
func applyMemory(h *inventory.Hardware, usable uint64) {
	var plugged uint64
	for _, m := range h.Memory.Modules {
		plugged += m.Bytes
	}
	h.Memory.TotalBytes = max(plugged, usable)
}

// applyProcessors adds sockets and top speeds from the firmware to what the system
// found, or takes the firmware's word where the system found nothing.
func applyProcessors(cpus []inventory.CPU, in *smbios.Info, arch string) []inventory.CPU {
	var populated []smbios.Processor
	for _, p := range in.Processors {
		if p.Populated {
			populated = append(populated, p)
		}
	}
	if len(cpus) == 0 {
		for _, p := range populated {
			cpus = append(cpus, inventory.CPU{Model: p.Model, Vendor: p.Vendor, Cores: p.Cores, Threads: p.Threads})
		}
	}
	for i := range cpus {
		cpus[i].Arch = arch
		if len(populated) != len(cpus) {
			continue // a virtual machine may show one socket per thread
		}
		p := populated[i]
		cpus[i].Socket = cmp.Or(p.Socket, cpus[i].Socket)
		cpus[i].Model = cmp.Or(cpus[i].Model, p.Model)
		cpus[i].Vendor = cmp.Or(cpus[i].Vendor, p.Vendor)
		cpus[i].MaxMHz = cmp.Or(cpus[i].MaxMHz, p.MaxMHz)
	}
	return cpus
}
