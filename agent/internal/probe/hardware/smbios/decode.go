package smbios

// Version is that of the specification a table follows.
type Version struct{ Major, Minor int }

// AtLeast reports whether v is major.minor or newer.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || (v.Major == major && v.Minor >= minor)
}

// BIOS is type 0.
type BIOS struct {
	Vendor, Version string
	Date            string // RFC 3339 full-date
}

// DecodeBIOS decodes type 0.
func DecodeBIOS(s Structure) (BIOS, error) {
	if err := s.expect(0, 9); err != nil {
		return BIOS{}, err
	}
	return BIOS{Vendor: s.text(4), Version: s.text(5), Date: Date(s.raw(8))}, nil
}

// System is type 1.
type System struct {
	Vendor, Model, Version, Serial, SKU, Family string
	UUID                                        string // RFC 4122 text in lower case
}

// DecodeSystem decodes type 1 of a table of version v.
func DecodeSystem(s Structure, v Version) (System, error) {
	if err := s.expect(1, 8); err != nil {
		return System{}, err
	}
	sys := System{Vendor: s.text(4), Model: s.text(5), Version: s.text(6), Serial: s.text(7), SKU: s.text(0x19), Family: s.text(0x1a)}
	if len(s.Data) >= 0x18 {
		sys.UUID = uuid(s.Data[8:0x18], v)
	}
	return sys, nil
}

// Board is type 2.
type Board struct{ Vendor, Model, Version, Serial string }

// DecodeBoard decodes type 2.
func DecodeBoard(s Structure) (Board, error) {
	if err := s.expect(2, 8); err != nil {
		return Board{}, err
	}
	return Board{Vendor: s.text(4), Model: s.text(5), Version: s.text(6), Serial: s.text(7)}, nil
}

// Chassis is type 3.
type Chassis struct {
	Vendor, Serial, AssetTag string
	Kind                     string // as DSP0134 names it; "" for "other" and "unknown"
}

// DecodeChassis decodes type 3.
func DecodeChassis(s Structure) (Chassis, error) {
	if err := s.expect(3, 9); err != nil {
		return Chassis{}, err
	}
	return Chassis{Vendor: s.text(4), Serial: s.text(7), AssetTag: s.text(8), Kind: ChassisKind(int(s.byte(5) & 0x7f))}, nil
}

// Processor is type 4: a socket, populated or not.
type Processor struct {
	Socket, Vendor, Model string
	Populated             bool
	MaxMHz                int
	Cores, Threads        int
}

// DecodeProcessor decodes type 4.
func DecodeProcessor(s Structure) (Processor, error) {
	if err := s.expect(4, 0x1a); err != nil {
		return Processor{}, err
	}
	p := Processor{
		Socket: s.text(4), Vendor: s.text(7), Model: s.text(0x10), MaxMHz: int(s.word(0x14)),
		Populated: s.byte(5) == 3 && s.byte(0x18)&0x40 != 0,
		Cores:     int(s.byte(0x23)), Threads: int(s.byte(0x25)),
	}
	if p.Cores == 0xff {
		p.Cores = int(s.word(0x2a))
	}
	if p.Threads == 0xff {
		p.Threads = int(s.word(0x2e))
	}
	return p, nil
}

// MemoryArray is type 16.
type MemoryArray struct {
	System   bool   // system memory, not video or flash
	MaxBytes uint64 // 0 when not told
	Slots    int
}

// DecodeMemoryArray decodes type 16.
func DecodeMemoryArray(s Structure) (MemoryArray, error) {
	if err := s.expect(16, 0x0f); err != nil {
		return MemoryArray{}, err
	}
	a := MemoryArray{System: s.byte(5) == 3, Slots: int(s.word(0x0d)), MaxBytes: uint64(s.dword(7)) << 10}
	if s.dword(7) == 0x8000_0000 {
		a.MaxBytes = s.qword(0x0f)
	}
	return a, nil
}

// MemoryDevice is type 17: a slot; Bytes is 0 when it is empty.
type MemoryDevice struct {
	Locator, Bank                    string
	Bytes                            uint64
	Type                             string // "DDR4"; "" for "other" and "unknown"
	SpeedMTs                         int
	Manufacturer, PartNumber, Serial string
}

// DecodeMemoryDevice decodes type 17.
func DecodeMemoryDevice(s Structure) (MemoryDevice, error) {
	if err := s.expect(17, 0x15); err != nil {
		return MemoryDevice{}, err
	}
	d := MemoryDevice{
		Locator: s.raw(0x10), Bank: s.raw(0x11), Type: memoryType(s.byte(0x12)), SpeedMTs: int(s.word(0x15)),
		Manufacturer: MemoryMaker(s.text(0x17)), Serial: s.text(0x18), PartNumber: s.text(0x1a),
	}
	switch size := s.word(0x0c); {
	case size == 0xffff: // unknown: something is there, nobody knows how much
	case size == 0x7fff:
		d.Bytes = uint64(s.dword(0x1c)&0x7fff_ffff) << 20
	case size&0x8000 != 0:
		d.Bytes = uint64(size&0x7fff) << 10
	default:
		d.Bytes = uint64(size) << 20
	}
	if d.SpeedMTs == 0xffff {
		d.SpeedMTs = int(s.dword(0x54) & 0x7fff_ffff)
	}
	return d, nil
}
