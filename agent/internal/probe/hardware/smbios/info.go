package smbios

import "errors"

// Info is what a table tells, decoded.
type Info struct {
	Version    Version
	Structures int // structures in the table, known or not
	BIOS       BIOS
	System     System
	Board      Board
	Chassis    Chassis
	Processors []Processor
	Arrays     []MemoryArray
	Memory     []MemoryDevice
}

// Decode walks table and decodes what this package knows. A structure that is broken
// costs itself alone; all errors are told together, with what could be read. Of types
// 0 to 3 the first counts.
func Decode(table []byte, v Version) (*Info, error) {
	list, err := Walk(table)
	in := &Info{Version: v, Structures: len(list)}
	errs := []error{err}
	var seen [4]bool
	for _, s := range list {
		if int(s.Type) < len(seen) {
			if seen[s.Type] {
				continue
			}
			seen[s.Type] = true
		}
		if err := in.add(s); err != nil && len(errs) < 10 {
			errs = append(errs, err)
		}
	}
	return in, errors.Join(errs...)
}

// add decodes one structure into in.
func (in *Info) add(s Structure) (err error) {
	switch s.Type {
	case 0:
		in.BIOS, err = DecodeBIOS(s)
	case 1:
		in.System, err = DecodeSystem(s, in.Version)
	case 2:
		in.Board, err = DecodeBoard(s)
	case 3:
		in.Chassis, err = DecodeChassis(s)
	case 4:
		in.Processors, err = appended(in.Processors, s, DecodeProcessor)
	case 16:
		in.Arrays, err = appended(in.Arrays, s, DecodeMemoryArray)
	case 17:
		in.Memory, err = appended(in.Memory, s, DecodeMemoryDevice)
	}
	return err
}

func appended[T any](list []T, s Structure, decode func(Structure) (T, error)) ([]T, error) {
	v, err := decode(s)
	if err != nil {
		return list, err
	}
	return append(list, v), nil
}
