package hardware

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"golang.org/x/sys/unix"

	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// machine is a Linux machine to look at: its files, and the two questions that only
// the kernel answers.
type machine struct {
	fs    *rootfs.FS
	usage func(mountPoint string) (usage, error)
	ipv4  func(iface string) []string // CIDR
}

// collect fills h. It looks at ctx between one kind of thing and the next.
func collect(ctx context.Context, fsys *rootfs.FS, info *smbios.Info, h *inventory.Hardware) error {
	return machine{fs: fsys, usage: statfs, ipv4: interfaceIPv4}.collect(ctx, info, h)
}

func (m machine) collect(ctx context.Context, info *smbios.Info, h *inventory.Hardware) error {
	for _, step := range [...]func(*smbios.Info, *inventory.Hardware) error{
		m.processors, m.memory, m.disks, m.volumes, m.networks, m.gpus, m.monitors, m.batteries,
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(info, h); err != nil {
			return err
		}
	}
	h.TPM = m.tpm()
	return nil
}

// entries lists a folder of /sys; one that this machine does not have is empty.
func (m machine) entries(dir string) ([]fs.DirEntry, error) {
	list, err := m.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

func (m machine) processors(info *smbios.Info, h *inventory.Hardware) error {
	text, err := m.fs.ReadFile("/proc/cpuinfo", 8<<20)
	if err != nil {
		return err
	}
	cpus, err := parseCPUInfo(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("reading /proc/cpuinfo: %w", err)
	}
	if khz := number(m.fs.ReadText("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")); khz > 0 {
		for i := range cpus.Packages {
			cpus.Packages[i].MaxMHz = khz / 1000
		}
	}
	h.CPUs = applyProcessors(cpus.Packages, info, runtime.GOARCH)
	h.Virtual = virtual(hints{
		Container: m.fs.ReadText("/run/systemd/container"), DockerEnv: m.fs.Exists("/.dockerenv"),
		PodmanEnv: m.fs.Exists("/run/.containerenv"), Release: m.fs.ReadText("/proc/sys/kernel/osrelease"),
		Xen: m.fs.ReadText("/sys/hypervisor/type"), HypervisorOn: cpus.Hypervisor,
		Vendor: info.System.Vendor, Model: info.System.Model, BIOSVendor: info.BIOS.Vendor,
	})
	return nil
}

func (m machine) memory(_ *smbios.Info, h *inventory.Hardware) error {
	text, err := m.fs.ReadFile("/proc/meminfo", 64<<10)
	if err != nil {
		return err
	}
	applyMemory(h, memTotal(string(text)))
	return nil
}

// tpm tells the version of the first TPM; kernels before 5.6 tell it in other places.
func (m machine) tpm() string {
	const dir = "/sys/class/tpm/tpm0"
	switch m.fs.ReadText(dir + "/tpm_version_major") {
	case "2":
		return "2.0"
	case "1":
		return "1.2"
	}
	if m.fs.ReadText(dir+"/device/description") == "TPM 2.0 Device" {
		return "2.0"
	}
	if m.fs.Exists(dir + "/device/caps") {
		return "1.2"
	}
	return ""
}

// usage is how much a volume holds and how much of it is free to everybody.
type usage struct {
	Bytes   uint64
	FreePct int
}

func statfs(point string) (usage, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(point, &st); err != nil {
		return usage{}, fmt.Errorf("statfs %s: %w", point, err)
	}
	u := usage{Bytes: st.Blocks * uint64(st.Frsize)}
	if st.Blocks > 0 {
		u.FreePct = int(st.Bavail * 100 / st.Blocks)
	}
	return u, nil
}
