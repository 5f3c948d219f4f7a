package hardware

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// pciName is what pci.ids calls a vendor and its device.
type pciName struct{ Vendor, Device string }

// pciNames finds the names of want (keys are "8086:9a49", lower case) in a pci.ids file.
// What the file does not name has empty names; it stops reading when all is found.
func pciNames(r io.Reader, want []string) (map[string]pciName, error) {
	names := make(map[string]pciName, len(want))
	vendors := map[string]bool{}
	for _, id := range want {
		names[id] = pciName{}
		vendors[id[:strings.IndexByte(id+":", ':')]] = true
	}
	missing, vendor, vendorName := len(names), "", ""
	br := bufio.NewReaderSize(r, 32<<10)
	for missing > 0 {
		line, err := br.ReadSlice('\n')
		if len(line) > 6 && err == nil {
			switch {
			case line[0] == '#' || (line[0] == '\t' && (vendor == "" || line[1] == '\t')):
			case line[0] == 'C' && line[1] == ' ':
				return names, nil // classes come after the last vendor
			case line[0] != '\t':
				if vendor = ""; vendors[string(line[:4])] {
					vendor, vendorName = string(line[:4]), strings.TrimSpace(string(line[4:]))
				}
			default:
				id := vendor + ":" + string(line[1:5])
				if was, ok := names[id]; ok && was.Device == "" {
					names[id] = pciName{vendorName, strings.TrimSpace(string(line[5:]))}
					missing--
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return names, err
		}
	}
	return names, nil
}
