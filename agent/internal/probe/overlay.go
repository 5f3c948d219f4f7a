package probe

import (
	"slices"

	"vigia/internal/inventory"
)

// Overlay returns whole with what part's sources told in place of what the same
// sources told before: the way from a run of some sources to a whole inventory.
// Neither argument is changed. A source that failed in part leaves its entries out
// here; inventory.Carry(whole, result) brings them back and marks it stale. The result
// is normalized.
func (r *Runner) Overlay(whole, part *inventory.Snapshot) *inventory.Snapshot {
	next := *whole
	next.TakenAt = part.TakenAt
	asked := make(map[string]bool, len(part.Sources))
	for _, s := range part.Sources {
		asked[s.Source] = true
	}
	next.Sources = without(whole.Sources, part.Sources, func(s *inventory.Source) bool { return asked[s.Source] })
	next.Software = without(whole.Software, part.Software, func(p *inventory.Program) bool { return asked[p.Source] })
	next.Antivirus = without(whole.Antivirus, part.Antivirus, func(a *inventory.Antivirus) bool { return asked[a.From()] })
	for i := range r.probes {
		p := &r.probes[i]
		if asked[p.Source] && p.Section == inventory.Section(p.Source) {
			assign(&next, part, p.Section)
		}
	}
	next.Hardware = cloneHardware(next.Hardware)
	next.System.Users = slices.Clone(next.System.Users)
	next.Normalize()
	return &next
}

// without returns a new list: was less what drop names, and then more.
func without[T any](was, more []T, drop func(*T) bool) []T {
	list := make([]T, 0, len(was)+len(more))
	for i := range was {
		if !drop(&was[i]) {
			list = append(list, was[i])
		}
	}
	return append(list, more...)
}

// cloneHardware copies the lists that inventory.Carry and Normalize write to.
func cloneHardware(h inventory.Hardware) inventory.Hardware {
	h.CPUs, h.Memory.Modules = slices.Clone(h.CPUs), slices.Clone(h.Memory.Modules)
	h.Disks, h.Volumes = slices.Clone(h.Disks), slices.Clone(h.Volumes)
	h.Networks, h.GPUs = slices.Clone(h.Networks), slices.Clone(h.GPUs)
	h.Monitors, h.Batteries = slices.Clone(h.Monitors), slices.Clone(h.Batteries)
	return h
}
