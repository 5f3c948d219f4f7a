package wire

import (
	"encoding/hex"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"vigia/internal/inventory"
)

// EncodeReport returns r as it travels: zstd of vigia.v1.Report. It fails on a report
// that no collector would take: without id, with a section without body, with a
// SHA-256 that is not hex.
func (c *Codec) EncodeReport(r *Report) ([]byte, error) {
	if r.ID.IsZero() {
		return nil, fmt.Errorf("encoding a report: no id")
	}
	raw, err := appendReport(c.buffer(), r)
	if err != nil {
		return nil, fmt.Errorf("encoding report %s: %w", r.ID, err)
	}
	defer c.release(raw)
	return c.Pack(raw)
}

func appendReport(b []byte, r *Report) ([]byte, error) {
	b = appendBytes(b, 1, r.ID[:])
	b = appendInt(b, 2, unixMilli(r.TakenAt))
	b = appendInt(b, 3, int64(r.Protocol))
	b = appendText(b, 4, r.AgentVersion)
	for i := range r.Sections {
		var err error
		if b, err = appendMessage(b, 5, func(b []byte) ([]byte, error) { return appendSection(b, &r.Sections[i]) }); err != nil {
			return nil, fmt.Errorf("section %s: %w", r.Sections[i].Section, err)
		}
	}
	for i := range r.Dropped {
		b, _ = appendMessage(b, 6, func(b []byte) ([]byte, error) { return appendDropped(b, &r.Dropped[i]), nil })
	}
	return appendText(b, 7, r.Cause), nil
}

func appendSection(b []byte, s *SectionUpdate) ([]byte, error) {
	b = appendText(b, 1, string(s.Section))
	if s.Body == BodyDelta {
		b = appendBytes(b, 2, s.Base[:])
	}
	b = appendBytes(b, 3, s.Result[:])
	switch s.Body {
	case BodyDocument:
		b = protowire.AppendTag(b, 4, protowire.BytesType)
		return protowire.AppendBytes(b, s.Document), nil
	case BodySoftware:
		return appendMessage(b, 5, func(b []byte) ([]byte, error) { return appendPrograms(b, 1, s.Software) })
	case BodyDelta:
		if s.Delta == nil || s.Delta.Base != s.Base || s.Delta.Result != s.Result {
			return nil, fmt.Errorf("delta does not match the update that carries it")
		}
		return appendMessage(b, 6, func(b []byte) ([]byte, error) {
			for i := range s.Delta.Removed {
				b = appendBytes(b, 1, s.Delta.Removed[i][:])
			}
			return appendPrograms(b, 2, s.Delta.Set)
		})
	}
	return nil, fmt.Errorf("no body")
}

func appendPrograms(b []byte, field protowire.Number, list []inventory.Program) ([]byte, error) {
	var err error
	for i := range list {
		if b, err = appendMessage(b, field, func(b []byte) ([]byte, error) { return appendProgram(b, &list[i]) }); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendProgram(b []byte, p *inventory.Program) ([]byte, error) {
	for i, s := range [...]string{p.Name, p.Version, p.Publisher, p.Origin, p.Source, p.Scope, p.User, p.Path, p.Arch} {
		b = appendText(b, protowire.Number(i+1), s)
	}
	if !p.InstalledAt.IsZero() {
		b = appendInt(b, 10, p.InstalledAt.Unix())
	}
	for i, f := range [...]bool{p.Requested, p.Base, p.Hidden} {
		if f {
			b = appendInt(b, protowire.Number(i+11), 1)
		}
	}
	if p.SHA256 != "" {
		sum, err := hex.DecodeString(p.SHA256)
		if err != nil {
			return nil, fmt.Errorf("program %q: sha256 %q is not hex; normalize first", p.Name, p.SHA256)
		}
		b = appendBytes(b, 14, sum)
	}
	return appendText(b, 15, p.Signer), nil
}

func appendDropped(b []byte, d *Dropped) []byte {
	b = appendInt(b, 1, int64(d.Reports))
	b = appendInt(b, 2, int64(d.Bytes))
	b = appendText(b, 3, d.Reason)
	b = appendInt(b, 4, unixMilli(d.Oldest))
	return appendInt(b, 5, unixMilli(d.Newest))
}

// appendMessage writes a length-delimited field whose content fill appends, moving the
// content only where its length needs more than the two bytes set aside.
func appendMessage(b []byte, field protowire.Number, fill func([]byte) ([]byte, error)) ([]byte, error) {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	const room = 2
	at := len(b)
	b, err := fill(append(b, make([]byte, room)...))
	if err != nil {
		return nil, err
	}
	n := len(b) - at - room
	size := protowire.SizeVarint(uint64(n))
	switch {
	case size > room:
		b = append(b, make([]byte, size-room)...)
		copy(b[at+size:], b[at+room:at+room+n])
	case size < room:
		copy(b[at+size:], b[at+room:])
		b = b[:len(b)-(room-size)]
	}
	protowire.AppendVarint(b[:at], uint64(n))
	return b, nil
}

func appendText(b []byte, field protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendInt(b []byte, field protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

// unixMilli is 0 for "not told".
func unixMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
