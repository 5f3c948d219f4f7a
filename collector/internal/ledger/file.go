package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// Format is what a file of the log begins with.
const Format = "vigia-audit-1"

// MaxExport is how many entries one file holds.
const MaxExport = 200_000

// header is the first line of a file; each line after it is one entry, the last is a
// footer. Lines are JSON, so that a file of any length can be written and read in pieces.
type header struct {
	Format     string    `json:"format"`
	ExportedAt time.Time `json:"exported_at"`
	ExportedBy string    `json:"exported_by"`
	From       int64     `json:"from"`
	To         int64     `json:"to"`
	About      string    `json:"about"`
}

// line is one entry. before and after are kept as the texts that the hash was made over.
type line struct {
	Seq    int64  `json:"seq"`
	At     int64  `json:"at_unix_us"`
	Actor  string `json:"actor"`
	Action string `json:"action"`
	Object string `json:"object"`
	Before string `json:"before"`
	After  string `json:"after"`
	Prev   string `json:"prev"`
	Hash   string `json:"hash"`
}

// footer ends a file.
type footer struct {
	Entries  int64  `json:"entries"`
	HeadSeq  int64  `json:"head_seq"` // the newest entry of the log when the file was made
	HeadHash string `json:"head_hash"`
}

const about = "Each hash is SHA-256 over: prev (32 bytes), seq and at_unix_us (8 bytes each, big endian), then actor, action, object, before and after, " +
	"each with its length before it (unsigned varint). prev is the hash of the entry before. Verify with: vigia-collector audit verify FILE"

// Export writes the entries from number from to number to (0: the newest) as lines of
// JSON. Errors: Invalid "audit.bad-range", TooMany "audit.too-long".
func (s *Service) Export(ctx context.Context, w io.Writer, from, to int64, by string) (int64, error) {
	head, from, to, err := s.rangeOf(ctx, from, to)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(header{Format: Format, ExportedAt: s.Now().UTC(), ExportedBy: by, From: from, To: to, About: about}); err != nil {
		return 0, err
	}
	n := int64(0)
	for at := from; at <= to; {
		page, err := s.Store.AuditEntries(ctx, at, int(min(step, to-at+1)))
		if err != nil {
			return n, err
		}
		if len(page) == 0 {
			return n, apperr.Wrap(&audit.Broken{Seq: at, Problem: "gap"}, apperr.Internal, "audit.broken", apperr.Args{"seq": at})
		}
		for _, e := range page {
			if err := enc.Encode(line{e.Seq, e.At.UnixMicro(), e.Actor, e.Action, e.Object, string(e.Before), string(e.After), hex.EncodeToString(e.Prev[:]), hex.EncodeToString(e.Hash[:])}); err != nil {
				return n, err
			}
			n++
		}
		at = page[len(page)-1].Seq + 1
	}
	if err := enc.Encode(footer{Entries: n, HeadSeq: head.Seq, HeadHash: hex.EncodeToString(head.Hash[:])}); err != nil {
		return n, err
	}
	return n, out.Flush()
}

// CheckRange is what Export would refuse.
func (s *Service) CheckRange(ctx context.Context, from, to int64) error {
	_, _, _, err := s.rangeOf(ctx, from, to)
	return err
}

func (s *Service) rangeOf(ctx context.Context, from, to int64) (audit.Entry, int64, int64, error) {
	if _, err := access.Need(ctx, access.SeeAudit); err != nil {
		return audit.Entry{}, 0, 0, err
	}
	head, err := s.Store.AuditHead(ctx)
	if err != nil {
		return head, 0, 0, err
	}
	from = max(from, 1)
	if to == 0 {
		to = head.Seq
	}
	switch {
	case to > head.Seq || from > to:
		return head, 0, 0, apperr.New(apperr.Invalid, "audit.bad-range", apperr.Args{"field": "from", "value": fmt.Sprint(from, "–", to), "last": head.Seq})
	case to-from >= MaxExport:
		return head, 0, 0, apperr.New(apperr.TooMany, "audit.too-long", apperr.Args{"most": MaxExport})
	}
	return head, from, to, nil
}

// FileProof is what a file shows by itself.
type FileProof struct {
	From, To int64
	Entries  int64
	Prev     [32]byte // hash of the entry before the first
	Last     [32]byte // hash of the last entry
	Head     audit.Entry
	By       string
	At       time.Time
}

// VerifyFile reads what Export wrote and checks every hash and link in it. Errors: a
// *audit.Broken, or Invalid "audit.bad-file" with the line.
func VerifyFile(r io.Reader) (FileProof, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), 64<<20)
	bad := func(n int64, problem string) error {
		return apperr.New(apperr.Invalid, "audit.bad-file", apperr.Args{"field": "file", "line": n, "problem": problem})
	}
	var h header
	if !in.Scan() || strict(in.Bytes(), &h) != nil || h.Format != Format {
		return FileProof{}, bad(1, "the first line is not that of an exported audit log ("+Format+")")
	}
	p := FileProof{From: h.From, To: h.To, By: h.ExportedBy, At: h.ExportedAt}
	prev := audit.Entry{Seq: h.From - 1}
	for n := int64(2); in.Scan(); n++ {
		var f footer
		if strict(in.Bytes(), &f) == nil && f.HeadHash != "" {
			p.Last = prev.Hash
			p.Head.Seq = f.HeadSeq
			if !unhex(f.HeadHash, &p.Head.Hash) || f.Entries != p.Entries || prev.Seq != h.To || in.Scan() {
				return p, bad(n, "the last line does not fit the entries before it")
			}
			return p, in.Err()
		}
		var l line
		if err := strict(in.Bytes(), &l); err != nil {
			return p, bad(n, err.Error())
		}
		e := audit.Entry{Seq: l.Seq, At: time.UnixMicro(l.At).UTC(), Actor: l.Actor, Action: l.Action, Object: l.Object, Before: json.RawMessage(l.Before), After: json.RawMessage(l.After)}
		if !unhex(l.Prev, &e.Prev) || !unhex(l.Hash, &e.Hash) {
			return p, bad(n, "a hash is not 64 hexadecimal digits")
		}
		if p.Entries == 0 {
			p.Prev, prev.Hash = e.Prev, e.Prev
		}
		switch {
		case e.Seq != prev.Seq+1:
			return p, &audit.Broken{Seq: e.Seq, Problem: "gap"}
		case e.Prev != prev.Hash:
			return p, &audit.Broken{Seq: e.Seq, Problem: "link"}
		case e.Sum() != e.Hash:
			return p, &audit.Broken{Seq: e.Seq, Problem: "content"}
		}
		p.Entries++
		prev = e
	}
	if err := in.Err(); err != nil {
		return p, bad(p.Entries+2, err.Error())
	}
	return p, bad(p.Entries+2, "the file ends before its last line")
}

// strict reads a line that has the fields of v and no others.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func unhex(s string, into *[32]byte) bool {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(into) {
		return false
	}
	copy(into[:], b)
	return true
}

func asBroken(err error) *audit.Broken {
	var b *audit.Broken
	if errors.As(err, &b) {
		return b
	}
	return nil
}

// Same reports whether the log holds the file's first and last entries with the hashes
// that the file has, and which entry does not.
func (s *Service) Same(ctx context.Context, p FileProof) error {
	if _, err := access.Need(ctx, access.SeeAudit); err != nil {
		return err
	}
	for _, x := range []struct {
		seq  int64
		hash [32]byte
	}{{p.To, p.Last}, {p.Head.Seq, p.Head.Hash}} {
		e, err := s.Store.AuditEntry(ctx, x.seq)
		if apperr.Is(err, apperr.NotFound) || err == nil && e.Hash != x.hash {
			return &audit.Broken{Seq: x.seq, Problem: "link"}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
