package ingest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"vigia/collector/internal/ingest/pack"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// machineState is a machine within a batch: as it was stored, and as the reports of the
// batch leave it.
type machineState struct {
	Machine
	before, now []pack.Install // ascending by item
	findings    []*Finding     // those that the batch may touch, by Row; new ones last
	idx         *findingIndex
	slab        *slab
	sections    map[inventory.Section]SectionRow
	software    bool // now, Digest … must be stored
	facts       bool
	counts      bool
	looked      time.Time // by a report with software of this batch
	eval        *policy.Evaluator
	evalFor     *policyState
}

// newMachineState unpacks m's list into room taken from slab.
func newMachineState(m Machine, slab *slab) (*machineState, error) {
	s := &machineState{Machine: m}
	var err error
	if s.before, err = pack.Installs(slab.take(pack.Count(m.Body)), m.Body); err != nil {
		return nil, fmt.Errorf("software of machine %s: %w", m.ID, err)
	}
	s.now, s.slab = s.before, slab
	return s, nil
}

// slab gives room for lists of installs. It is emptied before each batch, so that lists
// of some hundred machines are not left to the garbage collector every time.
type slab struct{ room []pack.Install }

// slabSize is how many installs a slab keeps room for: 6 MB.
const slabSize = 1 << 18

// take returns an empty list with room for n.
func (s *slab) take(n int) []pack.Install {
	if n > cap(s.room)-len(s.room) {
		if n > slabSize/4 {
			return make([]pack.Install, 0, n)
		}
		s.room = make([]pack.Install, 0, slabSize)
	}
	at := len(s.room)
	s.room = s.room[:at+n]
	return s.room[at : at : at+n]
}

func (s *slab) reset() { s.room = s.room[:0] }

// evaluator returns what judges programs of this machine.
func (m *machineState) evaluator(p *policyState) policy.Evaluator {
	if m.eval == nil || m.evalFor != p {
		e := p.compiled.On(m.Context())
		m.eval, m.evalFor = &e, p
	}
	return *m.eval
}

// change is what one report did to a machine's list: programs that came, by index into
// a wholeList, and items that went.
type change struct {
	list  *wholeList
	came  []int
	went  []int64
	first bool // the first list of this machine
}

// replace makes list the machine's, and tells what changed. Every item is known.
func (m *machineState) replace(list *wholeList, at time.Time) change {
	c := change{list: list, first: m.TakenAt.IsZero()}
	next := m.slab.take(len(list.items))[:len(list.items)]
	old := m.now
	for n, i := range list.byItem() {
		id := list.items[i].id
		for len(old) > 0 && old[0].Item < id {
			c.went = append(c.went, old[0].Item)
			old = old[1:]
		}
		next[n] = pack.Install{Item: id, Installed: seconds(list.programs[i].InstalledAt), First: at.Unix()}
		if len(old) > 0 && old[0].Item == id {
			next[n].First = old[0].First
			old = old[1:]
			continue
		}
		c.came = append(c.came, i)
	}
	for _, in := range old {
		c.went = append(c.went, in.Item)
	}
	m.now, m.Digest, m.Exact = next, list.digest, list.exact
	m.software = true
	return c
}

// amend applies a delta, or returns false where it does not fit and nothing was done.
func (m *machineState) amend(d *deltaList, at time.Time) (change, bool) {
	c := change{list: &d.set}
	if m.TakenAt.IsZero() || m.Digest != d.base {
		return c, false
	}
	removed := d.removedByItem()
	order := d.set.byItem()
	sum, next, old := m.Digest, m.slab.take(len(m.now)+len(order)), m.now
	keep := func(upTo int64) { // what stands before an item, without what is removed
		for len(removed) > 0 && removed[0].id < upTo {
			r := removed[0]
			removed = removed[1:]
			n, ok := slices.BinarySearchFunc(old, r.id, func(in pack.Install, id int64) int { return cmp.Compare(in.Item, id) })
			next, old = append(next, old[:n]...), old[n:]
			if ok {
				sum = sum.Sub(inventory.EntryHash(r.key, unixTime(old[0].Installed)))
				c.went, old = append(c.went, r.id), old[1:]
			}
		}
		n, _ := slices.BinarySearchFunc(old, upTo, func(in pack.Install, id int64) int { return cmp.Compare(in.Item, id) })
		next, old = append(next, old[:n]...), old[n:]
	}
	for _, i := range order {
		it, p := d.set.items[i], &d.set.programs[i]
		keep(it.id)
		if len(removed) > 0 && removed[0].id == it.id { // removed and set: set
			removed = removed[1:]
		}
		in := pack.Install{Item: it.id, Installed: seconds(p.InstalledAt), First: at.Unix()}
		if len(old) > 0 && old[0].Item == it.id {
			sum = sum.Sub(inventory.EntryHash(it.key, unixTime(old[0].Installed)))
			in.First, old = old[0].First, old[1:]
		} else {
			c.came = append(c.came, i)
		}
		sum, next = sum.Add(inventory.EntryHash(it.key, p.InstalledAt)), append(next, in)
	}
	keep(math.MaxInt64)
	if m.Exact && sum != d.result || len(next) > inventory.MaxPrograms {
		return change{}, false
	}
	m.now, m.Digest, m.software = next, d.result, true
	return c, true
}

// removedItem is an item that a delta removes.
type removedItem struct {
	id  int64
	key inventory.Key
}

// removedByItem returns what d removes, in the order of items, without what was never
// heard of: the digest tells whether that matters.
func (d *deltaList) removedByItem() []removedItem {
	out := make([]removedItem, 0, len(d.gone))
	for i, it := range d.gone {
		if it != nil {
			out = append(out, removedItem{id: it.id, key: d.removed[i]})
		}
	}
	slices.SortFunc(out, func(a, b removedItem) int { return cmp.Compare(a.id, b.id) })
	return out
}

// byItem returns the indexes of the list in the order of items, which are all known.
func (w *wholeList) byItem() []int {
	order := make([]int, len(w.items))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(w.items[a].id, w.items[b].id) })
	return order
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func unixTime(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}
