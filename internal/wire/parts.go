package wire

import (
	"bytes"
	"fmt"

	vigiav1 "vigia/proto/vigia/v1"
)

const (
	// PartSize is how many bytes of a body one Part carries at most.
	PartSize  = 256 << 10
	maxPartID = 128
)

// Split cuts body into parts of at most PartSize bytes, at least one. The parts share
// body's memory.
func Split(id, body []byte) []*vigiav1.Part {
	total := max(1, (len(body)+PartSize-1)/PartSize)
	parts := make([]*vigiav1.Part, total)
	for i := range parts {
		from := i * PartSize
		parts[i] = &vigiav1.Part{Id: id, Index: uint32(i), Total: uint32(total), Data: body[from:min(from+PartSize, len(body))]}
	}
	return parts
}

// Assembler puts the parts of one body at a time together. The zero value is not
// usable; it is not safe for concurrent use. After an error the stream that the parts
// came on cannot be trusted to be in order: close it.
type Assembler struct {
	limit int
	id    []byte
	next  uint32
	total uint32
	body  []byte
}

// NewAssembler returns an assembler for bodies of at most limit bytes (see
// Limits.Compressed).
func NewAssembler(limit int) *Assembler { return &Assembler{limit: limit} }

// Add takes the next part and its memory. It returns the body with its last part,
// until then nil. Errors wrap ErrBadMessage: parts out of order, of another body, too
// many or too large.
func (a *Assembler) Add(p *vigiav1.Part) (body []byte, done bool, err error) {
	if err := a.check(p); err != nil {
		a.Reset()
		return nil, false, fmt.Errorf("%w: part %d of %d: %w", ErrBadMessage, p.GetIndex(), p.GetTotal(), err)
	}
	if p.Total == 1 {
		return p.Data, true, nil
	}
	if p.Index == 0 {
		a.id, a.total = bytes.Clone(p.Id), p.Total
	}
	a.body = append(a.body, p.Data...)
	if a.next++; a.next < a.total {
		return nil, false, nil
	}
	body = a.body
	a.Reset()
	return body, true, nil
}

// Reset forgets the body that was begun.
func (a *Assembler) Reset() { a.id, a.next, a.total, a.body = nil, 0, 0, nil }

// Pending returns how many bytes of an unfinished body are held.
func (a *Assembler) Pending() int { return len(a.body) }

func (a *Assembler) check(p *vigiav1.Part) error {
	switch {
	case p == nil:
		return fmt.Errorf("missing")
	case len(p.Id) == 0 || len(p.Id) > maxPartID:
		return fmt.Errorf("id of %d bytes, want 1 to %d", len(p.Id), maxPartID)
	case p.Total == 0 || p.Index >= p.Total:
		return fmt.Errorf("no such part")
	case p.Index != a.next:
		return fmt.Errorf("expected part %d", a.next)
	case a.next > 0 && (p.Total != a.total || !bytes.Equal(p.Id, a.id)):
		return fmt.Errorf("another body before the end of the last one")
	case len(p.Data) > PartSize:
		return fmt.Errorf("%d bytes, at most %d", len(p.Data), PartSize)
	case len(p.Data) == 0 && p.Total > 1:
		return fmt.Errorf("empty")
	case len(a.body)+len(p.Data) > a.limit:
		return fmt.Errorf("%w: body beyond %d bytes", ErrTooLarge, a.limit)
	}
	return nil
}
