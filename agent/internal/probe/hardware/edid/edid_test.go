package edid

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// block builds a base block with its checksum; descriptors are kind and text.
func block(maker string, product uint16, serial uint32, year int, descriptors ...string) []byte {
	b := make([]byte, BlockLen)
	copy(b, []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0})
	var id uint16
	for _, c := range maker {
		id = id<<5 | uint16(c-'A'+1)
	}
	binary.BigEndian.PutUint16(b[8:], id)
	binary.LittleEndian.PutUint16(b[10:], product)
	binary.LittleEndian.PutUint32(b[12:], serial)
	b[16], b[17], b[18], b[19] = 12, byte(year-1990), 1, 4
	for i := range 4 {
		d := b[54+18*i : 72+18*i]
		if i >= len(descriptors) {
			d[3] = 0x10
			continue
		}
		d[3] = descriptors[i][0]
		copy(d[5:], append([]byte(descriptors[i][1:]), "\n            "...)[:13])
	}
	return seal(b)
}

func seal(b []byte) []byte {
	b[127] = 0
	var sum byte
	for _, c := range b {
		sum += c
	}
	b[127] = -sum
	return b
}

func TestParse(t *testing.T) {
	panel := block("BOE", 0x0a2b, 0, 2021, "\xfeBOE CQ", "\xfeNV140FHM-N62")
	timing := block("SAM", 7, 0x01010101, 2019, "\xfcS24F350")
	copy(timing[72:], []byte{0x02, 0x3a, 0x80, 0x18, 0x71})
	extended := append(block("GSM", 0x5b08, 16843010, 2018, "\xfcLG ULTRAWIDE"), make([]byte, 128)...)
	for name, c := range map[string]struct {
		in   []byte
		want Display
	}{
		"desk":            {block("DEL", 0xa0b1, 123456, 2020, "\xffCFV9N0AB12CD", "\xfcDELL U2720Q"), Display{"DEL", 0xa0b1, "DELL U2720Q", "CFV9N0AB12CD", 2020}},
		"built-in panel":  {panel, Display{"BOE", 0x0a2b, "NV140FHM-N62", "", 2021}},
		"filler serial":   {seal(timing), Display{"SAM", 7, "S24F350", "", 2019}},
		"extension":       {extended, Display{"GSM", 0x5b08, "LG ULTRAWIDE", "16843010", 2018}},
		"year not filled": {block("HWP", 1, 9, 1990), Display{"HWP", 1, "", "9", 0}},
		"odd characters":  {block("AOC", 1, 0, 2015, "\xfc\x01Q\xe1Z "), Display{"AOC", 1, "QZ", "", 2015}},
	} {
		if got, err := Parse(c.in); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := block("DEL", 1, 1, 2020)
	for n := range BlockLen {
		if _, err := Parse(good[:n]); !errors.Is(err, ErrTruncated) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		if _, err := Parse(bad); !errors.Is(err, ErrMalformed) {
			t.Fatalf("bit flipped in byte %d: %v", i, err)
		}
	}
}

func TestMaker(t *testing.T) {
	if Maker("DEL") != "Dell" || Maker("ZZZ") != "ZZZ" || Maker("") != "" {
		t.Error("maker")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(block("DEL", 1, 1, 2020, "\xfcDELL U2720Q", "\xff1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= BlockLen { // past the checksum, which a fuzzer seldom guesses
			copy(b, []byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0})
			b = append(seal(bytes.Clone(b[:BlockLen])), b[BlockLen:]...)
		}
		d, err := Parse(b)
		if (err == nil) != (len(b) >= BlockLen) {
			t.Fatalf("%d bytes: %v", len(b), err)
		}
		if len(d.Name) > 13 || len(d.MakerID) > 3 {
			t.Fatalf("%+v", d)
		}
	})
}
