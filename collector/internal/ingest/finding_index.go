package ingest

import (
	"context"
	"maps"
	"slices"

	"vigia/collector/internal/authorization"
)

// loadFindings reads the findings that reports may touch: all of a machine that tells a
// whole list or what rules ask about, and otherwise those about the items of its delta.
func (b *batch) loadFindings(ctx context.Context, jobs []*job) error {
	whole, part := map[int64]bool{}, map[int64]bool{}
	var about finder
	for i, j := range jobs {
		switch p := b.reports[i]; {
		case p.whole != nil || p.facts != nil || p.system != nil:
			whole[j.session.row] = true
		case p.delta != nil:
			part[j.session.row] = true
			about.delta(p.delta)
		}
	}
	maps.DeleteFunc(part, func(row int64, _ bool) bool { return whole[row] })
	store := b.in.cfg.Store
	if len(whole) > 0 {
		found, err := store.FindingsOf(ctx, slices.Sorted(maps.Keys(whole)))
		if err != nil {
			return err
		}
		b.takeFindings(found)
	}
	if len(part) == 0 {
		return nil
	}
	found, err := store.FindingsAbout(ctx, slices.Sorted(maps.Keys(part)), about.items, about.idents)
	b.takeFindings(found)
	return err
}

func (b *batch) takeFindings(list []*Finding) {
	for _, f := range list {
		if m := b.machines[f.Machine]; m != nil {
			m.findings = append(m.findings, f)
		}
	}
}

// finder gathers what findings are looked for by.
type finder struct {
	items  []int64
	idents [][16]byte
}

func (f *finder) delta(d *deltaList) {
	for _, it := range d.gone {
		if it != nil {
			f.items = append(f.items, it.id)
		}
	}
	for i, it := range d.set.items {
		f.items, f.idents = append(f.items, it.id), append(f.idents, identOf(&d.set.programs[i]))
	}
}

// findingIndex finds the findings of one machine. No two have one item.
type findingIndex struct {
	byItem  map[int64]*Finding
	byIdent map[[16]byte][]*Finding
}

// index returns the index of m's findings, made when first asked for.
func (m *machineState) index() *findingIndex {
	if m.idx == nil {
		m.idx = &findingIndex{byItem: make(map[int64]*Finding, len(m.findings)), byIdent: make(map[[16]byte][]*Finding)}
		for _, f := range m.findings {
			m.idx.byItem[f.Item] = f
			m.idx.byIdent[f.Ident] = append(m.idx.byIdent[f.Ident], f)
		}
	}
	return m.idx
}

// move makes f the finding of an item.
func (x *findingIndex) move(f *Finding, item int64) {
	if x.byItem[f.Item] == f {
		delete(x.byItem, f.Item)
	}
	f.Item = item
	x.byItem[item] = f
}

// kin returns the finding of the same program in another version: one that goes now,
// else one that had gone; the first Row of several; nil when there is none.
func (m *machineState) kin(ident [16]byte, gone map[int64]bool) *Finding {
	var returned *Finding
	for _, f := range m.index().byIdent[ident] {
		switch {
		case f.State == authorization.Gone:
			if returned == nil {
				returned = f
			}
		case gone[f.Item]:
			return f
		}
	}
	return returned
}
