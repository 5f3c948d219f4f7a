package demo

import (
	"fmt"
	"time"

	"vigia/internal/inventory"
)

// snapshot is what m looks like at a time, without its programs, in normal form.
func (m *machine) snapshot(at time.Time) *inventory.Snapshot {
	s := &inventory.Snapshot{
		TakenAt:   at,
		Machine:   inventory.Machine{Hostname: m.host, Serial: m.serial, UUID: m.uuid, MachineID: m.machineID},
		Hardware:  m.hardware(),
		System:    m.system(at),
		Antivirus: m.antivirus(at),
		Sources:   m.sources(at),
	}
	if m.windows() {
		s.Machine.Domain = "ejemplo.example.com"
	}
	s.Normalize()
	return s
}

func (m *machine) hardware() inventory.Hardware {
	k := m.model
	h := inventory.Hardware{Vendor: k.vendor, Model: k.model, Version: k.version, SKU: k.sku, Chassis: chassis(k.kind),
		BIOS:     inventory.BIOS{Vendor: k.biosVendor, Version: k.biosVersion, Date: k.biosDate},
		Board:    inventory.Board{Vendor: k.vendor, Model: k.board, Serial: "MB" + m.serial},
		CPUs:     []inventory.CPU{{Model: k.cpu, Vendor: "GenuineIntel", Socket: "U3E1", Cores: k.cores, Threads: k.threads, MaxMHz: k.mhz, Arch: "amd64"}},
		Memory:   m.memoryOf(),
		Disks:    []inventory.Disk{{Name: m.diskName(), Model: k.disk, Serial: "S" + m.serial + "D1", Bytes: uint64(m.disk) * 1000_000_000, Kind: k.diskKind, Bus: bus(k.diskKind)}},
		Volumes:  m.volumes(),
		Networks: m.networks(),
	}
	switch k.kind {
	case "virtual":
		h.Virtual = "vmware"
		h.GPUs = []inventory.GPU{{Vendor: "VMware", Model: "SVGA II Adapter"}}
	case "server":
		h.GPUs = []inventory.GPU{{Vendor: "Matrox", Model: "G200eW3 Graphics Controller"}}
	case "workstation":
		h.GPUs, h.TPM = []inventory.GPU{{Vendor: "NVIDIA Corporation", Model: "RTX A2000 12GB"}}, "2.0"
		h.Monitors = m.monitors(2)
	default:
		h.GPUs, h.TPM = []inventory.GPU{{Vendor: "Intel Corporation", Model: "Iris Xe Graphics"}}, "2.0"
		h.Monitors = m.monitors(1)
	}
	if k.kind == "laptop" {
		design := 50_000 + 1000*(m.n%8)
		wear := min(60, (2026-k.year)*7+m.n%9)
		h.Batteries = []inventory.Battery{{Model: "5B10W51867", Serial: fmt.Sprint(1000 + m.n), DesignMWh: design, FullMWh: design * (100 - wear) / 100, WearPct: wear, Cycles: wear * 13}}
	}
	return h
}

func chassis(kind string) string {
	return map[string]string{"laptop": "Notebook", "desktop": "Desktop", "workstation": "Tower", "server": "Rack Mount Chassis", "virtual": "Other"}[kind]
}

func bus(kind string) string {
	switch kind {
	case "nvme":
		return "nvme"
	case "virtual":
		return "scsi"
	}
	return "sata"
}

func (m *machine) diskName() string {
	switch {
	case m.windows():
		return "PhysicalDrive0"
	case m.model.diskKind == "nvme":
		return "nvme0n1"
	}
	return "sda"
}

func (m *machine) memoryOf() inventory.Memory {
	out := inventory.Memory{TotalBytes: uint64(m.memory) << 30, Slots: 2, MaxBytes: 64 << 30}
	modules := 2
	if m.memory <= 8 {
		modules = 1
	}
	if m.model.kind == "server" {
		modules, out.Slots, out.MaxBytes = 8, 24, 3<<40
	}
	for i := range modules {
		out.Modules = append(out.Modules, inventory.MemoryModule{Locator: fmt.Sprintf("DIMM %d", i), Bytes: out.TotalBytes / uint64(modules), Type: m.model.memoryType,
			SpeedMTs: m.model.speed, Manufacturer: "Samsung", PartNumber: "M471A1G44AB0-CWE", Serial: fmt.Sprintf("%08X", salt(m.serial)+i)})
	}
	return out
}

func (m *machine) volumes() []inventory.Volume {
	free := 5 * (1 + salt(m.host)%17)
	bytes := uint64(m.disk) * 930_000_000
	if m.windows() {
		return []inventory.Volume{{Mount: "C:", Device: `\Device\HarddiskVolume3`, FSType: "NTFS", Bytes: bytes, FreePct: free, Encrypted: m.encrypted}}
	}
	disk := m.diskName()
	if m.model.diskKind == "nvme" {
		disk += "p"
	}
	root := inventory.Volume{Mount: "/", Device: "/dev/" + disk + "2", FSType: "ext4", Bytes: bytes, FreePct: free, Encrypted: m.encrypted}
	if m.encrypted {
		root.Device = "/dev/mapper/vg0-root"
	}
	return []inventory.Volume{root, {Mount: "/boot/efi", Device: "/dev/" + disk + "1", FSType: "vfat", Bytes: 512 << 20, FreePct: 95}}
}

func (m *machine) networks() []inventory.Network {
	address := fmt.Sprintf("10.%d.%d.%d/22", netOf(m.site), m.n/200%250, 10+m.n%200)
	wired := inventory.Network{Name: "enp0s31f6", MAC: m.mac, SpeedMbps: 1000, Kind: "ethernet"}
	if m.windows() {
		wired.Name = "Ethernet"
	}
	if m.model.kind != "laptop" {
		wired.Addresses = []string{address}
		return []inventory.Network{wired}
	}
	wifi := inventory.Network{Name: "wlp0s20f3", MAC: m.mac[:15] + "7f", Kind: "wifi", Addresses: []string{address}}
	if m.windows() {
		wifi.Name = "Wi-Fi"
	}
	return []inventory.Network{wired, wifi}
}

func netOf(name string) int {
	for _, s := range sites() {
		if s.name == name {
			return s.net
		}
	}
	return 10
}

func (m *machine) monitors(n int) []inventory.Monitor {
	kinds := []inventory.Monitor{{Vendor: "DEL", Model: "DELL P2422H", Year: 2022}, {Vendor: "HPN", Model: "HP E24 G4", Year: 2021}, {Vendor: "LEN", Model: "LEN T24i-20", Year: 2020}, {Vendor: "GSM", Model: "24MK430H", Year: 2019}}
	var out []inventory.Monitor
	for i := range n {
		k := kinds[(m.n+i)%len(kinds)]
		k.Serial = fmt.Sprintf("%s%05d%d", k.Vendor, m.n, i)
		out = append(out, k)
	}
	return out
}

func (m *machine) system(at time.Time) inventory.System {
	s := inventory.System{OS: "linux", Arch: "amd64", Timezone: "America/Mexico_City", Locale: "es_MX.UTF-8", InstalledAt: m.built,
		BootedAt: at.Add(-time.Duration(3+(m.n+at.YearDay())%90) * time.Hour).Truncate(time.Minute), SecureBoot: "on",
		Users: []inventory.Account{{Name: m.user, Admin: m.n%11 == 0}, {Name: "soporte", Admin: true}}}
	switch m.os {
	case debian:
		s.Name, s.Distribution, s.Version, s.Kernel, s.Init = "Debian GNU/Linux 12 (bookworm)", "debian", "12", "6.1.0-41-amd64", "systemd"
	case ubuntu:
		s.Name, s.Distribution, s.Version, s.Kernel, s.Init = "Ubuntu 24.04.3 LTS", "ubuntu", "24.04", "6.8.0-101-generic", "systemd"
		s.SupportEnds = "2029-05-31"
	case windows10:
		s.OS, s.Name, s.Version, s.Kernel, s.SupportEnds = "windows", "Microsoft Windows 10 Pro", "22H2", "10.0.19045.6575", "2025-10-14"
	case windows11:
		s.OS, s.Name, s.Version, s.Kernel, s.SupportEnds = "windows", "Microsoft Windows 11 Pro", "24H2", "10.0.26100.7171", "2027-10-12"
	case windowsSrv:
		s.OS, s.Name, s.Version, s.Kernel, s.SupportEnds = "windows", "Microsoft Windows Server 2022 Standard", "21H2", "10.0.20348.4405", "2031-10-14"
	}
	if m.windows() {
		s.Locale, s.RebootPending = "es-MX", m.n%13 == 0
	}
	if m.user == "" {
		s.Users = s.Users[1:]
	}
	return s
}
