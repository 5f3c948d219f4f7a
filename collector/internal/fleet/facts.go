package fleet

import (
	"strings"

	"vigia/internal/inventory"
)

// Facts are what a machine says of itself when it enrolls: hints, never believed alone.
type Facts struct {
	Hostname  string
	Serial    string
	UUID      string
	MachineID string
	OS        string
}

// maxFact bounds one fact as it arrives, in bytes; more is a hostile message.
const maxFact = 4096

// clean returns f in normal form: bounded, valid text, placeholders emptied.
func (f Facts) clean() Facts {
	for _, p := range []*string{&f.Hostname, &f.Serial, &f.UUID, &f.MachineID, &f.OS} {
		if len(*p) > maxFact {
			*p = (*p)[:maxFact]
		}
	}
	s := inventory.Snapshot{
		Machine: inventory.Machine{Hostname: f.Hostname, Serial: f.Serial, UUID: f.UUID, MachineID: f.MachineID},
		System:  inventory.System{Name: f.OS},
	}
	s.Normalize()
	f = Facts{Hostname: s.Machine.Hostname, Serial: s.Machine.Serial, UUID: s.Machine.UUID, MachineID: s.Machine.MachineID, OS: s.System.Name}
	if !realSerial(f.Serial) {
		f.Serial = ""
	}
	if !realUUID(f.UUID) {
		f.UUID = ""
	}
	if f.Hostname == "" {
		f.Hostname = "unnamed"
	}
	return f
}

// placeholders are serial numbers that makers leave in firmware, folded. Sources:
// glpi-agent and fusioninventory issue trackers, dmidecode's test boards.
const placeholders = "|to be filled by o.e.m.|default string|system serial number|not specified|not applicable|none|n/a|na|oem|o.e.m.|" +
	"invalid|unknown|serial|serial number|123456789|1234567890|0123456789|empty|chassis serial number|base board serial number|" +
	"to be filled by oem|no enclosure|not available|xxxxxxx|sernum0|"

// realSerial reports whether s can tell one machine from another.
func realSerial(s string) bool {
	folded := strings.ToLower(strings.TrimSpace(s))
	if len(folded) < 3 || len(folded) > maxName || strings.Contains(folded, "|") {
		return false
	}
	if strings.Trim(folded, folded[:1]) == "" || strings.Trim(folded, "0 .-") == "" {
		return false // "0000000", "........"
	}
	return !strings.Contains(placeholders, "|"+folded+"|")
}

// realUUID reports whether s is a UUID that a maker meant: not all zeros, ones or one
// digit, and not one of those that whole series of boards share.
func realUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	digits := strings.ReplaceAll(strings.ToLower(s), "-", "")
	if len(digits) != 32 || strings.Trim(digits, "0123456789abcdef") != "" || strings.Trim(digits, digits[:1]) == "" {
		return false
	}
	switch digits {
	case "03000200040005000006000700080009", "00020003000400050006000700080009", "0123456789abcdef0123456789abcdef", "12345678123456781234567812345678":
		return false
	}
	return true
}
