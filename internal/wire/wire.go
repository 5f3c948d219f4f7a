// Package wire owns the translation between the inventory and the protocol: reports
// to and from compressed protobuf, sections as JSON documents, bodies cut into parts
// and put together again. Every bound on what a peer may send stands here.
//
// It refuses to judge content: broken text, odd times and unknown values pass to
// inventory.Normalize, which keeps the rest of the report. It opens no connection.
//
// Reports are read and written field by field (protowire) rather than through the
// generated types: that is several times faster, allocates each text once, and lets a
// text with broken UTF-8 through to be cleaned instead of refusing the whole report.
package wire

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"vigia/internal/inventory"
)

// ID identifies a report: a UUIDv7 made by the agent.
type ID [16]byte

// NewID returns a UUIDv7 (RFC 9562): milliseconds of now, then random bits.
func NewID(now time.Time, random io.Reader) (ID, error) {
	var id ID
	if _, err := io.ReadFull(random, id[6:]); err != nil {
		return ID{}, fmt.Errorf("making a report id: %w", err)
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(0, now.UnixMilli())))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}

// IDFromBytes reads an id from the wire: 16 bytes, not all zero.
func IDFromBytes(b []byte) (ID, error) {
	if len(b) != len(ID{}) {
		return ID{}, fmt.Errorf("report id: %d bytes, want 16", len(b))
	}
	if id := ID(b); !id.IsZero() {
		return id, nil
	}
	return ID{}, errors.New("report id: all zero")
}

// IsZero reports whether id was never set.
func (id ID) IsZero() bool { return id == ID{} }

// String returns UUID text.
func (id ID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Body tells what a SectionUpdate carries.
type Body int

// Bodies of a SectionUpdate.
const (
	BodyNone     Body = iota // nothing: refused by DecodeReport with a remark
	BodyDocument             // Document: the section as JSON
	BodySoftware             // Software: the whole software section
	BodyDelta                // Delta: what changed in the software section
)

// Report is what a machine looked like at one moment, or what changed since.
type Report struct {
	ID           ID
	TakenAt      time.Time // UTC, to the millisecond
	Protocol     uint32
	AgentVersion string
	Cause        string // a Cause constant
	Sections     []SectionUpdate
	Dropped      []Dropped
	// Remarks tells what DecodeReport left out: unknown sections, entries beyond a
	// limit. It does not travel.
	Remarks []inventory.Remark
}

// Causes of a report.
const (
	CauseSchedule = "schedule"
	CauseNoticed  = "noticed"
	CauseCommand  = "command"
	CauseStart    = "start"
	CauseNeed     = "need"
)

// SectionUpdate is one section, whole or as a delta. Only the field that Body names is
// set. A delta's Base and Result equal those of the update.
type SectionUpdate struct {
	Section  inventory.Section
	Base     inventory.Digest // with BodyDelta only
	Result   inventory.Digest
	Body     Body
	Document []byte
	Software []inventory.Program
	Delta    *inventory.Delta
}

// Dropped tells what a spool had to forget.
type Dropped struct {
	Reports        uint32
	Bytes          uint64
	Reason         string // a Dropped constant
	Oldest, Newest time.Time
}

// Reasons of Dropped.
const (
	DroppedSize     = "size"
	DroppedAge      = "age"
	DroppedDamaged  = "damaged"
	DroppedDiskFull = "disk-full"
)

// Problems of a Remark that only the wire can tell.
const (
	ProblemUnknownSection = "unknown-section" // left out; Entry is its name
	ProblemNoBody         = "no-body"         // a section without content; left out
	ProblemBadDocument    = "bad-document"    // a document or a field of it that cannot be read; left out
)

// Limits bounds what is accepted from a peer. The zero value of a field means its
// default.
type Limits struct {
	Compressed int // bytes of one body as it travels; default 16 MiB
	Decoded    int // bytes of one body after decompression; default 64 MiB
	Programs   int // programs, and removed keys, of one report; the rest is left out with a remark; default 150,000
	Document   int // bytes of one JSON document; default 4 MiB
}

// DefaultLimits returns the defaults.
func DefaultLimits() Limits {
	return Limits{Compressed: 16 << 20, Decoded: 64 << 20, Programs: 150_000, Document: 4 << 20}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	for _, p := range [...]struct{ v, d *int }{{&l.Compressed, &d.Compressed}, {&l.Decoded, &d.Decoded},
		{&l.Programs, &d.Programs}, {&l.Document, &d.Document}} {
		if *p.v <= 0 {
			*p.v = *p.d
		}
	}
	return l
}

// Errors that a peer's bytes can cause. All wrap ErrBadMessage.
var (
	ErrBadMessage = errors.New("bad message")
	ErrTooLarge   = fmt.Errorf("%w: too large", ErrBadMessage)
)
