package ingest

import (
	"context"
	"slices"

	"vigia/internal/inventory"
)

// resolve finds or makes the items of all programs.
func (b *batch) resolve(ctx context.Context) error {
	var missing []NewItem // with a nil Program where only the key is known
	index := make(map[inventory.Key]int)
	miss := func(k inventory.Key, p *inventory.Program) {
		i, ok := index[k]
		if !ok {
			index[k] = len(missing)
			missing = append(missing, NewItem{Key: k, Program: p})
		} else if missing[i].Program == nil {
			missing[i].Program = p
		}
	}
	each := func(f func(keys []inventory.Key, items []*cachedItem, programs []inventory.Program)) {
		for _, p := range b.reports {
			if w := p.whole; w != nil {
				f(w.keys, w.items, w.programs)
			}
			if d := p.delta; d != nil {
				f(d.set.keys, d.set.items, d.set.programs)
				f(d.removed, d.gone, nil)
			}
		}
	}
	each(func(keys []inventory.Key, items []*cachedItem, programs []inventory.Program) {
		for i, k := range keys {
			switch {
			case items[i] != nil:
			case programs != nil:
				miss(k, &programs[i])
			default:
				miss(k, nil)
			}
		}
	})
	if len(missing) == 0 {
		return nil
	}
	if err := b.find(ctx, missing); err != nil {
		return err
	}
	for i := range b.reports { // copies: this transaction may run again without what it added
		b.reports[i] = b.resolved(b.reports[i])
	}
	return nil
}

// find looks missing items up, and adds those that have a program.
func (b *batch) find(ctx context.Context, missing []NewItem) error {
	store := b.in.cfg.Store
	keys := make([]inventory.Key, len(missing))
	for i := range missing {
		keys[i] = missing[i].Key
	}
	found, err := store.FindItems(ctx, keys)
	if err != nil {
		return err
	}
	b.remember(found)
	fresh := slices.DeleteFunc(missing, func(n NewItem) bool { return n.Program == nil || b.fresh[n.Key] != nil })
	if len(fresh) == 0 {
		return nil
	}
	slices.SortFunc(fresh, func(a, b NewItem) int { return slices.Compare(a.Key[:], b.Key[:]) })
	found, err = store.AddItems(ctx, fresh, b.now)
	b.remember(found)
	return err
}

func (b *batch) remember(list []Item) {
	for _, it := range list {
		c := &cachedItem{id: it.ID, version: it.Version, key: it.Key}
		b.fresh[it.Key], b.byID[it.ID] = c, c
		b.added = append(b.added, c)
	}
}

// resolved returns a copy of p in which items found by this transaction are filled in.
func (b *batch) resolved(p *prepared) *prepared {
	fill := func(keys []inventory.Key, items []*cachedItem) []*cachedItem {
		items = slices.Clone(items)
		for i := range items {
			if items[i] == nil {
				items[i] = b.fresh[keys[i]]
			}
		}
		return items
	}
	c := *p
	if p.whole != nil {
		w := *p.whole
		w.items = fill(w.keys, w.items)
		c.whole = &w
	}
	if p.delta != nil {
		d := *p.delta
		d.set.items, d.gone = fill(d.set.keys, d.set.items), fill(d.removed, d.gone)
		c.delta = &d
	}
	return &c
}
