package present

import (
	"errors"
	"strings"
	"testing"
	"time"

	"vigia/internal/inventory"
)

func sample() *inventory.Snapshot {
	s := &inventory.Snapshot{
		TakenAt: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC),
		Machine: inventory.Machine{Hostname: "pc-017", Domain: "example.com", Serial: "PF3ABCDE"},
		Hardware: inventory.Hardware{
			Vendor: "LENOVO", Model: "20XW", Chassis: "Notebook",
			CPUs:      []inventory.CPU{{Model: "i7-1165G7", Cores: 4, Threads: 8, MaxMHz: 4700, Arch: "amd64"}},
			Memory:    inventory.Memory{TotalBytes: 16 << 30, Slots: 2, Modules: []inventory.MemoryModule{{Locator: "A0", Bytes: 16 << 30, Type: "DDR4"}}},
			Disks:     []inventory.Disk{{Name: "nvme0n1", Bytes: 512110190592, Kind: "nvme"}},
			Volumes:   []inventory.Volume{{Mount: "/", Bytes: 500 << 30, FreePct: 40, FSType: "ext4", Encrypted: true}},
			Networks:  []inventory.Network{{Name: "wlp0s20f3", Kind: "wifi", Addresses: []string{"192.0.2.10/24"}}},
			GPUs:      []inventory.GPU{{Vendor: "Intel", Model: "Iris Xe"}},
			Monitors:  []inventory.Monitor{{Vendor: "Dell", Model: "U2720Q", Year: 2020}},
			Batteries: []inventory.Battery{{Model: "BAT", DesignMWh: 57000, FullMWh: 50000, WearPct: 13}},
			TPM:       "2.0",
		},
		System:    inventory.System{Name: "Debian GNU/Linux 12 (bookworm)", Users: []inventory.Account{{Name: "ana", Admin: true}}},
		Software:  []inventory.Program{{Name: "nmap", Version: "7.93", Source: "deb", Scope: "user", User: "ana", Requested: true}},
		Antivirus: []inventory.Antivirus{{Product: "ClamAV", State: "on", RealTime: "off", Problems: []string{"definitions-old"}, Detections: []inventory.Detection{{Threat: "Eicar"}}}},
		Sources:   []inventory.Source{{Source: "snap", Outcome: inventory.OutcomeFailed, Error: "hung"}},
	}
	return s
}

func TestTable(t *testing.T) {
	var b strings.Builder
	if err := Table(&b, sample(), nil); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	at := 0
	for _, want := range []string{
		"MACHINE pc-017", "PF3ABCDE", "HARDWARE LENOVO 20XW", "i7-1165G7 (4 cores, 8 threads) 4700 MHz amd64", "16 GiB in 2 slots",
		"477 GiB nvme", "/ 500 GiB 40 % free ext4 encrypted", "192.0.2.10/24", "Iris Xe", "U2720Q", "50000 mWh of 57000 mWh 13 % worn", "2.0",
		"SYSTEM Debian", "ana (administrator)", "SOFTWARE 1", "nmap", "user ana", "ANTIVIRUS 1", "ClamAV", "definitions-old", "Eicar",
		"SOURCES 1", "snap", "failed", "hung",
	} {
		i := strings.Index(out[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing or out of order in\n%s", want, out)
		}
		at += i
	}
}

func TestTableOfSomeSections(t *testing.T) {
	var b strings.Builder
	if err := Table(&b, sample(), []inventory.Section{inventory.SectionSystem}); err != nil {
		t.Fatal(err)
	}
	if out := b.String(); !strings.HasPrefix(out, "SYSTEM") || strings.Contains(out, "MACHINE") || strings.Contains(out, "nmap") {
		t.Errorf("got\n%s", out)
	}
	b.Reset()
	if err := Table(&b, &inventory.Snapshot{}, nil); err != nil || !strings.Contains(b.String(), "SOFTWARE 0") {
		t.Errorf("empty: %v\n%s", err, b.String())
	}
}

func TestTableIsSafeForATerminal(t *testing.T) {
	s := sample()
	s.Software[0].Name = "evil\x1b[2J\nFAKE\tROW\u202e"
	var b strings.Builder
	if err := Table(&b, s, []inventory.Section{inventory.SectionSoftware}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\t\u202e") || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("got %q", b.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestTableTellsThatItCouldNotWrite(t *testing.T) {
	if err := Table(full{}, sample(), nil); err == nil {
		t.Error("no error")
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[uint64]string{0: "", 512: "512 B", 1536: "1.5 KiB", 16 << 30: "16 GiB", 1 << 62: "4 EiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}
