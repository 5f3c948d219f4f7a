package hardware

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"

	"vigia/internal/inventory"
)

// cpuInfo is what /proc/cpuinfo tells.
type cpuInfo struct {
	Packages   []inventory.CPU // by physical id; speeds and arch are left to others
	Hypervisor bool            // the processor says that it is a virtual one
}

// parseCPUInfo reads /proc/cpuinfo of any architecture. A line longer than 64 KiB or a
// broken stream is an error.
func parseCPUInfo(r io.Reader) (cpuInfo, error) {
	var info cpuInfo
	ids := []string{}
	part := map[string]*inventory.CPU{}
	block := map[string]string{}
	flush := func() {
		if _, ok := block["processor"]; ok {
			id := block["physical id"]
			if part[id] == nil {
				part[id] = &inventory.CPU{Model: cpuModel(block), Vendor: cpuVendor(block), Cores: number(block["cpu cores"])}
				ids = append(ids, id)
			}
			part[id].Threads++
		}
		clear(block)
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), 64<<10)
	for lines.Scan() {
		line := lines.Text()
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			if strings.TrimSpace(line) == "" {
				flush()
			}
			continue
		}
		switch key = strings.TrimSpace(key); key {
		case "processor", "physical id", "cpu cores", "model name", "vendor_id", "cpu", "uarch", "CPU implementer", "CPU part":
			block[key] = strings.TrimSpace(value)
		case "flags":
			info.Hypervisor = info.Hypervisor || strings.Contains(value+" ", " hypervisor ")
		}
	}
	flush()
	slices.SortStableFunc(ids, func(a, b string) int { return number(a) - number(b) })
	for _, id := range ids {
		c := part[id]
		if c.Cores == 0 {
			c.Cores = c.Threads
		}
		if len(ids) > 1 {
			c.Socket = id
		}
		info.Packages = append(info.Packages, *c)
	}
	return info, lines.Err()
}

func cpuVendor(block map[string]string) string {
	switch v := block["vendor_id"]; v {
	case "GenuineIntel":
		return "Intel"
	case "AuthenticAMD":
		return "AMD"
	default:
		if name, _ := armName(block); name != "" {
			return name
		}
		return v
	}
}

func cpuModel(block map[string]string) string {
	for _, key := range [...]string{"model name", "cpu", "uarch"} {
		if v := strings.Join(strings.Fields(block[key]), " "); v != "" {
			return v
		}
	}
	if vendor, core := armName(block); core != "" {
		return vendor + " " + core
	}
	return ""
}

// armName names implementer and core as MIDR_EL1 numbers them; a core it does not know
// stays a number.
func armName(block map[string]string) (vendor, core string) {
	switch block["CPU implementer"] {
	case "0x41":
		vendor = "ARM"
	case "0x61":
		vendor = "Apple"
	case "0x51":
		vendor = "Qualcomm"
	case "0xc0":
		vendor = "Ampere"
	default:
		return "", ""
	}
	core = block["CPU part"]
	if vendor != "ARM" {
		return vendor, core
	}
	switch core {
	case "0xd03":
		core = "Cortex-A53"
	case "0xd05":
		core = "Cortex-A55"
	case "0xd07":
		core = "Cortex-A57"
	case "0xd08":
		core = "Cortex-A72"
	case "0xd0b":
		core = "Cortex-A76"
	case "0xd0c":
		core = "Neoverse-N1"
	case "0xd40":
		core = "Neoverse-V1"
	case "0xd49":
		core = "Neoverse-N2"
	case "0xd4f":
		core = "Neoverse-V2"
	}
	return vendor, core
}

// number reads a decimal number that is not negative; anything else is 0.
func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// memTotal finds MemTotal, in bytes, in the text of /proc/meminfo; 0 when it is not there.
func memTotal(text string) uint64 {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			n, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 53)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}
