package ingest

import (
	"cmp"
	"context"
	"slices"

	"vigia/collector/internal/ingest/pack"
)

// titleAt is a title on a machine.
type titleAt struct{ machine, title int64 }

// What a batch did to the items of one title on one machine.
const (
	titleCame = 1 << iota
	titleWent
)

// countTitles notes which titles came to a machine that had nothing of them, and which
// left one altogether. A title whose version changed is neither.
func (b *batch) countTitles(ctx context.Context) error {
	if len(b.changes.Presence) == 0 {
		return nil
	}
	items := make([]int64, 0, len(b.changes.Presence))
	for _, p := range b.changes.Presence {
		items = append(items, p.Item)
	}
	slices.Sort(items)
	titleOf, err := b.in.cfg.Store.TitlesOf(ctx, slices.Compact(items))
	if err != nil {
		return err
	}
	moves := make(map[titleAt]int)
	for _, p := range b.changes.Presence {
		at := titleAt{p.Machine, titleOf[p.Item]}
		if p.Here {
			moves[at] |= titleCame
		} else {
			moves[at] |= titleWent
		}
	}
	more, unsure := make(map[int64]int), []int64(nil)
	for at, what := range moves {
		switch m := b.machines[at.machine]; {
		case what == titleCame && len(m.before) == 0:
			more[at.title]++
		case what == titleWent && len(m.now) == 0:
			more[at.title]--
		case what != titleCame|titleWent:
			unsure = append(unsure, at.title)
			continue
		}
		delete(moves, at)
	}
	if len(unsure) > 0 {
		slices.Sort(unsure)
		of, err := b.in.cfg.Store.TitleItems(ctx, slices.Compact(unsure))
		if err != nil {
			return err
		}
		b.settleTitles(moves, of, more)
	}
	for t, n := range more {
		if n != 0 {
			b.changes.Titles = append(b.changes.Titles, TitleChange{Title: t, Machines: n})
		}
	}
	slices.SortFunc(b.changes.Titles, func(a, b TitleChange) int { return cmp.Compare(a.Title, b.Title) })
	return nil
}

// settleTitles decides moves by what else of the title a machine has: what came was there
// before when another item was, what went is still there when another is.
func (b *batch) settleTitles(moves map[titleAt]int, items map[int64][]int64, more map[int64]int) {
	for at, what := range moves {
		m := b.machines[at.machine]
		list, step := m.before, 1
		if what == titleWent {
			list, step = m.now, -1
		}
		if !slices.ContainsFunc(items[at.title], func(id int64) bool { return has(list, id) }) {
			more[at.title] += step
		}
	}
}

// has reports whether an item is in a list, which is ascending.
func has(list []pack.Install, item int64) bool {
	_, ok := slices.BinarySearchFunc(list, item, func(in pack.Install, id int64) int { return cmp.Compare(in.Item, id) })
	return ok
}
