package hardware

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/internal/inventory"
)

// maxLayers bounds how deep block devices are stacked (LVM on LUKS on RAID is three).
const maxLayers = 8

func (m machine) volumes(_ *smbios.Info, h *inventory.Hardware) error {
	text, err := m.fs.ReadFile("/proc/self/mountinfo", 8<<20)
	if err != nil {
		return err
	}
	mounts, err := parseMountInfo(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("reading /proc/self/mountinfo: %w", err)
	}
	for _, v := range localVolumes(mounts) {
		u, err := m.usage(v.Point)
		if err != nil {
			continue // unmounted meanwhile, or not ours to see
		}
		block := m.blockDevice(v)
		device := v.Source
		if device == "/dev/root" && block != "" {
			device = "/dev/" + path.Base(block)
		}
		h.Volumes = append(h.Volumes, inventory.Volume{
			Mount: v.Point, Device: device, FSType: v.Type, Bytes: u.Bytes, FreePct: u.FreePct,
			Encrypted: block != "" && m.encrypted(block, maxLayers),
		})
	}
	return nil
}

// blockDevice returns the folder below /sys of the device a volume lies on, "" if none.
func (m machine) blockDevice(v mount) string {
	if real, err := m.fs.Resolve("/sys/dev/block/" + v.Device); err == nil {
		return real
	}
	if !strings.HasPrefix(v.Source, "/dev/") {
		return ""
	}
	node, err := m.fs.Resolve(v.Source) // /dev/mapper/x is a link to /dev/dm-0
	if err != nil {
		return ""
	}
	real, err := m.fs.Resolve("/sys/class/block/" + path.Base(node))
	if err != nil {
		return ""
	}
	return real
}

// encrypted reports whether dm-crypt is among the layers below a block device.
func (m machine) encrypted(dir string, layers int) bool {
	if strings.HasPrefix(m.fs.ReadText(dir+"/dm/uuid"), "CRYPT-") {
		return true
	}
	if layers == 0 {
		return false
	}
	slaves, err := m.fs.ReadDir(dir + "/slaves")
	if err != nil {
		return false
	}
	for _, s := range slaves {
		if m.encrypted(dir+"/slaves/"+s.Name(), layers-1) {
			return true
		}
	}
	return false
}
