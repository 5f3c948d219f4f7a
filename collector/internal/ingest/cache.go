package ingest

import (
	"sync"

	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// cachedItem is an item in memory. memo belongs to the writing loop alone.
type cachedItem struct {
	id, version int64
	key         inventory.Key
	memo        memo
}

// memo keeps verdicts of one item under one policy, one for each vendor asked for.
type memo struct {
	state    *policyState
	verdicts []vendorVerdict
}

type vendorVerdict struct {
	vendor  string
	verdict policy.Verdict
	depends bool // on the machine
}

// itemCache finds items by key and by number. Items never change, so what is in it is
// right whatever other collectors do. It holds two generations: when the young one is
// full it becomes the old one, and what is still asked for moves over.
type itemCache struct {
	mu         sync.RWMutex
	half       int
	young, old generation
}

type generation struct {
	byKey map[inventory.Key]*cachedItem
	byID  map[int64]*cachedItem
}

func newGeneration() generation {
	return generation{byKey: make(map[inventory.Key]*cachedItem), byID: make(map[int64]*cachedItem)}
}

func newItemCache(size int) *itemCache {
	return &itemCache{half: max(1, size/2), young: newGeneration(), old: newGeneration()}
}

// find fills found[i] with the item of keys[i], as far as it is known.
func (c *itemCache) find(keys []inventory.Key, found []*cachedItem) {
	var revive []*cachedItem
	c.mu.RLock()
	for i, k := range keys {
		if it := c.young.byKey[k]; it != nil {
			found[i] = it
		} else if it := c.old.byKey[k]; it != nil {
			found[i] = it
			revive = append(revive, it)
		}
	}
	c.mu.RUnlock()
	c.add(revive...)
}

// byID returns the item with a number, or nil.
func (c *itemCache) byID(id int64) *cachedItem {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if it := c.young.byID[id]; it != nil {
		return it
	}
	return c.old.byID[id]
}

// add keeps items; of two with one key the first stays.
func (c *itemCache) add(list ...*cachedItem) {
	if len(list) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, it := range list {
		if c.young.byKey[it.key] != nil {
			continue
		}
		if len(c.young.byKey) >= c.half {
			c.old, c.young = c.young, newGeneration()
		}
		c.young.byKey[it.key], c.young.byID[it.id] = it, it
	}
}
