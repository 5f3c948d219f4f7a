package demo

import (
	"bytes"
	"slices"
	"time"

	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// whole is a first report: everything.
func (y *history) whole(m *machine, at time.Time) (*wire.Report, int) {
	r, size := y.report(m, at, wire.CauseStart, nil, inventory.SectionMachine, inventory.SectionHardware, inventory.SectionSystem,
		inventory.SectionAntivirus, inventory.SectionSources)
	list := make([]inventory.Program, len(m.list))
	for i := range m.list {
		list[i] = y.outfit.pool.program(m.list[i])
	}
	inventory.SortPrograms(list)
	r.Sections = append(r.Sections, wire.SectionUpdate{Section: inventory.SectionSoftware, Result: m.digest, Body: wire.BodySoftware, Software: list})
	return r, size + 14*len(list)
}

// report is what m tells at a time: d, where it changes anything, and sections. The size
// is about that of what would travel.
func (y *history) report(m *machine, at time.Time, cause string, d *delta, sections ...inventory.Section) (*wire.Report, int) {
	at = at.UTC().Truncate(time.Second)
	id, _ := wire.NewID(at, y.reports) // a chance never fails
	r := &wire.Report{ID: id, TakenAt: at, Protocol: 1, AgentVersion: m.agent, Cause: cause}
	size := 90
	if len(sections) > 0 {
		s := m.snapshot(at)
		digests := s.Digests()
		for _, section := range sections {
			doc, err := wire.EncodeDocument(s, section)
			if err != nil {
				continue // the software section, which is none of these
			}
			r.Sections = append(r.Sections, wire.SectionUpdate{Section: section, Result: digests[section], Body: wire.BodyDocument, Document: doc})
			size += len(doc) / 4
		}
	}
	if d != nil && !d.empty() {
		x := &inventory.Delta{Base: d.base, Result: m.digest}
		for k := range d.removed {
			x.Removed = append(x.Removed, k)
		}
		slices.SortFunc(x.Removed, func(a, b inventory.Key) int { return bytes.Compare(a[:], b[:]) })
		for _, i := range d.set {
			x.Set = append(x.Set, y.outfit.pool.program(i))
		}
		r.Sections = append(r.Sections, wire.SectionUpdate{Section: inventory.SectionSoftware, Base: x.Base, Result: x.Result, Body: wire.BodyDelta, Delta: x})
		size += 20*len(x.Removed) + 60*len(x.Set)
	}
	if m.spooled > 20 && cause == wire.CauseSchedule && at.Add(time.Hour).After(m.ends) {
		r.Dropped = []wire.Dropped{{Reports: uint32(m.spooled / 4), Bytes: uint64(m.spooled) * 700, Reason: wire.DroppedAge, Oldest: at.Add(-120 * 24 * time.Hour), Newest: at.Add(-91 * 24 * time.Hour)}}
	}
	return r, size
}
