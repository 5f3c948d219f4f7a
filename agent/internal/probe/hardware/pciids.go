package hardware

import (
	"bytes"
	"strings"
)

// maxPCIIDs bounds a pci.ids file, in bytes; it was 1.3 million in 2024.
const maxPCIIDs = 8 << 20

// pciName is what pci.ids calls a vendor and its device.
type pciName struct{ Vendor, Device string }

// findPCI finds the names of id ("8086:9a49", lower case) in the text of a pci.ids
// file: vendors at the start of a line, their devices below after one tab, subsystems
// after two. Both names are empty where the file does not have the device.
func findPCI(text []byte, id string) pciName {
	vendor, device, ok := strings.Cut(id, ":")
	if !ok || len(vendor) != 4 || len(device) != 4 {
		return pciName{}
	}
	at := bytes.Index(text, []byte("\n"+vendor+"  "))
	if at < 0 {
		return pciName{}
	}
	line, rest := cutLine(text[at+1:])
	name := strings.TrimSpace(string(line[4:]))
	want := []byte("\t" + device + "  ")
	for len(rest) > 0 {
		line, rest = cutLine(rest)
		if bytes.HasPrefix(line, want) {
			return pciName{Vendor: name, Device: strings.TrimSpace(string(line[len(want):]))}
		}
		if len(line) > 0 && line[0] != '\t' && line[0] != '#' {
			break // the next vendor
		}
	}
	return pciName{}
}

func cutLine(text []byte) (line, rest []byte) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i], text[i+1:]
	}
	return text, nil
}
