// Package edid owns the decoding of a monitor's EDID block (VESA E-EDID 1.3 and 1.4)
// into who made it, what it is called, its serial number and its year. It works on
// bytes alone and reads no extension blocks.
package edid

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// BlockLen is the length of the base block in bytes.
const BlockLen = 128

// Errors of Parse, wrapped.
var (
	ErrTruncated = errors.New("edid is shorter than a block")
	ErrMalformed = errors.New("edid is malformed")
)

// Display is what one monitor tells. Empty and zero mean that it does not.
type Display struct {
	MakerID string // three capital letters of the PNP registry, "DEL"
	Product uint16
	Name    string // descriptor 0xFC; of a built-in panel the text of 0xFE
	Serial  string // descriptor 0xFF, else the serial number in decimal
	Year    int    // of manufacture, or of the model where the week says so
}

// Parse decodes the base block; further bytes are ignored.
func Parse(b []byte) (Display, error) {
	if len(b) < BlockLen {
		return Display{}, fmt.Errorf("%w: %d bytes, want %d", ErrTruncated, len(b), BlockLen)
	}
	b = b[:BlockLen]
	if !bytes.Equal(b[:8], []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}) {
		return Display{}, fmt.Errorf("%w: no header", ErrMalformed)
	}
	var sum byte
	for _, c := range b {
		sum += c
	}
	if sum != 0 {
		return Display{}, fmt.Errorf("%w: wrong checksum", ErrMalformed)
	}
	d := Display{MakerID: makerID(binary.BigEndian.Uint16(b[8:])), Product: binary.LittleEndian.Uint16(b[10:]), Year: int(b[17]) + 1990}
	if b[17] < 3 { // years before 1993 are reserved: nobody filled it in
		d.Year = 0
	}
	if n := binary.LittleEndian.Uint32(b[12:]); n != 0 && n != 0xffff_ffff && n != 0x0101_0101 {
		d.Serial = strconv.FormatUint(uint64(n), 10)
	}
	d.descriptors(b[54:126])
	return d, nil
}

// descriptors reads the four blocks of 18 bytes that hold timings or texts.
func (d *Display) descriptors(b []byte) {
	panel := ""
	for ; len(b) >= 18; b = b[18:] {
		if b[0] != 0 || b[1] != 0 || b[2] != 0 {
			continue // a timing
		}
		s := text(b[5:18])
		switch {
		case s == "":
		case b[3] == 0xfc:
			d.Name = s
		case b[3] == 0xff:
			d.Serial = s
		case b[3] == 0xfe && s != "":
			panel = s // the last one bears the panel's model
		}
	}
	if d.Name == "" {
		d.Name = panel
	}
}

// text is printable ASCII up to a line feed.
func text(b []byte) string {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(b)))
}

// makerID unpacks three letters of five bits; "" where they are none.
func makerID(n uint16) string {
	var id [3]byte
	for i := range id {
		c := byte(n>>(10-5*i)) & 0x1f
		if c < 1 || c > 26 {
			return ""
		}
		id[i] = 'A' + c - 1
	}
	return string(id[:])
}

// Maker names the maker behind a PNP identifier, or returns the identifier where this
// package does not know it.
func Maker(id string) string {
	switch id {
	case "AAC", "ACR":
		return "Acer"
	case "ACI", "AUS":
		return "ASUS"
	case "AOC":
		return "AOC"
	case "APP":
		return "Apple"
	case "AUO":
		return "AU Optronics"
	case "BNQ":
		return "BenQ"
	case "BOE":
		return "BOE"
	case "CMN", "CMO":
		return "Chimei Innolux"
	case "CSO":
		return "CSOT"
	case "DEL":
		return "Dell"
	case "ENC":
		return "EIZO"
	case "EPI":
		return "Envision"
	case "FUS":
		return "Fujitsu"
	case "GBT":
		return "Gigabyte"
	case "GSM", "LGD", "LPL":
		return "LG"
	case "HPN", "HWP":
		return "HP"
	case "HSD":
		return "HannStar"
	case "IVM":
		return "iiyama"
	case "IVO":
		return "InfoVision"
	case "LEN":
		return "Lenovo"
	case "MEI":
		return "Panasonic"
	case "MSI":
		return "MSI"
	case "NEC":
		return "NEC"
	case "PHL":
		return "Philips"
	case "SAM", "SDC", "SEC":
		return "Samsung"
	case "SHP":
		return "Sharp"
	case "SNY":
		return "Sony"
	case "TSB":
		return "Toshiba"
	case "VSC":
		return "ViewSonic"
	case "XMI":
		return "Xiaomi"
	}
	return id
}
