package hardware

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vigia/agent/internal/winreg"
	"vigia/agent/internal/winreg/regf"
	"vigia/agent/internal/wmi/wmitest"
	"vigia/internal/hivetest"
	"vigia/internal/inventory"
)

// screen is the EDID of a monitor: maker, name and serial number.
func screen() []byte {
	b := make([]byte, 128)
	copy(b, []byte{0, 255, 255, 255, 255, 255, 255, 0, 0x10, 0xac, 0x66, 0x40, 1, 0, 0, 0, 10, 28, 1, 4})
	copy(b[54:], append([]byte{0, 0, 0, 0xfc, 0}, "DELL P2419H\n "...))
	copy(b[72:], append([]byte{0, 0, 0, 0xff, 0}, "7MT0195B0H6L\n"...))
	var sum byte
	for _, c := range b {
		sum += c
	}
	b[127] = -sum
	return b
}

// local is a registry with the EDID of a screen that is connected and of one that was.
func local(t *testing.T) winreg.Key {
	t.Helper()
	file, script := filepath.Join(t.TempDir(), "hive"), ""
	hexed := strings.TrimSuffix(strings.ReplaceAll(fmt.Sprintf("% x", screen()), " ", ","), ",")
	for _, instance := range []string{`DEL4066\5&1`, `OLD0001\5&2`} {
		script += "cd \\\n" + hivetest.Keys(`SYSTEM\CurrentControlSet\Enum\DISPLAY\`+instance+`\Device Parameters`) + "setval 1\nEDID\nhex:3:" + hexed + "\n"
	}
	hivetest.Write(t, file, script)
	f, err := regf.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestWindowsDevices(t *testing.T) {
	h := inventory.Hardware{
		CPUs:     []inventory.CPU{{Socket: "U3E1"}},
		Volumes:  []inventory.Volume{{Mount: `C:\`}, {Mount: `D:\`}, {Mount: `E:\`}, {Mount: `F:\`}, {Mount: `G:\`}},
		Networks: []inventory.Network{{Name: "Wi-Fi", MAC: "aa:bb:cc:00:00:01", Addresses: []string{"192.0.2.7/24"}}},
	}
	w := windowsDevices{ask: wmitest.Load(t, "testdata/laptop.json"), local: local(t)}
	if err := w.collect(context.Background(), &h); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range h.CPUs {
		got = append(got, fmt.Sprintf("cpu %s %d/%d %d", c.Model, c.Cores, c.Threads, c.MaxMHz))
	}
	for _, d := range h.Disks {
		got = append(got, fmt.Sprintf("%s %s %s %s", d.Name, d.Kind, d.Bus, d.Health))
	}
	for _, v := range h.Volumes {
		got = append(got, fmt.Sprintf("%s %v %s", v.Mount, v.Encrypted, v.Protection))
	}
	for _, n := range h.Networks {
		got = append(got, fmt.Sprintf("%s %s %d", n.Name, n.Kind, n.SpeedMbps))
	}
	for _, m := range h.Monitors {
		got = append(got, m.Model+" "+m.Serial)
	}
	for _, b := range h.Batteries {
		got = append(got, fmt.Sprintf("%s %d%% %d", b.Model, b.WearPct, b.Cycles))
	}
	got = append(got, h.GPUs[0].Model, "tpm "+h.TPM)
	want := []string{
		"cpu Intel(R) Core(TM) i7-1185G7 4/8 2995",
		"disk0 nvme nvme ok", "disk1 hdd sata failing", "disk2 removable usb ",
		`C:\ true on`, `D:\ true suspended`, `E:\ false off`, `F:\ false encrypting`, `G:\ false `,
		"Wi-Fi wifi 0", "Ethernet ethernet 1000", "vEthernet virtual 0",
		"DELL P2419H 7MT0195B0H6L", "DELL 7FHHV 25% 321", "Intel(R) Iris(R) Xe Graphics", "tpm 2.0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s\nscreen %s", strings.Join(got, "\n"), strings.Join(want, "\n"), hex.EncodeToString(screen()[:20]))
	}
}

// TestWindowsDevicesWithoutAnswers: namespaces that are not there are no fault, a
// question that failed is told and costs nothing else.
func TestWindowsDevicesWithoutAnswers(t *testing.T) {
	var h inventory.Hardware
	w := windowsDevices{ask: wmitest.Recorded{}, local: local(t)}
	if err := w.collect(context.Background(), &h); err != nil || count(&h) != 0 {
		t.Errorf("%v, %d", err, count(&h))
	}
	r := wmitest.Load(t, "testdata/laptop.json")
	r[`root\wmi`]["BatteryStaticData"] = []byte(`{"error": "no answer"}`)
	w = windowsDevices{ask: r, local: local(t)}
	if err := w.collect(context.Background(), &h); err == nil || len(h.Disks) != 3 || len(h.Batteries) != 0 {
		t.Errorf("%v, %d disks", err, len(h.Disks))
	}
}
