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
	whole := map[int64]bool{}
	var about []FindingKey
	for i, j := range jobs {
		switch p := b.reports[i]; {
		case p.whole != nil || p.facts != nil || p.system != nil || p.model != nil:
			whole[j.session.row] = true
		case p.delta != nil:
			about = p.delta.findings(about, j.session.row)
		}
	}
	about = slices.DeleteFunc(about, func(k FindingKey) bool { return whole[k.Machine] })
	store := b.in.cfg.Store
	if len(whole) > 0 {
		found, err := store.FindingsOf(ctx, slices.Sorted(maps.Keys(whole)))
		if err != nil {
			return err
		}
		b.takeFindings(found)
	}
	if len(about) == 0 {
		return nil
	}
	found, err := store.FindingsAbout(ctx, about)
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

// findings appends by what the findings that d may touch are looked for.
func (d *deltaList) findings(keys []FindingKey, machine int64) []FindingKey {
	for _, it := range d.gone {
		if it != nil {
			keys = append(keys, FindingKey{Machine: machine, Item: it.id})
		}
	}
	for i, it := range d.set.items {
		keys = append(keys, FindingKey{Machine: machine, Item: it.id, Ident: identOf(&d.set.programs[i])})
	}
	return keys
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
