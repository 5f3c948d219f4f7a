package regf

import (
	"cmp"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

const (
	pageSize   = 512
	maxLog     = 64 << 20 // bytes of one log
	entryHead  = 40
	marvinSeed = 0x82EF4D887A4E55C5
)

// logEntry is one write that a transaction log (.LOG1, .LOG2 since Windows 8.1) holds.
type logEntry struct {
	seq, data uint32
	pages     map[uint32][]byte
}

// Log is a transaction log and its size.
type Log struct {
	R    io.ReaderAt
	Size int64
}

// Apply brings a dirty hive up to date from its transaction logs, in memory: entries
// that are newer than the file, in the order of their numbers without a gap. Damaged
// entries end a log. It returns how many were applied; the hive stays Dirty when there
// were none.
func (h *Hive) Apply(logs ...Log) (int, error) {
	if !h.dirty {
		return 0, nil
	}
	var entries []logEntry
	for _, l := range logs {
		found, err := readLog(l)
		if err != nil {
			return 0, err
		}
		entries = append(entries, found...)
	}
	slices.SortStableFunc(entries, func(a, b logEntry) int { return cmp.Compare(a.seq, b.seq) })
	applied := 0
	for _, e := range entries {
		if e.seq < h.seq || (applied > 0 && e.seq != h.seq) {
			continue
		}
		if h.pages == nil {
			h.pages = map[uint32][]byte{}
		}
		for at, page := range e.pages {
			h.pages[at] = page
		}
		h.seq, h.data = e.seq+1, e.data
		applied++
	}
	return applied, nil
}

// readLog returns the entries of a log of the new format; one of the old format, which
// Windows 7 writes, has none.
func readLog(l Log) ([]logEntry, error) {
	if l.Size < pageSize+entryHead {
		return nil, nil
	}
	if l.Size > maxLog {
		return nil, fmt.Errorf("a transaction log of %d bytes: at most %d are read", l.Size, maxLog)
	}
	b := make([]byte, l.Size)
	if err := readFull(l.R, b, 0); err != nil {
		return nil, err
	}
	if string(b[:4]) != "regf" || le.Uint32(b[28:]) != 6 {
		return nil, nil
	}
	var entries []logEntry
	for b = b[pageSize:]; len(b) >= entryHead; {
		e, size, ok := parseEntry(b)
		if !ok {
			break
		}
		entries = append(entries, e)
		b = b[size:]
	}
	return entries, nil
}

// parseEntry reads one entry and checks both of its hashes.
func parseEntry(b []byte) (e logEntry, size int, ok bool) {
	n := int64(le.Uint32(b[4:]))
	if string(b[:4]) != "HvLE" || n < entryHead || n > int64(len(b)) || n%pageSize != 0 {
		return e, 0, false
	}
	b = b[:n]
	if le.Uint64(b[32:]) != marvin32(b[:32]) || le.Uint64(b[24:]) != marvin32(b[entryHead:]) {
		return e, 0, false
	}
	e = logEntry{seq: le.Uint32(b[12:]), data: le.Uint32(b[16:]), pages: map[uint32][]byte{}}
	count := int64(le.Uint32(b[20:]))
	at := entryHead + 8*count
	if at > n || e.data > maxHive {
		return e, 0, false
	}
	for i := range count {
		ref := b[entryHead+8*i:]
		page, length := le.Uint32(ref), int64(le.Uint32(ref[4:]))
		if page%pageSize != 0 || length%pageSize != 0 || at+length > n || int64(page)+length > maxHive {
			return e, 0, false
		}
		for off := int64(0); off < length; off += pageSize {
			e.pages[page+uint32(off)] = b[at+off : at+off+pageSize]
		}
		at += length
	}
	return e, int(n), true
}

// marvin32 is the checksum of log entries (Marvin, US patent 20130262421, as in SymCrypt).
func marvin32(b []byte) uint64 {
	seed := uint64(marvinSeed)
	lo, hi := uint32(seed), uint32(seed>>32)
	mix := func(v uint32) {
		lo += v
		hi ^= lo
		lo = bits.RotateLeft32(lo, 20) + hi
		hi = bits.RotateLeft32(hi, 9) ^ lo
		lo = bits.RotateLeft32(lo, 27) + hi
		hi = bits.RotateLeft32(hi, 19)
	}
	for ; len(b) >= 4; b = b[4:] {
		mix(le.Uint32(b))
	}
	last := uint32(0x80)
	for i := len(b) - 1; i >= 0; i-- {
		last = last<<8 | uint32(b[i])
	}
	mix(last)
	mix(0)
	return uint64(hi)<<32 | uint64(lo)
}
