package smbios

import "strings"

// ChassisKind names a type of chassis as DSP0134 (7.4.1) does; "" for "other",
// "unknown" and numbers it does not know.
func ChassisKind(n int) string {
	names := [...]string{
		3: "Desktop", 4: "Low Profile Desktop", 5: "Pizza Box", 6: "Mini Tower", 7: "Tower", 8: "Portable", 9: "Laptop",
		10: "Notebook", 11: "Hand Held", 12: "Docking Station", 13: "All in One", 14: "Sub Notebook", 15: "Space-saving",
		16: "Lunch Box", 17: "Main Server Chassis", 18: "Expansion Chassis", 19: "Sub Chassis", 20: "Bus Expansion Chassis",
		21: "Peripheral Chassis", 22: "RAID Chassis", 23: "Rack Mount Chassis", 24: "Sealed-case PC", 25: "Multi-system Chassis",
		26: "Compact PCI", 27: "Advanced TCA", 28: "Blade", 29: "Blade Enclosure", 30: "Tablet", 31: "Convertible",
		32: "Detachable", 33: "IoT Gateway", 34: "Embedded PC", 35: "Mini PC", 36: "Stick PC",
	}
	if n < 0 || n >= len(names) {
		return ""
	}
	return names[n]
}

// memoryType names a type of memory (7.18.2).
func memoryType(n byte) string {
	names := [...]string{
		3: "DRAM", 4: "EDRAM", 5: "VRAM", 6: "SRAM", 7: "RAM", 8: "ROM", 9: "Flash", 15: "SDRAM", 18: "DDR", 19: "DDR2",
		20: "DDR2 FB-DIMM", 24: "DDR3", 25: "FBD2", 26: "DDR4", 27: "LPDDR", 28: "LPDDR2", 29: "LPDDR3", 30: "LPDDR4",
		31: "Logical non-volatile device", 32: "HBM", 33: "HBM2", 34: "DDR5", 35: "LPDDR5", 36: "HBM3",
	}
	if int(n) >= len(names) {
		return ""
	}
	return names[n]
}

// MemoryMaker turns the JEDEC code (JEP106) that some firmware leaves in place of a
// maker's name into the name; anything else stays as it is.
func MemoryMaker(s string) string {
	code := strings.ToUpper(strings.TrimPrefix(strings.ToLower(s), "0x"))
	if len(code) < 4 || strings.Trim(code, "0123456789ABCDEF") != "" {
		return s
	}
	switch code[:4] {
	case "80CE", "CE00", "00CE", "CE80":
		return "Samsung"
	case "80AD", "AD00", "00AD", "AD80":
		return "SK Hynix"
	case "802C", "2C00", "002C", "2C80":
		return "Micron"
	case "0198", "9801":
		return "Kingston"
	case "859B", "9B85", "059B":
		return "Crucial"
	case "04CB", "CB04":
		return "ADATA"
	case "029E", "9E02":
		return "Corsair"
	case "04CD", "CD04":
		return "G.Skill"
	case "830B", "0B83", "030B":
		return "Nanya"
	case "0551", "5105", "8551":
		return "Qimonda"
	}
	return s
}
