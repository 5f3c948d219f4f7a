package hardware

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// tree makes a machine of files; a value that starts with "->" is a link, one that
// ends in "/" a folder.
func tree(t *testing.T, files map[string]string) *rootfs.FS {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, name)
		var err error
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(full, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(full), 0o755); err == nil {
			if target, ok := strings.CutPrefix(content, "->"); ok {
				err = os.Symlink(target, full)
			} else {
				err = os.WriteFile(full, []byte(content), 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := rootfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// laptopFiles is a notebook with an encrypted drive, a USB stick, wifi and a dock.
func laptopFiles(t *testing.T) map[string]string {
	const pci = "sys/devices/pci0000:00/"
	nvme, stick := pci+"0000:00:06.0/nvme/nvme0/nvme0n1/", pci+"0000:00:14.0/usb1/1-2/host0/target0:0:0/0:0:0:0/block/sdd/"
	disk := pci + "0000:00:17.0/ata1/host1/target1:0:0/1:0:0:0/block/sda/"
	return map[string]string{
		"proc/cpuinfo":                string(testdata(t, "cpuinfo-two-sockets")),
		"proc/meminfo":                "MemTotal:       16000000 kB\n",
		"proc/self/mountinfo":         string(testdata(t, "mountinfo-laptop")),
		"proc/sys/kernel/osrelease":   "6.1.0-28-amd64\n",
		"proc/net/if_inet6":           ipv6Sample,
		"sys/class/dmi/id/sys_vendor": "LENOVO\n", "sys/class/dmi/id/product_name": "20XW00LPUS\n",
		"sys/class/dmi/id/product_serial": "Default string\n", "sys/class/dmi/id/chassis_type": "10\n",
		"sys/class/dmi/id/product_uuid":                        "99AABBCC-eedd-ff00-1122-334455667788\n",
		"sys/class/dmi/id/bios_date":                           "12/02/2024\n",
		"sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "4700000\n",
		"sys/block/loop0":                                      "->../devices/virtual/block/loop0",
		"sys/block/nvme0n1":                                    "->../devices/pci0000:00/0000:00:06.0/nvme/nvme0/nvme0n1",
		"sys/block/sdd":                                        "->../devices/pci0000:00/0000:00:14.0/usb1/1-2/host0/target0:0:0/0:0:0:0/block/sdd",
		"sys/block/sda":                                        "->../devices/pci0000:00/0000:00:17.0/ata1/host1/target1:0:0/1:0:0:0/block/sda",
		"sys/block/sde":                                        "->../devices/reader",
		"sys/devices/reader/size":                              "0\n",
		"sys/devices/reader/device/model":                      "Card reader\n",
		nvme + "size":                                          "1000215216\n",
		nvme + "device/model":                                  "SAMSUNG MZVL2512HCJQ-00BL7              \n",
		nvme + "device/serial":                                 "S64KNX0R123456      \n",
		nvme + "queue/rotational":                              "0\n",
		stick + "size":                                         "60062500\n",
		stick + "dev":                                          "8:48\n",
		stick + "device/model":                                 "Ultra\n",
		stick + "removable":                                    "1\n",
		disk + "size":                                          "1953525168\n",
		disk + "device/model":                                  "ST1000LM035-1RK1\n",
		disk + "device/vpd_pg80":                               "\x00\x80\x00\x14            ZDE0ABCD",
		disk + "queue/rotational":                              "1\n",
		"run/udev/data/b8:48":                                  "E:ID_BUS=usb\nE:ID_SERIAL=SanDisk_Ultra_4C53\nE:ID_SERIAL_SHORT=4C530001\n",
		"sys/dev/block/254:3":                                  "->../../devices/virtual/block/dm-3",
		"sys/devices/virtual/block/dm-3/dm/uuid":               "LVM-abc\n",
		"sys/devices/virtual/block/dm-3/slaves/dm-1":           "->../../dm-1",
		"sys/devices/virtual/block/dm-1/dm/uuid":               "CRYPT-LUKS2-abc\n",
		"sys/devices/virtual/block/dm-0/dm/uuid":               "CRYPT-LUKS2-def\n",
		"sys/class/block/dm-0":                                 "->../../devices/virtual/block/dm-0",
		"dev/mapper/luks-root":                                 "->../dm-0",
		"dev/dm-0":                                             "",
		"sys/class/net/lo/address":                             "00:00:00:00:00:00\n",
		"sys/class/net/docker0/address":                        "02:42:ac:11:00:02\n",
		"sys/class/net/docker0/lower_veth1/address":            "",
		"sys/class/net/br0/lower_enp0s31f6":                    "->../enp0s31f6",
		"sys/class/net/br0/address":                            "54:e1:ad:00:00:01\n",
		"sys/class/net/enp0s31f6/address":                      "54:E1:AD:00:00:01\n",
		"sys/class/net/enp0s31f6/speed":                        "1000\n",
		"sys/class/net/enp0s31f6/device/driver":                "->/sys/bus/pci/drivers/e1000e",
		"sys/bus/pci/drivers/e1000e/":                          "",
		"sys/bus/pci/drivers/i915/":                            "",
		"sys/class/net/wlp0s20f3/address":                      "a0:e7:0b:00:00:02\n",
		"sys/class/net/wlp0s20f3/speed":                        "-1\n",
		"sys/class/net/wlp0s20f3/phy80211/":                    "",
		"sys/class/net/wlp0s20f3/device/":                      "",
		"sys/bus/pci/devices/0000:00:02.0/class":               "0x030000\n",
		"sys/bus/pci/devices/0000:00:02.0/vendor":              "0x8086\n",
		"sys/bus/pci/devices/0000:00:02.0/device":              "0x9a49\n",
		"sys/bus/pci/devices/0000:00:02.0/driver":              "->/sys/bus/pci/drivers/i915",
		"sys/bus/pci/devices/0000:00:1f.0/class":               "0x060100\n",
		"usr/share/misc/pci.ids":                               "# pci.ids\n8086  Intel Corporation\n\t9a49  TigerLake-LP GT2 [Iris Xe Graphics]\n",
		"sys/class/drm/card0-eDP-1/status":                     "connected\n",
		"sys/class/drm/card0-eDP-1/edid":                       panelEDID(),
		"sys/class/drm/card0-HDMI-A-1/status":                  "disconnected\n",
		"sys/class/drm/card0-DP-1/status":                      "connected\n",
		"sys/class/drm/card0-DP-1/edid":                        "broken",
		"sys/class/power_supply/AC/type":                       "Mains\n",
		"sys/class/power_supply/BAT0/type":                     "Battery\n",
		"sys/class/power_supply/BAT0/manufacturer":             "LGC\n",
		"sys/class/power_supply/BAT0/model_name":               "5B10W13\n",
		"sys/class/power_supply/BAT0/serial_number":            "  1234\n",
		"sys/class/power_supply/BAT0/energy_full_design":       "57000000\n",
		"sys/class/power_supply/BAT0/energy_full":              "50000000\n",
		"sys/class/power_supply/BAT0/cycle_count":              "211\n",
		"sys/class/power_supply/BAT1/type":                     "Battery\n",
		"sys/class/power_supply/BAT1/charge_full_design":       "4000000\n",
		"sys/class/power_supply/BAT1/charge_full":              "4100000\n",
		"sys/class/power_supply/BAT1/voltage_min_design":       "11400000\n",
		"sys/class/power_supply/hidpp_battery_0/type":          "Battery\n",
		"sys/class/power_supply/hidpp_battery_0/scope":         "Device\n",
		"sys/class/tpm/tpm0/tpm_version_major":                 "2\n",
	}
}

const ipv6Sample = `00000000000000000000000000000001 01 80 10 80       lo
fe800000000000000000000000000001 02 40 20 80 enp0s31f6
20010db8000000000000000000000017 02 40 00 80 enp0s31f6
20010db8000000000123456789abcdef 02 40 00 01 enp0s31f6
20010db8000000000123456789abcdee 02 40 00 20 enp0s31f6
not an address
`

func panelEDID() string {
	b := make([]byte, 128)
	copy(b, []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x09, 0xe5})
	b[17] = 31
	copy(b[54:], "\x00\x00\x00\xfe\x00NV140FHM-N62\n")
	var sum byte
	for _, c := range b {
		sum += c
	}
	b[127] = -sum
	return string(b)
}

func fakeUsage(point string) (usage, error) {
	switch {
	case strings.HasPrefix(point, "/mnt"):
		panic("a network file system, or what lies behind one, was touched: " + point)
	case strings.HasPrefix(point, "/media"):
		return usage{}, fs.ErrNotExist
	}
	return usage{Bytes: 500 << 30, FreePct: 43}, nil
}

func TestCollectLaptop(t *testing.T) {
	files := laptopFiles(t)
	fsys := tree(t, files)
	snap := &inventory.Snapshot{}
	info, err := readFirmware(fsys)
	if !errors.Is(err, probe.ErrAbsent) {
		t.Errorf("no table: %v", err)
	}
	applyFirmware(&snap.Hardware, info)
	m := machine{fs: fsys, usage: fakeUsage, ipv4: func(name string) []string {
		if name == "br0" {
			return []string{"192.0.2.10/24"}
		}
		return nil
	}}
	if err := m.collect(context.Background(), info, &snap.Hardware); err != nil {
		t.Fatal(err)
	}
	if remarks := snap.Normalize(); len(remarks) != 0 {
		t.Errorf("remarks: %+v", remarks)
	}
	cpu := inventory.CPU{Model: "Intel(R) Xeon(R) Silver 4110 CPU @ 2.10GHz", Vendor: "Intel", Cores: 1, Threads: 2, MaxMHz: 4700, Arch: snap.Hardware.CPUs[0].Arch}
	second := cpu
	cpu.Socket, second.Socket = "0", "1"
	want := inventory.Hardware{
		Vendor: "LENOVO", Model: "20XW00LPUS", Chassis: "Notebook", BIOS: inventory.BIOS{Date: "2024-12-02"},
		CPUs:   []inventory.CPU{cpu, second},
		Memory: inventory.Memory{TotalBytes: 16000000 << 10, Modules: []inventory.MemoryModule{}},
		Disks: []inventory.Disk{
			{Name: "nvme0n1", Model: "SAMSUNG MZVL2512HCJQ-00BL7", Serial: "S64KNX0R123456", Bytes: 512110190592, Kind: "nvme", Bus: "nvme"},
			{Name: "sda", Model: "ST1000LM035-1RK1", Serial: "ZDE0ABCD", Bytes: 1000204886016, Kind: "hdd", Bus: "sata"},
			{Name: "sdd", Model: "Ultra", Serial: "4C530001", Bytes: 30752000000, Kind: "removable", Bus: "usb"},
		},
		Volumes: []inventory.Volume{
			{Mount: "/", Device: "/dev/mapper/luks-root", FSType: "btrfs", Bytes: 500 << 30, FreePct: 40, Encrypted: true},
			{Mount: "/boot/efi", Device: "/dev/nvme0n1p1", FSType: "vfat", Bytes: 500 << 30, FreePct: 40},
			{Mount: "/srv/data", Device: "/dev/mapper/vg-data", FSType: "xfs", Bytes: 500 << 30, FreePct: 40, Encrypted: true},
		},
		Networks: []inventory.Network{
			{Name: "br0", MAC: "54:e1:ad:00:00:01", Addresses: []string{"192.0.2.10/24"}, Kind: "virtual"},
			{Name: "enp0s31f6", MAC: "54:e1:ad:00:00:01", Addresses: []string{"2001:db8::17/64"}, SpeedMbps: 1000, Kind: "ethernet"},
			{Name: "wlp0s20f3", MAC: "a0:e7:0b:00:00:02", Addresses: []string{}, Kind: "wifi"},
		},
		GPUs:     []inventory.GPU{{Vendor: "Intel Corporation", Model: "TigerLake-LP GT2 [Iris Xe Graphics]", Driver: "i915"}},
		Monitors: []inventory.Monitor{{Vendor: "BOE", Model: "NV140FHM-N62", Year: 2021}},
		Batteries: []inventory.Battery{
			{DesignMWh: 45600, FullMWh: 46740},
			{Model: "LGC 5B10W13", Serial: "1234", DesignMWh: 57000, FullMWh: 50000, WearPct: 13, Cycles: 211},
		},
		TPM: "2.0",
	}
	if !reflect.DeepEqual(snap.Hardware, want) {
		t.Errorf("got  %+v\nwant %+v", snap.Hardware, want)
	}
	if info.System.Serial != "" || info.System.UUID != "99aabbcc-eedd-ff00-1122-334455667788" {
		t.Errorf("identity: %+v", info.System)
	}
}

// firmwareFiles are the kernel's two files for a table of version 2.8.
func firmwareFiles(table string) map[string]string {
	ep := make([]byte, 31)
	copy(ep, "_SM_")
	copy(ep[16:], "_DMI_")
	ep[5], ep[6], ep[7] = 31, 2, 8
	binary.LittleEndian.PutUint16(ep[22:], uint16(len(table)))
	var sum byte
	for _, c := range ep {
		sum += c
	}
	ep[4] = -sum
	return map[string]string{firmwareTables + "smbios_entry_point": string(ep), firmwareTables + "DMI": table}
}

// smallTable has a system, a processor, memory of 8 GiB, and its end.
func smallTable() string {
	system := "\x01\x1b\x00\x01\x01\x02\x00\x03\xcc\xbb\xaa\x99\xdd\xee\x00\xff\x11\x22\x33\x44\x55\x66\x77\x88\x06\x00\x00" + "ACME\x00Box 1\x00SN12345\x00\x00"
	cpu := make([]byte, 0x2a)
	copy(cpu, []byte{4, 0x2a, 0, 4, 1, 3, 0, 0})
	cpu[0x14], cpu[0x15], cpu[0x18], cpu[0x23], cpu[0x25] = 0x10, 0x0e, 0x41, 4, 8
	dimm := make([]byte, 0x1b)
	copy(dimm, []byte{17, 0x1b, 0, 17})
	dimm[0x0c], dimm[0x0d], dimm[0x10], dimm[0x12] = 0x00, 0x20, 1, 26
	return system + string(cpu) + "CPU1\x00\x00" + string(dimm) + "DIMM A\x00\x00" + "\x7f\x04\x00\x7f\x00\x00"
}

func TestFirmwareTable(t *testing.T) {
	info, err := readFirmware(tree(t, firmwareFiles(smallTable())))
	if err != nil || info.Structures != 3 || info.System.Serial != "SN12345" || info.System.UUID != "99aabbcc-eedd-ff00-1122-334455667788" {
		t.Fatalf("%+v, %v", info, err)
	}
	var h inventory.Hardware
	applyFirmware(&h, info)
	applyMemory(&h, 7<<30)
	h.CPUs = applyProcessors(nil, info, "amd64")
	if h.Memory.TotalBytes != 8<<30 || h.Memory.Modules[0].Type != "DDR4" || h.CPUs[0].Socket != "CPU1" || h.CPUs[0].MaxMHz != 3600 || h.CPUs[0].Threads != 8 {
		t.Errorf("%+v", h)
	}
}

func TestBrokenFirmwareTableFailsAndTellsWhatItCan(t *testing.T) {
	table := smallTable()
	info, err := readFirmware(tree(t, firmwareFiles(table[:len(table)-40])))
	if !errors.Is(err, smbios.ErrTruncated) || info.System.Serial != "SN12345" {
		t.Errorf("cut short: %v, %+v", err, info.System)
	}
	files := firmwareFiles(table)
	files[firmwareTables+"smbios_entry_point"] = "_SM_ garbage that is no entry point at all"
	files["sys/class/dmi/id/product_serial"] = "SN12345\n"
	info, err = readFirmware(tree(t, files))
	if err == nil || errors.Is(err, probe.ErrAbsent) || info.System.Serial != "SN12345" {
		t.Errorf("bad entry point: %v, %+v", err, info.System)
	}
}

func TestProbesOnThisMachine(t *testing.T) {
	r := probe.NewRunner(Probes(nil), probe.Options{})
	s := r.Run(context.Background(), &probe.Env{Root: "/"}, probe.Filter{})
	for _, src := range s.Sources {
		if src.Source != SourceSMBIOS && src.Outcome != inventory.OutcomeOK {
			t.Errorf("%+v", src)
		}
	}
	if s.Machine.Hostname == "" || len(s.Hardware.CPUs) == 0 || s.Hardware.Memory.TotalBytes == 0 {
		t.Errorf("%+v, %+v", s.Machine, s.Hardware)
	}
}

func TestAnImageTellsNothingOfTheHost(t *testing.T) {
	fsys := tree(t, map[string]string{
		"etc/hostname": "golden.example.com\n", "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
		"sys/class/dmi/id/product_serial": "NOT-OURS\n",
	})
	r := probe.NewRunner(Probes(nil), probe.Options{})
	s := r.Run(context.Background(), &probe.Env{Root: fsys.Dir()}, probe.Filter{})
	want := inventory.Machine{Hostname: "golden", Domain: "example.com", MachineID: "0123456789abcdef0123456789abcdef"}
	if s.Machine != want || len(s.Hardware.CPUs) != 0 {
		t.Errorf("%+v, %+v", s.Machine, s.Hardware)
	}
	for _, src := range s.Sources {
		if (src.Source == SourceMachine) != (src.Outcome == inventory.OutcomeOK) {
			t.Errorf("%+v", src)
		}
	}
}

func TestABareTreeIsAMachineWithoutDevices(t *testing.T) {
	fsys := tree(t, map[string]string{"proc/cpuinfo": "processor : 0\n", "proc/meminfo": "MemTotal: 1024 kB\n", "proc/self/mountinfo": ""})
	var h inventory.Hardware
	m := machine{fs: fsys, usage: fakeUsage, ipv4: func(string) []string { return nil }}
	if err := m.collect(context.Background(), &smbios.Info{}, &h); err != nil || len(h.CPUs) != 1 || h.Memory.TotalBytes != 1<<20 {
		t.Errorf("%v, %+v", err, h)
	}
}

func TestAFolderThatCannotBeReadIsAFailure(t *testing.T) {
	fsys := tree(t, map[string]string{"proc/cpuinfo": "", "proc/meminfo": "", "proc/self/mountinfo": "", "sys/block": "no folder"})
	m := machine{fs: fsys, usage: fakeUsage, ipv4: func(string) []string { return nil }}
	if err := m.collect(context.Background(), &smbios.Info{}, &inventory.Hardware{}); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := m.collect(ctx, &smbios.Info{}, &inventory.Hardware{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
