package inventory

import (
	"slices"
	"time"
)

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
	case firmwareSource:
		carryFirmware(prev, next)
	case SectionMachine:
		next.Machine = prev.Machine
	case SectionHardware:
		next.Hardware = prev.Hardware
	case SectionSystem:
		next.System = prev.System
	default:
		carryEntries(prev, next, s.Source)
	}
}

// firmwareSource is the source that tells whether the firmware's table could be read;
// what is in the table stands in the sections machine and hardware.
const firmwareSource = "smbios"

// carryFirmware fills what next misses of the firmware's table with what prev had, so
// that a table that cannot be read once is not another machine.
func carryFirmware(prev, next *Snapshot) {
	fill := func(to *string, from string) {
		if *to == "" {
			*to = from
		}
	}
	fill(&next.Machine.Serial, prev.Machine.Serial)
	fill(&next.Machine.UUID, prev.Machine.UUID)
	was, h := &prev.Hardware, &next.Hardware
	fill(&h.Vendor, was.Vendor)
	fill(&h.Model, was.Model)
	fill(&h.Version, was.Version)
	fill(&h.SKU, was.SKU)
	fill(&h.Chassis, was.Chassis)
	fill(&h.AssetTag, was.AssetTag)
	if h.BIOS == (BIOS{}) {
		h.BIOS = was.BIOS
	}
	if h.Board == (Board{}) {
		h.Board = was.Board
	}
	if len(h.Memory.Modules) == 0 {
		h.Memory = was.Memory
	}
	if len(h.CPUs) == len(was.CPUs) {
		for i := range h.CPUs {
			fill(&h.CPUs[i].Socket, was.CPUs[i].Socket)
			h.CPUs[i].MaxMHz = max(h.CPUs[i].MaxMHz, was.CPUs[i].MaxMHz)
		}
	}
}

// carryEntries replaces what source gave in next (part of a result, at most) by what
// it gave in prev.
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
	next.Antivirus = slices.DeleteFunc(slices.Clone(next.Antivirus), func(a Antivirus) bool { return a.From() == source })
	for _, a := range prev.Antivirus {
		if a.From() == source {
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
