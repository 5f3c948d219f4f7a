package hardware

import (
	"bufio"
	"encoding/hex"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"vigia/agent/internal/probe/hardware/smbios"
	"vigia/internal/inventory"
)

// networks lists interfaces with a device behind them, and bonds, bridges and VLANs
// that lie directly on one, for those bear the addresses then.
func (m machine) networks(_ *smbios.Info, h *inventory.Hardware) error {
	list, err := m.entries("/sys/class/net")
	if err != nil {
		return err
	}
	ipv6 := map[string][]string{}
	if text, err := m.fs.ReadFile("/proc/net/if_inet6", 1<<20); err == nil {
		ipv6 = parseIPv6(strings.NewReader(string(text)))
	}
	for _, e := range list {
		name := e.Name()
		dir := "/sys/class/net/" + name
		kind := m.networkKind(dir)
		if kind == "" {
			continue
		}
		n := inventory.Network{
			Name: name, Kind: kind, MAC: m.fs.ReadText(dir + "/address"),
			SpeedMbps: number(m.fs.ReadText(dir + "/speed")), // refused while the link is down, -1 when unknown
			Addresses: append(m.ipv4(name), ipv6[name]...),
		}
		if strings.Trim(n.MAC, "0:") == "" {
			n.MAC = ""
		}
		h.Networks = append(h.Networks, n)
	}
	return nil
}

// networkKind returns "" for an interface that is not told.
func (m machine) networkKind(dir string) string {
	if m.fs.Exists(dir + "/device") {
		if m.fs.Exists(dir+"/wireless") || m.fs.Exists(dir+"/phy80211") {
			return "wifi"
		}
		driver, _ := m.fs.Resolve(dir + "/device/driver")
		switch driver[strings.LastIndexByte(driver, '/')+1:] {
		case "virtio_net", "vmxnet3", "hv_netvsc", "vif", "xen-netfront":
			return "virtual"
		}
		return "ethernet"
	}
	lower, err := m.fs.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range lower {
		if strings.HasPrefix(e.Name(), "lower_") && m.fs.Exists(dir+"/"+e.Name()+"/device") {
			return "virtual"
		}
	}
	return ""
}

// Flags of an IPv6 address in /proc/net/if_inet6 that make it one of the moment.
const (
	flagTemporary  = 0x01
	flagDADFailed  = 0x08
	flagDeprecated = 0x20
	flagTentative  = 0x40
	passing        = flagTemporary | flagDADFailed | flagDeprecated | flagTentative
)

// parseIPv6 reads /proc/net/if_inet6 into addresses by interface, without link-local
// ones and without those that privacy extensions change every day, which would make
// every report a new one.
func parseIPv6(r io.Reader) map[string][]string {
	byName := map[string][]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 6 || len(f[0]) != 32 {
			continue
		}
		raw, err := hex.DecodeString(f[0])
		bits, err2 := strconv.ParseUint(f[2], 16, 8)
		flags, err3 := strconv.ParseUint(f[4], 16, 32)
		if err != nil || err2 != nil || err3 != nil || flags&passing != 0 || bits > 128 {
			continue
		}
		a, _ := netip.AddrFromSlice(raw)
		if a.IsLinkLocalUnicast() || a.IsLoopback() {
			continue
		}
		byName[f[5]] = append(byName[f[5]], netip.PrefixFrom(a, int(bits)).String())
	}
	return byName
}

// interfaceIPv4 asks the kernel.
func interfaceIPv4(name string) []string {
	iface, err := net.InterfaceByName(name)
	if err != nil {
		return nil
	}
	addrs, err := iface.Addrs()
	if err != nil {
		return nil
	}
	var list []string
	for _, a := range addrs {
		if p, ok := a.(*net.IPNet); ok && p.IP.To4() != nil && !p.IP.IsLinkLocalUnicast() {
			list = append(list, p.String())
		}
	}
	return list
}
