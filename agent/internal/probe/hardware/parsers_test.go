package hardware

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vigia/internal/inventory"
)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseCPUInfo(t *testing.T) {
	xeon := inventory.CPU{Model: "Intel(R) Xeon(R) Silver 4110 CPU @ 2.10GHz", Vendor: "Intel", Cores: 1, Threads: 2}
	first, second := xeon, xeon
	first.Socket, second.Socket = "0", "1"
	for name, want := range map[string]cpuInfo{
		"cpuinfo-epyc-vm":     {[]inventory.CPU{{Model: "AMD EPYC", Vendor: "AMD", Cores: 2, Threads: 2}}, true},
		"cpuinfo-two-sockets": {[]inventory.CPU{first, second}, false},
		"cpuinfo-arm64":       {[]inventory.CPU{{Model: "ARM Neoverse-N1", Vendor: "ARM", Cores: 2, Threads: 2}}, false},
	} {
		got, err := parseCPUInfo(bytes.NewReader(testdata(t, name)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	if _, err := parseCPUInfo(strings.NewReader("flags : " + strings.Repeat("x", 70<<10))); err == nil {
		t.Error("a line without end passed")
	}
}

func TestMemTotal(t *testing.T) {
	for text, want := range map[string]uint64{
		"MemTotal:       24684084 kB\nMemFree: 1 kB\n": 24684084 << 10, "": 0, "MemTotal: x kB": 0, "MemTotal: -1 kB": 0,
	} {
		if got := memTotal(text); got != want {
			t.Errorf("memTotal(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestLocalVolumes(t *testing.T) {
	for name, want := range map[string][]string{
		"mountinfo-vm":     {"/"},
		"mountinfo-laptop": {"/", "/boot/efi", "/media/ana/USB STICK", "/srv/data"},
	} {
		mounts, err := parseMountInfo(bytes.NewReader(testdata(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range localVolumes(mounts) {
			got = append(got, m.Point)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestFindPCI(t *testing.T) {
	const ids = "# comment\n1002  Advanced Micro Devices, Inc. [AMD/ATI]\n\t15d8  Picasso\n\t\t103c 8615  Laptop\n" +
		"8086  Intel Corporation\n# between\n\t0a5c  one\n\t\t1028 9a49  subsystem\n\t9a49  TigerLake-LP GT2 [Iris Xe Graphics]\n" +
		"8087  Another\n\tffff  not Intel's\nC 03  Display controller\n\t00  VGA"
	for id, want := range map[string]pciName{
		"8086:9a49": {"Intel Corporation", "TigerLake-LP GT2 [Iris Xe Graphics]"},
		"1002:15d8": {"Advanced Micro Devices, Inc. [AMD/ATI]", "Picasso"},
		"8086:ffff": {}, "9999:0000": {}, "C 03:00": {}, "": {}, ":": {}, "8087:": {},
	} {
		if got := findPCI([]byte(ids), id); got != want {
			t.Errorf("findPCI(%q) = %+v, want %+v", id, got, want)
		}
	}
}

func TestVirtual(t *testing.T) {
	for _, c := range []struct {
		h    hints
		want string
	}{
		{hints{}, ""},
		{hints{HypervisorOn: true}, "vm"},
		{hints{DockerEnv: true, HypervisorOn: true}, "docker"},
		{hints{Container: "lxc", DockerEnv: true}, "lxc"},
		{hints{PodmanEnv: true}, "podman"},
		{hints{Release: "5.15.90.1-microsoft-standard-WSL2"}, "wsl"},
		{hints{Vendor: "QEMU", Model: "Standard PC (Q35 + ICH9, 2009)", HypervisorOn: true}, "qemu"},
		{hints{Vendor: "QEMU", Model: "KVM Virtual Machine"}, "kvm"},
		{hints{Vendor: "VMware, Inc.", Model: "VMware Virtual Platform"}, "vmware"},
		{hints{Vendor: "innotek GmbH", Model: "VirtualBox"}, "oracle"},
		{hints{Vendor: "Microsoft Corporation", Model: "Virtual Machine"}, "hyperv"},
		{hints{Vendor: "Microsoft Corporation", Model: "Surface Laptop 4"}, ""},
		{hints{Vendor: "Amazon EC2", Model: "m5.metal"}, ""},
		{hints{Vendor: "Amazon EC2", Model: "m5.large", HypervisorOn: true}, "amazon"},
		{hints{Xen: "xen", HypervisorOn: true}, "xen"},
		{hints{Vendor: "LENOVO", Model: "20XW"}, ""},
	} {
		if got := virtual(c.h); got != c.want {
			t.Errorf("virtual(%+v) = %q, want %q", c.h, got, c.want)
		}
	}
}

func TestHostNames(t *testing.T) {
	for in, want := range map[string][2]string{
		"pc-017\n": {"pc-017", ""}, "PC-017.Example.COM.": {"pc-017", "example.com"}, "": {"", ""},
	} {
		if h, d := splitHost(in); h != want[0] || d != want[1] {
			t.Errorf("splitHost(%q) = %q, %q", in, h, d)
		}
	}
	const hosts = "127.0.0.1 localhost localhost.localdomain\n127.0.1.1\tpc-017.example.com pc-017 # pc-017.comment.test\n"
	for host, want := range map[string]string{"pc-017": "example.com", "pc-018": "", "localhost": "", "": ""} {
		if got := domainFromHosts(hosts, host); got != want {
			t.Errorf("domainFromHosts(%q) = %q, want %q", host, got, want)
		}
	}
	for in, want := range map[string]string{
		"3D1219c7c4c5404aaa1f6d2a48adfda4\n": "3d1219c7c4c5404aaa1f6d2a48adfda4", "uninitialized": "", "": "",
		"00000000000000000000000000000000": "", "3d1219c7c4c5404aaa1f6d2a48adfdaz": "",
	} {
		if got := machineID(in); got != want {
			t.Errorf("machineID(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzTextParsers(f *testing.F) {
	f.Add(testdata(f, "cpuinfo-arm64"))
	f.Add(testdata(f, "mountinfo-laptop"))
	f.Add([]byte("8086  Intel\n\t9a49  Iris\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseCPUInfo(bytes.NewReader(b))
		if list, err := parseMountInfo(bytes.NewReader(b)); err == nil {
			localVolumes(list)
		}
		findPCI(b, "8086:9a49")
		domainFromHosts(string(b), "pc-017")
		memTotal(string(b))
	})
}
