package fleetsim

import (
	"fmt"
	"time"

	"vigia/internal/inventory"
)

// model is a computer that companies buy.
type model struct {
	vendor, name, chassis, cpu string
	cores, gib                 int
}

func (m *machine) model() model {
	if m.class.name == "server" {
		return []model{
			{"Dell Inc.", "PowerEdge R650", "Rack Mount Chassis", "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz", 12, 128},
			{"HPE", "ProLiant DL380 Gen10", "Rack Mount Chassis", "Intel(R) Xeon(R) Gold 5218 CPU @ 2.30GHz", 16, 192},
		}[m.r.IntN(2)]
	}
	return []model{
		{"LENOVO", "ThinkPad T14 Gen 3", "Notebook", "12th Gen Intel(R) Core(TM) i5-1245U", 10, 16},
		{"LENOVO", "ThinkCentre M70q", "Mini PC", "12th Gen Intel(R) Core(TM) i5-12400T", 6, 16},
		{"Dell Inc.", "Latitude 5440", "Notebook", "13th Gen Intel(R) Core(TM) i7-1355U", 10, 32},
		{"Dell Inc.", "OptiPlex 7010", "Desktop", "13th Gen Intel(R) Core(TM) i5-13500", 14, 16},
		{"HP", "EliteBook 845 G10", "Notebook", "AMD Ryzen 5 PRO 7540U", 6, 16},
		{"HP", "Z2 Tower G9", "Tower", "12th Gen Intel(R) Core(TM) i9-12900K", 16, 64},
	}[pick(m.r, 25, 20, 20, 15, 15, 5)]
}

func (m *machine) hardware() inventory.Hardware {
	k := m.model()
	disk := uint64(k.gib) * 16 << 30
	h := inventory.Hardware{Vendor: k.vendor, Model: k.name, Chassis: k.chassis, TPM: "2.0",
		BIOS:  inventory.BIOS{Vendor: k.vendor, Version: fmt.Sprintf("1.%d.0", 4+m.r.IntN(20)), Date: "2025-03-11"},
		Board: inventory.Board{Vendor: k.vendor, Model: "0" + k.name[:3], Serial: "B" + m.serial},
		CPUs:  []inventory.CPU{{Model: k.cpu, Vendor: "GenuineIntel", Socket: "CPU0", Cores: k.cores, Threads: 2 * k.cores, MaxMHz: 4400, Arch: "amd64"}},
		Memory: inventory.Memory{TotalBytes: uint64(k.gib) << 30, Slots: 2, MaxBytes: 64 << 30, Modules: []inventory.MemoryModule{
			{Locator: "DIMM A", Bytes: uint64(k.gib) << 29, Type: "DDR4", SpeedMTs: 3200, Manufacturer: "Samsung", PartNumber: "M471A2K43DB1-CWE", Serial: fmt.Sprintf("%08X", m.r.Uint32())},
			{Locator: "DIMM B", Bytes: uint64(k.gib) << 29, Type: "DDR4", SpeedMTs: 3200, Manufacturer: "Samsung", PartNumber: "M471A2K43DB1-CWE", Serial: fmt.Sprintf("%08X", m.r.Uint32())}}},
		Disks: []inventory.Disk{{Name: "nvme0n1", Model: "SAMSUNG MZVL2512HCJQ", Serial: fmt.Sprintf("S64K%010d", m.r.IntN(1e9)), Bytes: disk, Kind: "nvme", Bus: "nvme"}},
		Volumes: []inventory.Volume{
			{Mount: "/", Device: "/dev/nvme0n1p2", FSType: "ext4", Bytes: disk - 1<<30, FreePct: 10 + 5*m.r.IntN(16), Encrypted: k.chassis == "Notebook"},
			{Mount: "/boot/efi", Device: "/dev/nvme0n1p1", FSType: "vfat", Bytes: 512 << 20, FreePct: 95}},
		Networks: []inventory.Network{{Name: "enp0s31f6", MAC: fmt.Sprintf("02:5e:%02x:%02x:%02x:%02x", m.address>>24, m.address>>16&0xff, m.address>>8&0xff, m.address&0xff),
			Addresses: []string{fmt.Sprintf("10.%d.%d.%d/16", m.address>>16&0xff, m.address>>8&0xff, m.address&0xff)}, SpeedMbps: 1000, Kind: "ethernet"}},
		GPUs: []inventory.GPU{{Vendor: "Intel Corporation", Model: "Iris Xe Graphics", Driver: "i915"}},
	}
	if k.chassis == "Notebook" {
		wear := m.r.IntN(35)
		h.Batteries = []inventory.Battery{{Model: "5B10W51867", Serial: fmt.Sprintf("%05d", m.r.IntN(1e5)), DesignMWh: 52_500,
			FullMWh: 525 * (100 - wear), WearPct: wear, Cycles: wear * 11}}
	} else if m.class.name != "server" {
		h.Monitors = []inventory.Monitor{{Vendor: "DEL", Model: "DELL P2422H", Serial: fmt.Sprintf("M%07d", m.r.IntN(1e7)), Year: 2022 + m.r.IntN(4)}}
	}
	return h
}

func (m *machine) system() inventory.System {
	return inventory.System{OS: "linux", Name: "Debian GNU/Linux 12 (bookworm)", Distribution: "debian", Version: "12",
		Kernel: fmt.Sprintf("6.1.0-%d-amd64", 40-2*min(m.ring, 3)), Arch: "amd64", InstalledAt: m.since.Truncate(time.Second),
		BootedAt: m.Start.Add(-time.Duration(m.r.IntN(240*60)) * time.Minute), Timezone: "America/Mexico_City", Locale: "es_MX.UTF-8",
		Init: "systemd", SecureBoot: "on", RebootPending: m.r.IntN(10) == 0, Users: []inventory.Account{{Name: "sistemas", Admin: true}, {Name: m.user}}}
}

// antivirus is ClamAV, healthy on most machines.
func (m *machine) antivirus() []inventory.Antivirus {
	a := inventory.Antivirus{Product: "ClamAV", Version: "1.4.3", State: "on", RealTime: "off", Updater: "on", DefinitionsVersion: "27783",
		DefinitionsAt: m.Start.Truncate(24 * time.Hour).Add(-15 * time.Hour), Signatures: 2_076_000, LastScanAt: m.Start.Add(-time.Duration(m.r.IntN(7*24*60)) * time.Minute)}
	switch m.r.IntN(20) {
	case 0:
		a.State, a.Problems = "off", []string{"daemon-off"}
	case 1:
		a.Updater, a.DefinitionsVersion, a.DefinitionsAt, a.Problems = "off", "27701", m.Start.AddDate(0, 0, -80), []string{"definitions-old", "updater-off"}
	}
	return []inventory.Antivirus{a}
}

// sources tells how the sources answered, as an agent of this system does.
func (m *machine) sources(list []inventory.Program) []inventory.Source {
	entries := map[string]int{"ClamAV": 1, "hardware": 4, "machine": 1, "smbios": 1, "system": 2}
	for i := range list {
		entries[list[i].Source]++
	}
	var all []inventory.Source
	for _, name := range []string{"ClamAV", "deb", "file", "flatpak", "hardware", "machine", "smbios", "snap", "system"} {
		s := inventory.Source{Source: name, Outcome: inventory.OutcomeOK, Entries: entries[name], DurationMS: int64(m.r.IntN(80))}
		if s.Entries == 0 {
			s.Outcome = inventory.OutcomeAbsent
		}
		all = append(all, s)
	}
	return all
}
