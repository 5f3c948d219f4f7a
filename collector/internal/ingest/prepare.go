package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

// Problems of a Remark that only ingest can tell.
const (
	ProblemDigest  = "digest"  // the content, in normal form, does not have the digest told
	ProblemDropped = "dropped" // the machine's spool had to forget reports; Value tells how many and why
)

// prepared is a report with everything done that needs no database.
type prepared struct {
	id       wire.ID
	takenAt  time.Time
	live     bool // sent when it was taken: it did not wait on the machine
	cause    string
	bytes    int
	remarks  []inventory.Remark
	sections []SectionRow
	facts    *inventory.Machine // told with this report
	model    *string            // maker and model, where the hardware is told
	system   *inventory.System
	failing  int // sources failed or stale; -1: not told
	whole    *wholeList
	delta    *deltaList
}

// wholeList is a whole software section.
type wholeList struct {
	digest   inventory.Digest // told
	exact    bool             // and that of programs
	programs []inventory.Program
	keys     []inventory.Key
	items    []*cachedItem // nil where not known
}

// deltaList is what changed of the software section.
type deltaList struct {
	base, result inventory.Digest
	removed      []inventory.Key
	gone         []*cachedItem // of removed
	set          wholeList     // digest and exact are not used
}

// prepare normalizes, hashes and compresses.
func (in *Ingester) prepare(r *wire.Report, size int) (*prepared, error) {
	now := in.cfg.Now()
	p := &prepared{id: r.ID, takenAt: r.TakenAt.UTC().Truncate(time.Second), cause: plainText(r.Cause, 32), bytes: size, remarks: slices.Clone(r.Remarks), failing: -1}
	if y := p.takenAt.Year(); y < 1980 || y > 2100 {
		p.remark("", "taken_at", inventory.ProblemBadTime, p.takenAt.Format(time.DateOnly))
		p.takenAt = now.UTC().Truncate(time.Second)
	}
	for _, d := range r.Dropped {
		p.remark("", "spool", ProblemDropped, plainText(fmt.Sprintf("%d reports, %d bytes: %s", d.Reports, d.Bytes, d.Reason), 80))
	}
	for i := range r.Sections {
		switch s := &r.Sections[i]; s.Body {
		case wire.BodySoftware:
			p.takeWhole(in.items, s)
		case wire.BodyDelta:
			p.takeDelta(in.items, s)
		}
	}
	if err := in.prepareDocuments(p, r); err != nil {
		return nil, err
	}
	if over := len(p.remarks) - inventory.MaxRemarks; over > 0 {
		p.remarks = append(p.remarks[:inventory.MaxRemarks-1],
			inventory.Remark{Problem: inventory.ProblemMore, Value: fmt.Sprint(over + 1)})
	}
	return p, nil
}

func (p *prepared) remark(s inventory.Section, field, problem, value string) {
	p.remarks = append(p.remarks, inventory.Remark{Section: s, Field: field, Problem: problem, Value: value})
}

// plainText makes a short text of a peer safe to keep.
func plainText(s string, limit int) string {
	list, _ := inventory.NormalizePrograms([]inventory.Program{{Name: s, Source: "x"}})
	if len(list) == 0 {
		return ""
	}
	s = list[0].Name
	for i := range s {
		if i > limit {
			return s[:i]
		}
	}
	return s
}

func (p *prepared) takeWhole(cache *itemCache, s *wire.SectionUpdate) {
	w := &wholeList{digest: s.Result}
	var remarks []inventory.Remark
	w.programs, remarks = inventory.NormalizePrograms(s.Software)
	p.remarks = append(p.remarks, remarks...)
	sum := w.resolve(cache)
	if w.exact = sum == s.Result; !w.exact {
		p.remark(inventory.SectionSoftware, "digest", ProblemDigest, s.Result.String())
	}
	p.whole, p.delta = w, nil
}

// resolve makes keys, looks for items, and returns the digest of the list.
func (w *wholeList) resolve(cache *itemCache) inventory.Digest {
	var sum inventory.Digest
	w.keys, w.items = make([]inventory.Key, len(w.programs)), make([]*cachedItem, len(w.programs))
	for i := range w.programs {
		w.keys[i] = w.programs[i].Key()
		sum = sum.Add(inventory.EntryHash(w.keys[i], w.programs[i].InstalledAt))
	}
	cache.find(w.keys, w.items)
	return sum
}

func (p *prepared) takeDelta(cache *itemCache, s *wire.SectionUpdate) {
	d := &deltaList{base: s.Base, result: s.Result, removed: s.Delta.Removed}
	var remarks []inventory.Remark
	d.set.programs, remarks = inventory.NormalizePrograms(s.Delta.Set)
	p.remarks = append(p.remarks, remarks...)
	d.set.resolve(cache)
	slices.SortFunc(d.removed, func(a, b inventory.Key) int { return slices.Compare(a[:], b[:]) })
	d.removed = slices.Compact(d.removed)
	d.gone = make([]*cachedItem, len(d.removed))
	cache.find(d.removed, d.gone)
	p.delta, p.whole = d, nil
}

// prepareDocuments decodes, normalizes and packs the sections that are JSON.
func (in *Ingester) prepareDocuments(p *prepared, r *wire.Report) error {
	var snap inventory.Snapshot
	told := make(map[inventory.Section]inventory.Digest, 5)
	for i := range r.Sections {
		s := &r.Sections[i]
		if s.Body != wire.BodyDocument {
			continue
		}
		remarks, err := wire.DecodeDocument(&snap, s.Section, s.Document)
		p.remarks = append(p.remarks, remarks...)
		if err != nil {
			p.remark(s.Section, "", wire.ProblemBadDocument, "")
			continue
		}
		told[s.Section] = s.Result
	}
	if len(told) == 0 {
		return nil
	}
	p.remarks = append(p.remarks, snap.Normalize()...)
	digests := snap.Digests()
	for _, section := range inventory.Sections() {
		digest, ok := told[section]
		if !ok {
			continue
		}
		if digests[section] != digest {
			p.remark(section, "digest", ProblemDigest, digest.String())
		}
		doc, err := wire.EncodeDocument(&snap, section)
		if err != nil {
			return err
		}
		body, err := in.docs.Pack(doc)
		if err != nil {
			return err
		}
		p.sections = append(p.sections, SectionRow{Section: section, Digest: digest, TakenAt: p.takenAt, Body: body})
	}
	if _, ok := told[inventory.SectionMachine]; ok {
		p.facts = &snap.Machine
	}
	if _, ok := told[inventory.SectionSystem]; ok {
		p.system = &snap.System
	}
	if _, ok := told[inventory.SectionHardware]; ok {
		name := modelOf(&snap.Hardware)
		p.model = &name
	}
	if _, ok := told[inventory.SectionSources]; ok {
		p.failing = failing(snap.Sources)
	}
	return nil
}

// failing counts the sources that were not read the last time.
func failing(list []inventory.Source) int {
	n := 0
	for _, s := range list {
		if s.Outcome == inventory.OutcomeFailed || s.Outcome == inventory.OutcomeStale {
			n++
		}
	}
	return n
}

// modelOf names what a machine is by its maker and model.
func modelOf(h *inventory.Hardware) string {
	if h.Vendor != "" && strings.HasPrefix(strings.ToLower(h.Model), strings.ToLower(h.Vendor)+" ") {
		return h.Model // "HP" "HP Z2 Tower"
	}
	return strings.TrimSpace(h.Vendor + " " + h.Model)
}

// vendorOf returns the vendor that system tells.
func vendorOf(s *inventory.System) string { return policy.VendorOf(s) }

// identOf returns what stays of a program when it is upgraded, hashed.
func identOf(p *inventory.Program) [16]byte {
	buf := make([]byte, 0, 256)
	for _, s := range [...]string{p.Name, p.Source, p.Scope, p.User, p.Path} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	sum := sha256.Sum256(buf)
	return [16]byte(sum[:16])
}
