package inventory

import (
	"reflect"
	"testing"
)

func TestCarryOfAFirmwareTableThatFailed(t *testing.T) {
	prev := &Snapshot{
		Machine: Machine{Hostname: "pc-017", Serial: "PF3ABCDE", UUID: "99aabbcc-eedd-ff00-1122-334455667788"},
		Hardware: Hardware{Vendor: "LENOVO", Model: "20XW", BIOS: BIOS{Version: "1.51"},
			CPUs:   []CPU{{Model: "i7", Socket: "U3E1", MaxMHz: 4700}},
			Memory: Memory{TotalBytes: 16 << 30, Slots: 2, Modules: []MemoryModule{{Locator: "A0", Bytes: 16 << 30}}}},
		Sources: []Source{{Source: "hardware", Outcome: OutcomeOK}, {Source: "smbios", Outcome: OutcomeOK, Entries: 60}},
	}
	next := &Snapshot{
		Machine: Machine{Hostname: "pc-017-renamed"},
		Hardware: Hardware{CPUs: []CPU{{Model: "i7"}}, Memory: Memory{TotalBytes: 15 << 30},
			GPUs: []GPU{{Model: "new"}}},
		Sources: []Source{{Source: "hardware", Outcome: OutcomeOK}, {Source: "smbios", Outcome: OutcomeFailed, Error: "cut short"}},
	}
	Carry(prev, next)
	want := prev.Hardware
	want.GPUs = []GPU{{Model: "new"}}
	if !reflect.DeepEqual(next.Hardware, want) {
		t.Errorf("hardware: %+v, want %+v", next.Hardware, want)
	}
	if next.Machine.Serial != "PF3ABCDE" || next.Machine.UUID == "" || next.Machine.Hostname != "pc-017-renamed" {
		t.Errorf("machine: %+v", next.Machine)
	}
	if s := next.Sources[1]; s.Outcome != OutcomeStale || s.Entries != 60 || s.Error == "" {
		t.Errorf("source: %+v", s)
	}
}

func TestCarryOfTheMachineSection(t *testing.T) {
	prev := &Snapshot{Machine: Machine{Hostname: "pc-017"}, Sources: []Source{{Source: "machine", Outcome: OutcomeOK}}}
	next := &Snapshot{Sources: []Source{{Source: "machine", Outcome: OutcomeFailed}}}
	if Carry(prev, next); next.Machine.Hostname != "pc-017" {
		t.Errorf("machine: %+v", next.Machine)
	}
}
