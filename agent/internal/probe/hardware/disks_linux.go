package hardware

import (
	"encoding/binary"
	"strconv"
	"strings"

	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/internal/inventory"
)

// disks lists the drives of /sys/block: block devices with a device behind them, so no
// loop, ram, mapper or RAID devices, and nothing empty or optical.
func (m machine) disks(_ *smbios.Info, h *inventory.Hardware) error {
	list, err := m.entries("/sys/block")
	if err != nil {
		return err
	}
	for _, e := range list {
		name := e.Name()
		if !isDrive(name) {
			continue
		}
		dir := "/sys/block/" + name
		if !m.fs.Exists(dir + "/device") {
			continue
		}
		sectors, err := strconv.ParseUint(m.fs.ReadText(dir+"/size"), 10, 54)
		if err != nil || sectors == 0 {
			continue
		}
		h.Disks = append(h.Disks, m.disk(name, dir, sectors*512)) // always 512, whatever the drive's own sectors are
	}
	return nil
}

// isDrive leaves out names that cost a look and are never a drive of this machine.
func isDrive(name string) bool {
	for _, prefix := range [...]string{"loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "drbd", "rbd", "zd", "mtdblock"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return !strings.Contains(name, "boot") && !strings.HasSuffix(name, "rpmb") // parts of an eMMC
}

func (m machine) disk(name, dir string, size uint64) inventory.Disk {
	d := inventory.Disk{Name: name, Bytes: size, Model: m.fs.ReadText(dir + "/device/model")}
	if d.Model == "" {
		d.Model = m.fs.ReadText(dir + "/device/name") // of an SD card
	}
	d.Model = smbios.Meaningful(d.Model)
	d.Serial = m.diskSerial(dir)
	real, err := m.fs.Resolve(dir)
	if err != nil {
		real = dir
	}
	d.Bus = diskBus(name, real)
	vendor := m.fs.ReadText(dir + "/device/vendor")
	d.Kind = diskKind(d, vendor, m.fs.ReadText(dir+"/removable") == "1",
		m.fs.ReadText(dir+"/queue/rotational") == "1", m.fs.ReadText(dir+"/device/type"))
	return d
}

// diskSerial asks the places that know it: the driver, page 0x80 of SCSI, and udev.
func (m machine) diskSerial(dir string) string {
	for _, name := range [...]string{"/serial", "/device/serial"} {
		if s := smbios.Meaningful(m.fs.ReadText(dir + name)); s != "" {
			return s
		}
	}
	if page, err := m.fs.ReadFile(dir+"/device/vpd_pg80", 4<<10); err == nil {
		if s := smbios.Meaningful(vpdSerial(page)); s != "" {
			return s
		}
	}
	udev, err := m.fs.ReadFile("/run/udev/data/b"+m.fs.ReadText(dir+"/dev"), 64<<10)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(udev)) {
		if s, ok := strings.CutPrefix(line, "E:ID_SERIAL_SHORT="); ok {
			return smbios.Meaningful(s)
		}
	}
	return ""
}

// vpdSerial reads the unit serial number page of SPC-4 (7.8.15).
func vpdSerial(page []byte) string {
	if len(page) < 4 || page[1] != 0x80 {
		return ""
	}
	n := min(int(binary.BigEndian.Uint16(page[2:])), len(page)-4)
	return strings.Trim(string(page[4:4+n]), " \x00")
}

// diskBus reads the bus off the device's place in /sys/devices.
func diskBus(name, real string) string {
	switch {
	case strings.HasPrefix(name, "nvme"):
		return "nvme"
	case strings.HasPrefix(name, "mmcblk"):
		return "mmc"
	}
	for _, known := range [...][2]string{
		{"/usb", "usb"}, {"/virtio", "virtio"}, {"/ata", "sata"}, {"/end_device-", "sas"}, {"/vbd-", "xen"},
		{"/session", "iscsi"}, {"/rport-", "fc"}, {"/VMBUS", "hyperv"}, {"/vmbus", "hyperv"}, {"/firewire", "firewire"},
	} {
		if strings.Contains(real, known[0]) {
			return known[1]
		}
	}
	return "scsi"
}

// diskKind judges what kind of drive d is. mmcType is "SD" or "MMC" for those.
func diskKind(d inventory.Disk, vendor string, removable, rotational bool, mmcType string) string {
	switch {
	case d.Bus == "usb" || d.Bus == "firewire" || mmcType == "SD":
		return "removable"
	case d.Bus == "virtio" || d.Bus == "xen" || d.Bus == "hyperv" || isVirtualDisk(vendor+" "+d.Model):
		return "virtual"
	case removable:
		return "removable"
	case d.Bus == "nvme":
		return "nvme"
	case rotational:
		return "hdd"
	}
	return "ssd"
}

func isVirtualDisk(text string) bool {
	for _, known := range [...]string{"QEMU", "VMware", "VBOX", "Msft", "Virtual", "Amazon Elastic Block Store", "Google PersistentDisk"} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return false
}
