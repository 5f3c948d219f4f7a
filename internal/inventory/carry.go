package inventory

import "time"

// bootJitter is how far the computed boot time may move without a reboot (clock steps).
const bootJitter = 2 * time.Minute

// Carry makes next a true successor of prev: what a failed source told before stays
// and is marked stale, and small jitter of measured values is not a change. Both must
// be normalized; next is normalized again by the caller if anything was carried
// (carried entries are already in normal form but not in order).
func Carry(prev, next *Snapshot) {
	if prev == nil {
		return
	}
	if d := next.System.BootedAt.Sub(prev.System.BootedAt).Abs(); d < bootJitter {
		next.System.BootedAt = prev.System.BootedAt
	}
	steadyVolumes(prev.Hardware.Volumes, next.Hardware.Volumes)
	for i := range next.Sources {
		if s := &next.Sources[i]; s.Outcome == OutcomeFailed {
			carrySource(prev, next, s)
		}
	}
	SortPrograms(next.Software)
}

// carrySource brings back what s told in prev, if it told anything.
func carrySource(prev, next *Snapshot, s *Source) {
	var was *Source
	for i := range prev.Sources {
		if prev.Sources[i].Source == s.Source {
			was = &prev.Sources[i]
		}
	}
	if was == nil || (was.Outcome != OutcomeOK && was.Outcome != OutcomeStale) {
		return
	}
	s.Outcome, s.Entries = OutcomeStale, was.Entries
	switch Section(s.Source) {
	case SectionHardware:
		next.Hardware = prev.Hardware
	case SectionSystem:
		next.System = prev.System
	default:
		carryEntries(prev, next, s.Source)
	}
}

// carryEntries replaces what source gave in next (part of a result, at most) by what
// it gave in prev. Antivirus products are found by the source with the product's name.
func carryEntries(prev, next *Snapshot, source string) {
	kept := next.Software[:0:0]
	for _, p := range next.Software {
		if p.Source != source {
			kept = append(kept, p)
		}
	}
	for _, p := range prev.Software {
		if p.Source == source {
			kept = append(kept, p)
		}
	}
	next.Software = kept
	for _, a := range prev.Antivirus {
		if a.Product == source {
			next.Antivirus = append(next.Antivirus, a)
		}
	}
}

// steadyVolumes keeps the free share of a volume that moved by one step only.
func steadyVolumes(prev, next []Volume) {
	was := make(map[string]int, len(prev))
	for _, v := range prev {
		was[v.Mount] = v.FreePct
	}
	for i := range next {
		if old, ok := was[next[i].Mount]; ok && max(old-next[i].FreePct, next[i].FreePct-old) <= 5 {
			next[i].FreePct = old
		}
	}
}
