package wire

import (
	"bytes"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"vigia/internal/inventory"
)

// Bounds on lists whose length no Limits field covers.
const (
	maxSections = 32
	maxDropped  = 100
	maxText     = 4096 // bytes of cause and agent version; what is longer is cut
)

// DecodeReport undoes EncodeReport. What can be understood is kept: unknown fields are
// skipped, unknown sections and entries beyond a limit are left out with a Remark. The
// error wraps ErrBadMessage: not zstd, too large, not protobuf, no id.
// The result shares no memory with data.
func (c *Codec) DecodeReport(data []byte) (*Report, error) {
	raw, err := c.unpack(data, c.buffer())
	if err != nil {
		return nil, fmt.Errorf("decoding a report: %w", err)
	}
	defer c.release(raw)
	d := decoder{limits: c.limits, seen: make(map[string]string, 64)}
	r := new(Report)
	if err := d.report(r, raw); err != nil {
		return nil, fmt.Errorf("decoding a report: %w", err)
	}
	return r, nil
}

type decoder struct {
	limits   Limits
	programs int // of Limits.Programs, already taken
	over     map[inventory.Section]int
	seen     map[string]string // texts that repeat, kept once per report
	remarks  []inventory.Remark
}

// fields calls f for every field of a message. For varints v is the number, for
// length-delimited fields b is the content; other kinds are skipped.
func fields(msg []byte, f func(n protowire.Number, v uint64, b []byte) error) error {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return fmt.Errorf("%w: %v", ErrBadMessage, protowire.ParseError(n))
		}
		msg = msg[n:]
		var v uint64
		var b []byte
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(msg)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(msg)
			if n > 0 && b == nil {
				b = []byte{}
			}
		default:
			n = protowire.ConsumeFieldValue(num, typ, msg)
		}
		if n < 0 {
			return fmt.Errorf("%w: field %d: %v", ErrBadMessage, num, protowire.ParseError(n))
		}
		msg = msg[n:]
		if typ == protowire.VarintType || typ == protowire.BytesType {
			if err := f(num, v, b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *decoder) report(r *Report, raw []byte) error {
	var id []byte
	err := fields(raw, func(n protowire.Number, v uint64, b []byte) error {
		switch n {
		case 1:
			id = b
		case 2:
			r.TakenAt = fromMilli(int64(v))
		case 3:
			r.Protocol = uint32(v)
		case 4:
			r.AgentVersion = shortText(b)
		case 5:
			return d.section(r, b)
		case 6:
			return d.dropped(r, b)
		case 7:
			r.Cause = shortText(b)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if r.ID, err = IDFromBytes(id); err != nil {
		return fmt.Errorf("%w: %v", ErrBadMessage, err)
	}
	for _, s := range inventory.Sections() {
		if n := d.over[s]; n > 0 {
			d.remark(string(s), "", inventory.ProblemTooMany, fmt.Sprint(n))
		}
	}
	r.Remarks = d.remarks
	return nil
}

func (d *decoder) section(r *Report, msg []byte) error {
	if len(r.Sections) >= maxSections {
		d.remark("", "", inventory.ProblemTooMany, "section")
		return nil
	}
	s := SectionUpdate{}
	var base, result, body []byte
	err := fields(msg, func(n protowire.Number, _ uint64, b []byte) error {
		switch n {
		case 1:
			s.Section = inventory.Section(shortText(b))
		case 2:
			base = b
		case 3:
			result = b
		case 4, 5, 6: // a oneof: the last wins
			s.Body, body = Body(n-4)+BodyDocument, b
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !slices.Contains(inventory.Sections(), s.Section) {
		d.remark("", string(s.Section), ProblemUnknownSection, "")
		return nil
	}
	if s.Base, err = inventory.DigestFromBytes(base); err != nil {
		return fmt.Errorf("%w: section %s: base %v", ErrBadMessage, s.Section, err)
	}
	if s.Result, err = inventory.DigestFromBytes(result); err != nil {
		return fmt.Errorf("%w: section %s: result %v", ErrBadMessage, s.Section, err)
	}
	return d.body(r, &s, body)
}

func (d *decoder) body(r *Report, s *SectionUpdate, body []byte) error {
	var err error
	software := s.Section == inventory.SectionSoftware
	switch {
	case s.Body == BodyNone, software == (s.Body == BodyDocument):
		d.remark(string(s.Section), "", ProblemNoBody, "")
		return nil
	case s.Body == BodyDocument && len(body) > d.limits.Document:
		d.remark(string(s.Section), "", inventory.ProblemTooLong, fmt.Sprint(len(body)))
		return nil
	case s.Body == BodyDocument:
		s.Document = bytes.Clone(body)
	case s.Body == BodySoftware:
		s.Software, err = d.programList(s.Section, body, 1)
	case s.Body == BodyDelta:
		s.Delta = &inventory.Delta{Base: s.Base, Result: s.Result}
		if s.Delta.Removed, err = d.keys(s.Section, body); err == nil {
			s.Delta.Set, err = d.programList(s.Section, body, 2)
		}
	}
	if err != nil {
		return fmt.Errorf("section %s: %w", s.Section, err)
	}
	r.Sections = append(r.Sections, *s)
	return nil
}

func (d *decoder) keys(section inventory.Section, msg []byte) ([]inventory.Key, error) {
	var keys []inventory.Key
	err := fields(msg, func(n protowire.Number, _ uint64, b []byte) error {
		switch {
		case n != 1:
			return nil
		case len(b) != len(inventory.Key{}):
			return fmt.Errorf("%w: removed key of %d bytes, want 16", ErrBadMessage, len(b))
		case d.take(section):
			keys = append(keys, inventory.Key(b))
		}
		return nil
	})
	return keys, err
}

func (d *decoder) dropped(r *Report, msg []byte) error {
	var x Dropped
	err := fields(msg, func(n protowire.Number, v uint64, b []byte) error {
		switch n {
		case 1:
			x.Reports = uint32(v)
		case 2:
			x.Bytes = v
		case 3:
			x.Reason = shortText(b)
		case 4:
			x.Oldest = fromMilli(int64(v))
		case 5:
			x.Newest = fromMilli(int64(v))
		}
		return nil
	})
	if err == nil && len(r.Dropped) < maxDropped {
		r.Dropped = append(r.Dropped, x)
	}
	return err
}

// take counts one entry of a list and reports whether it still fits the limit.
func (d *decoder) take(section inventory.Section) bool {
	if d.programs < d.limits.Programs {
		d.programs++
		return true
	}
	if d.over == nil {
		d.over = make(map[inventory.Section]int)
	}
	d.over[section]++
	return false
}

func (d *decoder) remark(section, entry, problem, value string) {
	if len(d.remarks) < inventory.MaxRemarks {
		d.remarks = append(d.remarks, inventory.Remark{Section: inventory.Section(section), Entry: entry, Problem: problem, Value: value})
	}
}

func shortText(b []byte) string { return string(bytes.ToValidUTF8(b[:min(len(b), maxText)], nil)) }
