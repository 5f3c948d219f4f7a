package inventory

import (
	"cmp"
	"slices"
	"strings"
)

func (n *normalizer) hardware(h *Hardware) {
	n.section, n.entry = SectionHardware, h.Model
	n.texts("vendor", &h.Vendor, "model", &h.Model, "version", &h.Version, "sku", &h.SKU, "chassis", &h.Chassis,
		"asset_tag", &h.AssetTag, "virtual", &h.Virtual, "tpm", &h.TPM,
		"bios.vendor", &h.BIOS.Vendor, "bios.version", &h.BIOS.Version,
		"board.vendor", &h.Board.Vendor, "board.model", &h.Board.Model, "board.version", &h.Board.Version, "board.serial", &h.Board.Serial)
	n.date("bios.date", &h.BIOS.Date)
	n.processors(h)
	n.storage(h)
	n.devices(h)
}

func (n *normalizer) processors(h *Hardware) {
	h.CPUs = limit(n, "cpus", h.CPUs)
	for i := range h.CPUs {
		c := &h.CPUs[i]
		n.entry = c.Model
		n.texts("cpus.model", &c.Model, "cpus.vendor", &c.Vendor, "cpus.socket", &c.Socket, "cpus.arch", &c.Arch)
		n.notNegative("cpus.cores", &c.Cores)
		n.notNegative("cpus.threads", &c.Threads)
		n.notNegative("cpus.max_mhz", &c.MaxMHz)
	}
	slices.SortStableFunc(h.CPUs, func(a, b CPU) int { return cmp.Compare(a.Socket, b.Socket) })
	n.notNegative("memory.slots", &h.Memory.Slots)
	h.Memory.Modules = limit(n, "memory.modules", h.Memory.Modules)
	for i := range h.Memory.Modules {
		m := &h.Memory.Modules[i]
		n.entry = m.Locator
		n.texts("memory.locator", &m.Locator, "memory.type", &m.Type, "memory.manufacturer", &m.Manufacturer,
			"memory.part_number", &m.PartNumber, "memory.serial", &m.Serial)
		n.notNegative("memory.speed_mts", &m.SpeedMTs)
	}
	slices.SortStableFunc(h.Memory.Modules, func(a, b MemoryModule) int { return cmp.Compare(a.Locator, b.Locator) })
}

func (n *normalizer) storage(h *Hardware) {
	h.Disks = limit(n, "disks", h.Disks)
	for i := range h.Disks {
		d := &h.Disks[i]
		n.entry = d.Name
		n.texts("disks.name", &d.Name, "disks.model", &d.Model, "disks.serial", &d.Serial, "disks.kind", &d.Kind, "disks.bus", &d.Bus)
		n.oneOf("disks.health", &d.Health, "", "ok", "failing", "")
	}
	slices.SortStableFunc(h.Disks, func(a, b Disk) int { return cmp.Compare(a.Name, b.Name) })
	h.Volumes = limit(n, "volumes", h.Volumes)
	for i := range h.Volumes {
		v := &h.Volumes[i]
		n.entry = v.Mount
		n.text("volumes.mount", &v.Mount, MaxPath)
		n.oneOf("volumes.protection", &v.Protection, "", "on", "off", "suspended", "encrypting", "decrypting", "")
		n.texts("volumes.device", &v.Device, "volumes.fs_type", &v.FSType)
		v.FreePct = min(100, max(0, v.FreePct)) / 5 * 5
	}
	slices.SortStableFunc(h.Volumes, func(a, b Volume) int { return cmp.Compare(a.Mount, b.Mount) })
}

func (n *normalizer) devices(h *Hardware) {
	h.Networks = limit(n, "networks", h.Networks)
	for i := range h.Networks {
		w := &h.Networks[i]
		n.entry = w.Name
		n.texts("networks.name", &w.Name, "networks.mac", &w.MAC, "networks.kind", &w.Kind)
		w.MAC = strings.ToLower(w.MAC)
		w.Addresses = n.addresses(w.Addresses)
		n.notNegative("networks.speed_mbps", &w.SpeedMbps)
	}
	slices.SortStableFunc(h.Networks, func(a, b Network) int { return cmp.Compare(a.Name, b.Name) })
	h.GPUs = limit(n, "gpus", h.GPUs)
	for i := range h.GPUs {
		n.texts("gpus.vendor", &h.GPUs[i].Vendor, "gpus.model", &h.GPUs[i].Model, "gpus.driver", &h.GPUs[i].Driver)
	}
	slices.SortStableFunc(h.GPUs, func(a, b GPU) int { return cmp.Compare(a.Model, b.Model) })
	h.Monitors = limit(n, "monitors", h.Monitors)
	for i := range h.Monitors {
		m := &h.Monitors[i]
		n.texts("monitors.vendor", &m.Vendor, "monitors.model", &m.Model, "monitors.serial", &m.Serial)
		n.notNegative("monitors.year", &m.Year)
	}
	slices.SortStableFunc(h.Monitors, func(a, b Monitor) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Serial, b.Serial))
	})
	h.Batteries = limit(n, "batteries", h.Batteries)
	for i := range h.Batteries {
		b := &h.Batteries[i]
		n.texts("batteries.model", &b.Model, "batteries.serial", &b.Serial)
		n.notNegative("batteries.design_mwh", &b.DesignMWh)
		n.notNegative("batteries.full_mwh", &b.FullMWh)
		n.notNegative("batteries.cycles", &b.Cycles)
		b.WearPct = min(100, max(0, b.WearPct))
	}
	slices.SortStableFunc(h.Batteries, func(a, b Battery) int { return cmp.Compare(a.Serial, b.Serial) })
}
