package hardware

import (
	"path"
	"strings"

	"vigia/agent/internal/probe/hardware/edid"
	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/internal/inventory"
)

// gpus lists PCI devices of class 3 (display).
func (m machine) gpus(_ *smbios.Info, h *inventory.Hardware) error {
	list, err := m.entries("/sys/bus/pci/devices")
	if err != nil {
		return err
	}
	var ids []string
	for _, e := range list {
		dir := "/sys/bus/pci/devices/" + e.Name()
		if !strings.HasPrefix(m.fs.ReadText(dir+"/class"), "0x03") {
			continue
		}
		id := strings.TrimPrefix(m.fs.ReadText(dir+"/vendor"), "0x") + ":" + strings.TrimPrefix(m.fs.ReadText(dir+"/device"), "0x")
		driver, _ := m.fs.Resolve(dir + "/driver")
		g := inventory.GPU{Model: "PCI " + id}
		if driver != "" {
			g.Driver = path.Base(driver)
		}
		ids = append(ids, id)
		h.GPUs = append(h.GPUs, g)
	}
	m.nameGPUs(h.GPUs, ids)
	return nil
}

// nameGPUs takes names from the first pci.ids there is; without one numbers must do.
func (m machine) nameGPUs(gpus []inventory.GPU, ids []string) {
	if len(ids) == 0 {
		return
	}
	for _, name := range [...]string{"/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids", "/usr/share/pci.ids"} {
		text, err := m.fs.ReadFile(name, maxPCIIDs)
		if err != nil {
			continue
		}
		for i, id := range ids {
			if n := findPCI(text, id); n.Device != "" {
				gpus[i].Vendor, gpus[i].Model = n.Vendor, n.Device
			}
		}
		return
	}
}

// monitors reads the EDID of every connected output. A block that is broken tells
// nothing worth an entry.
func (m machine) monitors(_ *smbios.Info, h *inventory.Hardware) error {
	outputs, err := m.fs.Glob("/sys/class/drm/card*-*")
	if err != nil {
		return err
	}
	for _, dir := range outputs {
		if m.fs.ReadText(dir+"/status") != "connected" {
			continue
		}
		block, err := m.fs.ReadFile(dir+"/edid", 64<<10)
		if err != nil {
			continue
		}
		d, err := edid.Parse(block)
		if err != nil {
			continue
		}
		h.Monitors = append(h.Monitors, inventory.Monitor{Vendor: edid.Maker(d.MakerID), Model: d.Name, Serial: d.Serial, Year: d.Year})
	}
	return nil
}

// batteries lists the machine's own batteries, not those of mice and headsets.
func (m machine) batteries(_ *smbios.Info, h *inventory.Hardware) error {
	list, err := m.entries("/sys/class/power_supply")
	if err != nil {
		return err
	}
	for _, e := range list {
		dir := "/sys/class/power_supply/" + e.Name() + "/"
		if m.fs.ReadText(dir+"type") != "Battery" || m.fs.ReadText(dir+"scope") == "Device" || m.fs.ReadText(dir+"present") == "0" {
			continue
		}
		b := inventory.Battery{
			Model:  strings.TrimSpace(m.fs.ReadText(dir+"manufacturer") + " " + m.fs.ReadText(dir+"model_name")),
			Serial: smbios.Meaningful(m.fs.ReadText(dir + "serial_number")), Cycles: number(m.fs.ReadText(dir + "cycle_count")),
			DesignMWh: number(m.fs.ReadText(dir+"energy_full_design")) / 1000, // from µWh
			FullMWh:   number(m.fs.ReadText(dir+"energy_full")) / 1000,
		}
		if b.DesignMWh == 0 { // some tell charge, in µAh, and the voltage, in µV
			volts := number(m.fs.ReadText(dir + "voltage_min_design"))
			b.DesignMWh = milliwattHours(number(m.fs.ReadText(dir+"charge_full_design")), volts)
			b.FullMWh = milliwattHours(number(m.fs.ReadText(dir+"charge_full")), volts)
		}
		if b.DesignMWh > 0 && b.FullMWh > 0 {
			b.WearPct = max(0, 100-b.FullMWh*100/b.DesignMWh)
		}
		h.Batteries = append(h.Batteries, b)
	}
	return nil
}

// milliwattHours turns microampere-hours at microvolts into mWh.
func milliwattHours(microAmpHours, microVolts int) int {
	return int(float64(microAmpHours) * float64(microVolts) / 1e9)
}
