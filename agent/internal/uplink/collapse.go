package uplink

import (
	"vigia/agent/internal/spool"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// Collapse spools one report with every section whole, as of the last inventory, and
// then forgets the reports before it; their account of dropped reports goes along.
// Where no inventory is known it only forgets them and reports false: a fresh
// inventory is wanted, and will be whole.
func (t *Tracker) Collapse(cause string) (done bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, dropped, err := t.waiting()
	if err != nil {
		return false, err
	}
	if t.last != nil {
		r := &wire.Report{TakenAt: t.last.TakenAt, Cause: cause, Dropped: dropped}
		for _, section := range inventory.Sections() {
			u, err := t.update(t.last, section, t.digests[section], nil)
			if err != nil {
				return false, err
			}
			r.Sections = append(r.Sections, u)
		}
		if err := t.spool(r, t.last, t.o.Spool.TakeDropped()); err != nil {
			return false, err
		}
		t.collapsed = inventory.CombineDigests(t.digests)
	}
	for _, id := range before {
		if err := t.o.Spool.Ack(id); err != nil {
			return t.last != nil, err
		}
	}
	return t.last != nil, nil
}

// waiting lists the spooled reports and what they tell of dropped ones.
func (t *Tracker) waiting() (ids []spool.ID, dropped []wire.Dropped, err error) {
	err = t.o.Spool.Each(func(r spool.Record) error {
		ids = append(ids, r.ID)
		if report, err := t.o.Codec.DecodeReport(r.Payload); err == nil {
			dropped = append(dropped, report.Dropped...)
		}
		return nil
	})
	return ids, dropped, err
}

// fits reports whether what the collector holds is what the spooled reports build on:
// sections that no spooled report carries must be those of the last inventory, and the
// software must be at some point of the chain of spooled reports (acknowledgements may
// have been lost; what it has already, it will acknowledge again). A state that was
// sent whole for this reason once is not sent again: then the two sides disagree on
// digests, and repeating would not end it.
func (t *Tracker) fits(held map[inventory.Section]inventory.Digest) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || t.collapsed == inventory.CombineDigests(t.digests) {
		return true, nil
	}
	carried := make(map[inventory.Section]bool)
	var chain []inventory.Digest // the software before the first report, then after each
	whole := false
	err := t.o.Spool.Each(func(rec spool.Record) error {
		r, err := t.o.Codec.DecodeReport(rec.Payload)
		if err != nil {
			return nil
		}
		for _, u := range r.Sections {
			carried[u.Section] = true
			if u.Section != inventory.SectionSoftware {
				continue
			}
			if len(chain) == 0 {
				whole = u.Body == wire.BodySoftware
				chain = append(chain, u.Base)
			}
			chain = append(chain, u.Result)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, section := range inventory.Sections() {
		have, ok := held[section]
		switch {
		case section == inventory.SectionSoftware && carried[section]:
			if !whole && !contains(chain, have) {
				return false, nil
			}
		case !carried[section] && (!ok || have != t.digests[section]):
			return false, nil
		}
	}
	return true, nil
}

func contains(list []inventory.Digest, d inventory.Digest) bool {
	for _, x := range list {
		if x == d {
			return true
		}
	}
	return false
}
