package fleetsim

import (
	"fmt"
	"slices"
	"time"

	"vigia/internal/inventory"
)

// inventoryEvery is how far apart the inventories of one machine are.
const inventoryEvery = 4 * time.Hour

// Change returns the inventory that follows s four hours later, with n programs changed
// (at most as many as there are): most updated, as other machines are at that time, now
// and then one that went or one that came. s stays as it is.
func (g *Generator) Change(s *inventory.Snapshot, n int) *inventory.Snapshot {
	next := *s
	next.TakenAt = s.TakenAt.Add(inventoryEvery)
	next.Software = slices.Clone(s.Software)
	round := uint64(next.TakenAt.Unix())
	own := g.random("change "+s.Machine.Serial, round)
	shared := g.random("updates", round)
	updates := make([]uint64, 24) // what the distribution has to offer in these hours
	for i := range updates {
		updates[i] = shared.Uint64()
	}
	touched := make(map[int]bool, n)
	var gone []int
	for range min(n, len(next.Software)) {
		at := int(updates[own.IntN(len(updates))] % uint64(len(next.Software)))
		for touched[at] {
			at = (at + 1) % len(next.Software)
		}
		touched[at] = true
		p := &next.Software[at]
		switch kind := own.IntN(20); {
		case kind == 0 && !p.Base:
			gone = append(gone, at)
		case kind == 1:
			next.Software = append(next.Software, g.newcomer(&next, own.Uint32()))
		default:
			p.Version = nextVersion(p.Version)
			p.InstalledAt = next.TakenAt.Add(-time.Duration(1+own.IntN(14_000)) * time.Second)
		}
	}
	slices.Sort(gone)
	for _, at := range slices.Backward(gone) {
		next.Software = slices.Delete(next.Software, at, at+1)
	}
	next.Software, _ = inventory.NormalizePrograms(next.Software) // nothing here needs a remark
	next.Sources = recount(s.Sources, next.Software)
	return &next
}

// recount returns sources with the numbers of list.
func recount(sources []inventory.Source, list []inventory.Program) []inventory.Source {
	counts := make(map[string]int)
	for i := range list {
		counts[list[i].Source]++
	}
	sources = slices.Clone(sources)
	for i := range sources {
		if n, ok := counts[sources[i].Source]; ok {
			sources[i].Entries = n
		}
	}
	return sources
}

// newcomer is a package of the tail where s does not have it, else one nobody knows.
func (g *Generator) newcomer(s *inventory.Snapshot, draw uint32) inventory.Program {
	tail := g.stock[groupTail]
	t := tail[int(draw)%len(tail)]
	p := inventory.Program{Name: t.name, Version: t.version, Publisher: t.publisher, Origin: "Debian", Source: "deb",
		Scope: inventory.ScopeMachine, Arch: t.arch, InstalledAt: s.TakenAt.Add(-time.Minute), Requested: true}
	if slices.ContainsFunc(s.Software, func(q inventory.Program) bool { return q.Name == p.Name }) {
		p.Name, p.Publisher, p.Origin = fmt.Sprintf("local-%08x", draw), "", ""
	}
	return p
}
