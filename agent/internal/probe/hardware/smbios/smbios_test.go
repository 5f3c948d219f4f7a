package smbios

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// structure builds one record as firmware would: fields by offset, then strings.
func structure(kind byte, length int, set map[int]any, texts ...string) []byte {
	b := make([]byte, length)
	b[0], b[1] = kind, byte(length)
	binary.LittleEndian.PutUint16(b[2:], uint16(kind)<<8)
	for at, v := range set {
		switch v := v.(type) {
		case int:
			b[at] = byte(v)
		case uint16:
			binary.LittleEndian.PutUint16(b[at:], v)
		case uint32:
			binary.LittleEndian.PutUint32(b[at:], v)
		case uint64:
			binary.LittleEndian.PutUint64(b[at:], v)
		case []byte:
			copy(b[at:], v)
		}
	}
	for _, s := range texts {
		b = append(append(b, s...), 0)
	}
	if len(texts) == 0 {
		b = append(b, 0)
	}
	return append(b, 0)
}

// laptop is the table of a notebook with two slots of memory, one filled.
func laptop() []byte {
	var t []byte
	for _, s := range [][]byte{
		structure(0, 0x18, map[int]any{4: 1, 5: 2, 8: 3}, "LENOVO", "N32ET75W (1.51 )", "12/02/2024"),
		structure(1, 0x1b, map[int]any{4: 1, 5: 2, 6: 3, 7: 4, 8: unhex("ccbbaa99ddee00ff1122334455667788"), 0x19: 5, 0x1a: 3},
			"LENOVO", "20XW00LPUS", "ThinkPad X1 Carbon Gen 9", "PF-3ABCDE", "LENOVO_MT_20XW"),
		structure(2, 0x0f, map[int]any{4: 1, 5: 2, 6: 3, 7: 4}, "LENOVO", "20XW00LPUS", "SDK0J40697 WIN", "L1HF0AB00CD"),
		structure(3, 0x15, map[int]any{4: 1, 5: 0x8a, 7: 2, 8: 3}, "LENOVO", "PF-3ABCDE", "No Asset Information"),
		structure(4, 0x30, map[int]any{4: 1, 5: 3, 7: 2, 0x10: 3, 0x14: uint16(4700), 0x18: 0x41, 0x23: 4, 0x25: 8},
			"U3E1", "Intel(R) Corporation", "11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz"),
		structure(16, 0x17, map[int]any{4: 3, 5: 3, 7: uint32(0x0200_0000), 0x0d: uint16(2)}),
		structure(17, 0x54, map[int]any{0x0c: uint16(16384), 0x10: 1, 0x11: 2, 0x12: 30, 0x15: uint16(4267), 0x17: 3, 0x18: 4, 0x1a: 5},
			"ChannelA-DIMM0", "BANK 0", "80CE000080CE", "00000000", "K4UBE3D4AA-MGCL  "),
		structure(17, 0x54, map[int]any{0x10: 1, 0x12: 2}, "ChannelB-DIMM0"),
		structure(221, 6, nil, "vendor's own"),
		structure(127, 4, nil),
	} {
		t = append(t, s...)
	}
	return t
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestDecodeLaptop(t *testing.T) {
	in, err := Decode(laptop(), Version{3, 3})
	if err != nil {
		t.Fatal(err)
	}
	want := &Info{
		Version: Version{3, 3}, Structures: 9,
		BIOS: BIOS{"LENOVO", "N32ET75W (1.51 )", "2024-12-02"},
		System: System{Vendor: "LENOVO", Model: "20XW00LPUS", Version: "ThinkPad X1 Carbon Gen 9", Serial: "PF-3ABCDE",
			SKU: "LENOVO_MT_20XW", Family: "ThinkPad X1 Carbon Gen 9", UUID: "99aabbcc-eedd-ff00-1122-334455667788"},
		Board:      Board{"LENOVO", "20XW00LPUS", "SDK0J40697 WIN", "L1HF0AB00CD"},
		Chassis:    Chassis{Vendor: "LENOVO", Serial: "PF-3ABCDE", Kind: "Notebook"},
		Processors: []Processor{{Socket: "U3E1", Vendor: "Intel(R) Corporation", Model: "11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz", Populated: true, MaxMHz: 4700, Cores: 4, Threads: 8}},
		Arrays:     []MemoryArray{{System: true, MaxBytes: 32 << 30, Slots: 2}},
		Memory: []MemoryDevice{
			{Locator: "ChannelA-DIMM0", Bank: "BANK 0", Bytes: 16 << 30, Type: "LPDDR4", SpeedMTs: 4267, Manufacturer: "Samsung", PartNumber: "K4UBE3D4AA-MGCL"},
			{Locator: "ChannelB-DIMM0"},
		},
	}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("got  %+v\nwant %+v", in, want)
	}
}

func TestUUIDByteOrderFollowsTheVersion(t *testing.T) {
	raw := unhex("ccbbaa99ddee00ff1122334455667788")
	for v, want := range map[Version]string{
		{2, 5}: "ccbbaa99-ddee-00ff-1122-334455667788",
		{2, 6}: "99aabbcc-eedd-ff00-1122-334455667788",
		{3, 0}: "99aabbcc-eedd-ff00-1122-334455667788",
	} {
		if got := uuid(raw, v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for _, none := range []string{
		"00000000000000000000000000000000", "ffffffffffffffffffffffffffffffff", "00020003000400050006000700080009", "0001", "",
	} {
		if got := uuid(unhex(none), Version{3, 0}); got != "" {
			t.Errorf("%s identifies nothing, got %s", none, got)
		}
	}
}

func TestMeaningful(t *testing.T) {
	for _, s := range []string{
		"Default string", "To be filled by O.E.M.", "To Be Filled By O.E.M", "System Serial Number", "  None ", "N/A", "00000000",
		"xxxxxxxx", "FFFFFFFF", "...............", "0123456789", "[Empty]", "Not Specified", "System Product Name", "-", "", "0", "NO DIMM",
	} {
		if got := Meaningful(s); got != "" {
			t.Errorf("Meaningful(%q) = %q", s, got)
		}
	}
	for _, s := range []string{"PF-3ABCDE", "1", "VMware-56 4d 8e", "5CG1234XYZ", "HP", "1.0", "A"} {
		if got := Meaningful(s); got != s {
			t.Errorf("Meaningful(%q) = %q", s, got)
		}
	}
}

func TestDate(t *testing.T) {
	for in, want := range map[string]string{
		"12/02/2024": "2024-12-02", "04/01/14": "2014-04-01", "04/01/99": "1999-04-01",
		"13/40/2020": "", "02/30/99": "", "": "", "2020-01-01": "", "00/00/0000": "",
	} {
		if got := Date(in); got != want {
			t.Errorf("Date(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	for name, c := range map[string]struct {
		set   map[int]any
		bytes uint64
		mts   int
	}{
		"mebibytes":  {map[int]any{0x0c: uint16(8192), 0x15: uint16(3200)}, 8 << 30, 3200},
		"kibibytes":  {map[int]any{0x0c: uint16(0x8000 | 512)}, 512 << 10, 0},
		"unknown":    {map[int]any{0x0c: uint16(0xffff)}, 0, 0},
		"extended":   {map[int]any{0x0c: uint16(0x7fff), 0x1c: uint32(128 << 10), 0x15: uint16(0xffff), 0x54: uint32(70000)}, 128 << 30, 70000},
		"empty slot": {nil, 0, 0},
	} {
		list, err := Walk(structure(17, 0x5c, c.set))
		if err != nil || len(list) != 1 {
			t.Fatal(name, err)
		}
		d, err := DecodeMemoryDevice(list[0])
		if err != nil || d.Bytes != c.bytes || d.SpeedMTs != c.mts {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	list, _ := Walk(structure(16, 0x17, map[int]any{5: 3, 7: uint32(0x8000_0000), 0x0f: uint64(6 << 40), 0x0d: uint16(24)}))
	if a, err := DecodeMemoryArray(list[0]); err != nil || a.MaxBytes != 6<<40 || a.Slots != 24 {
		t.Errorf("extended array: %+v, %v", a, err)
	}
	list, _ = Walk(structure(4, 0x30, map[int]any{5: 3, 0x18: 0x41, 0x23: 0xff, 0x25: 0xff, 0x2a: uint16(288), 0x2e: uint16(576)}))
	if p, err := DecodeProcessor(list[0]); err != nil || p.Cores != 288 || p.Threads != 576 {
		t.Errorf("many cores: %+v, %v", p, err)
	}
}

func TestDamagedTables(t *testing.T) {
	whole := laptop()
	for cut := range whole {
		list, err := Walk(whole[:cut])
		if err == nil && cut != 0 {
			// A cut between two structures cannot be told from a table that lacks its end.
			sum := 0
			for _, s := range list {
				sum += len(s.Data)
			}
			if sum == 0 {
				t.Errorf("cut at %d: neither structures nor an error", cut)
			}
		}
		if _, err := Decode(whole[:cut], Version{3, 3}); err != nil && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrMalformed) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	half, err := Decode(whole[:len(whole)/2], Version{3, 3})
	if !errors.Is(err, ErrTruncated) || half.System.Serial != "PF-3ABCDE" {
		t.Errorf("half a table: %v, %+v", err, half.System)
	}
	if _, err := Walk([]byte{1, 3, 0, 0, 0, 0}); !errors.Is(err, ErrMalformed) {
		t.Errorf("length below the header: %v", err)
	}
	if _, err := Walk(make([]byte, MaxTable+1)); !errors.Is(err, ErrMalformed) {
		t.Errorf("too large: %v", err)
	}
	short := append(structure(1, 6, nil, "x"), structure(2, 0x0f, map[int]any{4: 1}, "Maker")...)
	in, err := Decode(short, Version{2, 0})
	if !errors.Is(err, ErrTruncated) || in.Board.Vendor != "Maker" {
		t.Errorf("one broken structure cost another: %v, %+v", err, in)
	}
	many := strings.Repeat(string(structure(126, 4, nil)), maxStructures+1)
	if _, err := Walk([]byte(many)); !errors.Is(err, ErrMalformed) {
		t.Errorf("too many structures: %v", err)
	}
}

func TestStringNumbersOutOfRange(t *testing.T) {
	in, err := Decode(structure(2, 0x0f, map[int]any{4: 1, 5: 2, 6: 200}, "Maker"), Version{2, 0})
	if err != nil || in.Board.Vendor != "Maker" || in.Board.Model != "" || in.Board.Version != "" {
		t.Errorf("%+v, %v", in.Board, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(laptop(), 3, 3)
	f.Add(structure(1, 8, nil), 2, 0)
	f.Add([]byte{127, 4, 0, 0}, 2, 8)
	f.Fuzz(func(t *testing.T, table []byte, major, minor int) {
		in, err := Decode(table, Version{major, minor})
		if in == nil {
			t.Fatal("no info")
		}
		if in.Structures > maxStructures {
			t.Fatalf("%d structures, %v", in.Structures, err)
		}
		if u := in.System.UUID; u != "" && RealUUID(u) != u {
			t.Fatalf("UUID %q is not in normal form", u)
		}
		if s := in.System.Serial; Meaningful(s) != s {
			t.Fatalf("serial %q is a placeholder", s)
		}
	})
}
