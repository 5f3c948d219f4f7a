package pe

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// Version is what the version resource says.
type Version struct {
	Product        string // ProductName
	Description    string // FileDescription
	Company        string // CompanyName
	FileVersion    string
	ProductVersion string
	OriginalName   string // OriginalFilename
}

const (
	typeVersion = 16 // RT_VERSION
	maxEntries  = 256
)

// Version reads the version resource; the zero Version where there is none.
func (f *File) Version() (Version, error) {
	if f.resources == 0 {
		return Version{}, nil
	}
	// Three levels: type, name, language. The first of each is taken.
	offset, found, err := f.entry(0, typeVersion)
	for level := 0; err == nil && found && level < 2 && offset&0x80000000 != 0; level++ {
		offset, found, err = f.entry(offset&0x7fffffff, -1)
	}
	if err != nil || !found || offset&0x80000000 != 0 {
		return Version{}, err
	}
	data, err := f.at(f.resources+offset, 16)
	if err != nil {
		return Version{}, err
	}
	size := le.Uint32(data[4:])
	if size > maxResource {
		return Version{}, fmt.Errorf("%w: a version of %d bytes", ErrFormat, size)
	}
	b, err := f.at(le.Uint32(data), size)
	if err != nil {
		return Version{}, err
	}
	return ParseVersion(b)
}

// entry finds the entry with an id in a resource directory, any where id is negative.
func (f *File) entry(dir uint32, id int) (offset uint32, found bool, err error) {
	head, err := f.at(f.resources+dir, 16)
	if err != nil {
		return 0, false, err
	}
	count := uint32(le.Uint16(head[12:])) + uint32(le.Uint16(head[14:]))
	if count > maxEntries {
		count = maxEntries
	}
	table, err := f.at(f.resources+dir+16, 8*count)
	if err != nil {
		return 0, false, err
	}
	for ; len(table) >= 8; table = table[8:] {
		if id < 0 || le.Uint32(table) == uint32(id) {
			return le.Uint32(table[4:]), true, nil
		}
	}
	return 0, false, nil
}

// block is one node of a version resource: a header, a name, a value, blocks below.
type block struct {
	name  string
	value []byte
	text  bool
	below []byte
}

// nextBlock cuts one block off b.
func nextBlock(b []byte) (n block, rest []byte, ok bool) {
	if len(b) < 6 {
		return n, nil, false
	}
	size, valueSize := int(le.Uint16(b)), int(le.Uint16(b[2:]))
	if size < 6 || size > len(b) {
		return n, nil, false
	}
	n.text = le.Uint16(b[4:]) == 1
	at := 6
	var name []uint16
	for ; at+2 <= size; at += 2 {
		c := le.Uint16(b[at:])
		if c == 0 {
			break
		}
		name = append(name, c)
	}
	n.name = string(utf16.Decode(name))
	at = (at + 2 + 3) &^ 3
	if n.text {
		valueSize *= 2
	}
	end := min(at+valueSize, size)
	if at < end {
		n.value = b[at:end]
	}
	if below := (end + 3) &^ 3; below < size {
		n.below = b[below:size]
	}
	next := min((size+3)&^3, len(b))
	return n, b[next:], true
}

// ParseVersion reads VS_VERSIONINFO: the numbers of the fixed part, and the texts of
// the first language that has any.
func ParseVersion(b []byte) (Version, error) {
	top, _, ok := nextBlock(b)
	if !ok || top.name != "VS_VERSION_INFO" {
		return Version{}, fmt.Errorf("%w: no version", ErrFormat)
	}
	var v Version
	for n, rest, ok := nextBlock(top.below); ok; n, rest, ok = nextBlock(rest) {
		if n.name != "StringFileInfo" {
			continue
		}
		if table, _, ok := nextBlock(n.below); ok {
			v.strings(table.below)
		}
	}
	if fixed := top.value; len(fixed) >= 24 && le.Uint32(fixed) == 0xfeef04bd {
		if v.FileVersion == "" {
			v.FileVersion = numbers(fixed[8:])
		}
		if v.ProductVersion == "" {
			v.ProductVersion = numbers(fixed[16:])
		}
	}
	return v, nil
}

func (v *Version) strings(b []byte) {
	for n, rest, ok := nextBlock(b); ok; n, rest, ok = nextBlock(rest) {
		units := make([]uint16, 0, len(n.value)/2)
		for i := 0; i+2 <= len(n.value); i += 2 {
			if c := le.Uint16(n.value[i:]); c != 0 {
				units = append(units, c)
			} else {
				break
			}
		}
		text := strings.TrimSpace(string(utf16.Decode(units)))
		switch n.name {
		case "ProductName":
			v.Product = text
		case "FileDescription":
			v.Description = text
		case "CompanyName":
			v.Company = text
		case "FileVersion":
			v.FileVersion = text
		case "ProductVersion":
			v.ProductVersion = text
		case "OriginalFilename":
			v.OriginalName = text
		}
	}
}

func numbers(b []byte) string {
	high, low := le.Uint32(b), le.Uint32(b[4:])
	if high == 0 && low == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d.%d", high>>16, high&0xffff, low>>16, low&0xffff)
}
