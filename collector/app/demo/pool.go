package demo

import (
	"time"

	"vigia/internal/inventory"
)

// progID is a program of the pool. A machine keeps numbers, so that ten thousand
// machines fit into memory.
type progID int32

// pool holds each distinct program once.
type pool struct {
	list  []inventory.Program
	keys  []inventory.Key
	index map[inventory.Key]progID
}

func newPool() *pool { return &pool{index: map[inventory.Key]progID{}} }

// id returns the number of a program, which is put in normal form first.
func (p *pool) id(program inventory.Program) progID {
	list, _ := inventory.NormalizePrograms([]inventory.Program{program})
	k := list[0].Key()
	if n, ok := p.index[k]; ok {
		return n
	}
	n := progID(len(p.list))
	p.list, p.keys, p.index[k] = append(p.list, list[0]), append(p.keys, k), n
	return n
}

// install is a program on a machine. at is in Unix seconds, 0 for not told.
type install struct {
	prog progID
	at   uint32
}

func (p *pool) hash(i install) inventory.Digest {
	return inventory.EntryHash(p.keys[i.prog], unix(i.at))
}

// program returns i as a report tells it.
func (p *pool) program(i install) inventory.Program {
	out := p.list[i.prog]
	out.InstalledAt = unix(i.at)
	return out
}

func unix(at uint32) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(int64(at), 0).UTC()
}

// track is a program through its versions, with when each came out.
type track struct {
	progs []progID
	since []time.Time // the first came out before the year began
}

// newTrack spreads versions over the year that begins at from; salt moves them.
func newTrack(from time.Time, progs []progID, salt int) *track {
	t := &track{progs: progs, since: make([]time.Time, len(progs))}
	step := year / time.Duration(len(progs))
	for i := 1; i < len(progs); i++ {
		t.since[i] = from.Add(time.Duration(i)*step - time.Duration(salt%int(step/time.Hour))*time.Hour/2)
	}
	return t
}

// at returns which version is the newest at a time.
func (t *track) at(now time.Time) int {
	n := 0
	for n+1 < len(t.since) && !now.Before(t.since[n+1]) {
		n++
	}
	return n
}

// delta gathers what one report tells of a machine's programs.
type delta struct {
	base    inventory.Digest
	removed map[inventory.Key]struct{}
	set     []install
}

func (d *delta) empty() bool { return len(d.removed) == 0 && len(d.set) == 0 }
