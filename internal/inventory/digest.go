package inventory

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/bits"
	"time"
)

// Digest identifies the content of one section. Equal digests mean equal content.
type Digest [32]byte

// String returns lower-case hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether d was never computed. The digest of an empty list of
// programs is zero as well: nothing and "never told" need no different answer,
// since a section that was never told has no row.
func (d Digest) IsZero() bool { return d == Digest{} }

// DigestFromBytes copies b, which must be 32 bytes long or empty (the zero digest).
func DigestFromBytes(b []byte) (Digest, error) {
	var d Digest
	if len(b) != 0 && len(b) != len(d) {
		return d, fmt.Errorf("digest: %d bytes, want %d", len(b), len(d))
	}
	copy(d[:], b)
	return d, nil
}

// Key identifies a Program by everything but the time of its installation, so that
// machines with the same program share one key: the first 16 bytes of a SHA-256
// over the length-prefixed fields.
type Key [16]byte

// String returns lower-case hex.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Key returns the identity of p. p must be normalized.
func (p *Program) Key() Key {
	buf := make([]byte, 0, 256)
	for _, s := range [...]string{p.Name, p.Version, p.Publisher, p.Origin, p.Source, p.Scope, p.User, p.Path, p.Arch, p.SHA256, p.Signer} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	var flags byte
	for i, f := range [...]bool{p.Requested, p.Base, p.Hidden} {
		if f {
			flags |= 1 << i
		}
	}
	sum := sha256.Sum256(append(buf, flags))
	return Key(sum[:16])
}

// EntryHash is what one program adds to the digest of the software section.
// installedAt counts to the second; zero is "not told".
func EntryHash(k Key, installedAt time.Time) Digest {
	var buf [24]byte
	copy(buf[:], k[:])
	if !installedAt.IsZero() {
		binary.LittleEndian.PutUint64(buf[16:], uint64(installedAt.Unix()))
	}
	return sha256.Sum256(buf[:])
}

// Add returns the digest of the section after an entry with hash h came. The digest
// of a list is the sum of its entries modulo 2^256 (an additive multiset hash), so
// that order does not matter and a change costs what changed, not the whole list.
func (d Digest) Add(h Digest) Digest { return d.combine(h, bits.Add64) }

// Sub undoes Add.
func (d Digest) Sub(h Digest) Digest { return d.combine(h, bits.Sub64) }

func (d Digest) combine(h Digest, op func(x, y, carry uint64) (uint64, uint64)) Digest {
	var carry uint64
	for i := 0; i < len(d); i += 8 {
		var v uint64
		v, carry = op(binary.LittleEndian.Uint64(d[i:]), binary.LittleEndian.Uint64(h[i:]), carry)
		binary.LittleEndian.PutUint64(d[i:], v)
	}
	return d
}

// DigestSoftware returns the digest of a normalized list of programs.
func DigestSoftware(list []Program) Digest {
	var d Digest
	for i := range list {
		d = d.Add(EntryHash(list[i].Key(), list[i].InstalledAt))
	}
	return d
}

// Digests returns the digest of every section of a normalized snapshot. How long a
// source took is not part of it.
func (s *Snapshot) Digests() map[Section]Digest {
	sources := make([]Source, len(s.Sources))
	copy(sources, s.Sources)
	for i := range sources {
		sources[i].DurationMS = 0
	}
	return map[Section]Digest{
		SectionMachine:   digestJSON(s.Machine),
		SectionHardware:  digestJSON(s.Hardware),
		SectionSystem:    digestJSON(s.System),
		SectionSoftware:  DigestSoftware(s.Software),
		SectionAntivirus: digestJSON(s.Antivirus),
		SectionSources:   digestJSON(sources),
	}
}

// digestJSON panics on a value that JSON cannot hold, which the types of this
// package rule out (no NaN, no map, no channel; times are normalized).
func digestJSON(v any) Digest {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("digesting %T: %v", v, err))
	}
	return sha256.Sum256(b)
}

// CombineDigests folds the digests of all sections into one, in document order, so
// that "nothing changed" fits in one field. A missing section counts as zero.
func CombineDigests(m map[Section]Digest) Digest {
	h := sha256.New()
	for _, s := range Sections() {
		d := m[s]
		h.Write(d[:])
	}
	return Digest(h.Sum(nil))
}
