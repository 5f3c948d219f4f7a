package ingest

import "vigia/collector/internal/authorization"

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
