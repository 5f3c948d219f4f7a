package wire

import (
	"encoding/hex"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"vigia/internal/inventory"
)

const (
	internMax  = 4096 // texts kept for sharing in one report
	internSize = 128  // bytes; longer texts seldom repeat
	fieldMax   = 1 << 16
)

// programList reads the programs of field number field in msg. It looks twice: once to
// count, so that the list is allocated once at its size.
func (d *decoder) programList(section inventory.Section, msg []byte, field protowire.Number) ([]inventory.Program, error) {
	count := 0
	err := fields(msg, func(n protowire.Number, _ uint64, _ []byte) error {
		if n == field {
			count++
		}
		return nil
	})
	if err != nil || count == 0 {
		return nil, err
	}
	list := make([]inventory.Program, 0, min(count, d.limits.Programs-d.programs))
	err = fields(msg, func(n protowire.Number, _ uint64, b []byte) error {
		if n != field || !d.take(section) {
			return nil
		}
		list = append(list, inventory.Program{})
		if err := d.program(&list[len(list)-1], b); err != nil {
			return fmt.Errorf("program %d: %w", len(list), err)
		}
		return nil
	})
	return list, err
}

// program reads one program. It does without fields and its closure: this is the loop
// that a collector spends its decoding in.
func (d *decoder) program(p *inventory.Program, msg []byte) error {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return fmt.Errorf("%w: %v", ErrBadMessage, protowire.ParseError(n))
		}
		msg = msg[n:]
		switch typ {
		case protowire.BytesType:
			var b []byte
			if b, n = protowire.ConsumeBytes(msg); n > 0 {
				d.textField(p, num, b)
			}
		case protowire.VarintType:
			var v uint64
			if v, n = protowire.ConsumeVarint(msg); n > 0 {
				numberField(p, num, v)
			}
		default:
			n = protowire.ConsumeFieldValue(num, typ, msg)
		}
		if n < 0 {
			return fmt.Errorf("%w: field %d: %v", ErrBadMessage, num, protowire.ParseError(n))
		}
		msg = msg[n:]
	}
	return nil
}

func (d *decoder) textField(p *inventory.Program, num protowire.Number, b []byte) {
	b = b[:min(len(b), fieldMax)] // Normalize cuts further, with a remark
	switch num {
	case 1:
		p.Name = string(b)
	case 2:
		p.Version = string(b)
	case 3:
		p.Publisher = d.intern(b)
	case 4:
		p.Origin = d.intern(b)
	case 5:
		p.Source = d.intern(b)
	case 6:
		p.Scope = d.intern(b)
	case 7:
		p.User = d.intern(b)
	case 8:
		p.Path = string(b)
	case 9:
		p.Arch = d.intern(b)
	case 14:
		p.SHA256 = hex.EncodeToString(b[:min(len(b), 64)])
	case 15:
		p.Signer = d.intern(b)
	}
}

func numberField(p *inventory.Program, num protowire.Number, v uint64) {
	switch num {
	case 10:
		if v != 0 {
			p.InstalledAt = time.Unix(int64(v), 0).UTC()
		}
	case 11:
		p.Requested = v != 0
	case 12:
		p.Base = v != 0
	case 13:
		p.Hidden = v != 0
	}
}

// intern returns b as text, the same memory for equal texts of one report.
func (d *decoder) intern(b []byte) string {
	if s, ok := d.seen[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(b) <= internSize && len(d.seen) < internMax {
		d.seen[s] = s
	}
	return s
}
