// Package audit owns the chain of changes: who did what to which object, when, what
// it was before and after, each entry bound to the one before by a hash. It refuses
// to forget: there is no way to change or remove an entry.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"
)

// Entry is one change.
type Entry struct {
	Seq    int64           // 1, 2, 3 … without gaps; set by the store
	At     time.Time       // UTC, microseconds
	Actor  string          // actor.Actor.String()
	Action string          // "token.create", "allowlist.import", "machine.revoke" …
	Object string          // "token/7", "rule/tools of the IT department" …
	Before json.RawMessage // JSON of what it was; null where it did not exist
	After  json.RawMessage // JSON of what it is; null where it is gone
	Prev   [32]byte        // Hash of the entry before; zero for the first
	Hash   [32]byte
}

// Log is where changes are written down, in the transaction that ctx carries.
// Append sets Seq, Prev and Hash. Errors: Internal only.
type Log interface {
	Append(ctx context.Context, e Entry) error
}

// Sum returns the hash that e must carry: SHA-256 over the previous hash, the number,
// the time in microseconds and the length-prefixed texts.
func (e *Entry) Sum() [32]byte {
	buf := make([]byte, 0, 512)
	buf = append(buf, e.Prev[:]...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(e.Seq))
	buf = binary.BigEndian.AppendUint64(buf, uint64(e.At.UnixMicro()))
	for _, s := range []string{e.Actor, e.Action, e.Object, string(e.Before), string(e.After)} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	return sha256.Sum256(buf)
}

// Broken tells where a chain does not hold.
type Broken struct {
	Seq     int64
	Problem string // "gap", "link", "content"
}

func (b *Broken) Error() string {
	return fmt.Sprintf("audit chain broken at entry %d: %s", b.Seq, b.Problem)
}

// Verifier checks entries one by one, in order.
type Verifier struct {
	last Entry
}

// Next returns a *Broken when e does not follow from the entries given before.
func (v *Verifier) Next(e Entry) error {
	prev := v.last
	v.last = e
	switch {
	case e.Seq != prev.Seq+1:
		return &Broken{Seq: e.Seq, Problem: "gap"}
	case e.Prev != prev.Hash:
		return &Broken{Seq: e.Seq, Problem: "link"}
	case e.Sum() != e.Hash:
		return &Broken{Seq: e.Seq, Problem: "content"}
	}
	return nil
}

// JSON marshals v for Before and After. It panics on values JSON cannot hold, which
// the callers' plain structs rule out.
func JSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("audit: marshalling %T: %v", v, err))
	}
	return b
}
