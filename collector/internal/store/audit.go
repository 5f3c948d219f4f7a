package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/store/internal/db"
)

var (
	_ audit.Log    = (*Store)(nil)
	_ audit.Reader = (*Store)(nil)
)

// Append implements audit.Log. Whoever appends holds the ledger until the transaction
// ends, so that numbers have no gaps and follow the order of commits on all collectors.
func (s *Store) Append(ctx context.Context, e audit.Entry) error {
	if e.At.IsZero() {
		e.At = s.now()
	}
	e.At = e.At.UTC().Truncate(time.Microsecond)
	e.Actor, e.Action, e.Object = storable(e.Actor), storable(e.Action), storable(e.Object)
	e.Before, e.After = []byte(storable(string(e.Before))), []byte(storable(string(e.After)))
	return s.write(ctx, "writing the audit log", func(ctx context.Context, q *db.Queries) error {
		if err := s.lockLedger(ctx); err != nil {
			return err
		}
		last, err := q.LastAuditEntry(ctx)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		e.Seq, e.Prev = last.Seq+1, [32]byte{}
		copy(e.Prev[:], last.Hash)
		e.Hash = e.Sum()
		return q.InsertAuditEntry(ctx, db.InsertAuditEntryParams{
			Seq: e.Seq, At: e.At.UnixMicro(), Actor: e.Actor, Action: e.Action, Object: e.Object,
			BeforeJson: string(e.Before), AfterJson: string(e.After), Prev: e.Prev[:], Hash: e.Hash[:],
		})
	})
}

// storable is s without what PostgreSQL refuses in a text: NUL and broken UTF-8. The
// log must not fail on a strange name.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

func toEntry(v db.Audit) (audit.Entry, error) {
	e := audit.Entry{Seq: v.Seq, At: time.UnixMicro(v.At).UTC(), Actor: v.Actor, Action: v.Action, Object: v.Object}
	if v.BeforeJson != "" {
		e.Before = json.RawMessage(v.BeforeJson)
	}
	if v.AfterJson != "" {
		e.After = json.RawMessage(v.AfterJson)
	}
	if copy(e.Prev[:], v.Prev) != 32 || copy(e.Hash[:], v.Hash) != 32 || len(v.Prev)+len(v.Hash) != 64 {
		return e, &audit.Broken{Seq: v.Seq, Problem: "content"}
	}
	return e, nil
}

// AuditEntries implements audit.Reader.
func (s *Store) AuditEntries(ctx context.Context, from int64, max int) (out []audit.Entry, err error) {
	err = s.read(ctx, "reading the audit log", func(q *db.Queries) error {
		found, err := q.AuditEntries(ctx, db.AuditEntriesParams{First: from, MaxRows: int64(limit(max))})
		for _, v := range found {
			e, err := toEntry(v)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return err
	})
	return out, err
}

// AuditList implements audit.Reader.
func (s *Store) AuditList(ctx context.Context, f audit.Filter) ([]audit.Entry, error) {
	w := auditWhere(f)
	if f.Before > 0 {
		w.add("seq < ?", f.Before)
	}
	query := auditColumns + " FROM audit" + w.clause() + " ORDER BY seq DESC LIMIT " + strconv.Itoa(limit(f.Limit))
	found, err := rows(ctx, s.on(ctx), query, w.args, func(r *sql.Rows, e *audit.Entry) error { return scanEntry(r, e) })
	return found, s.mapError("listing the audit log", err)
}

// VerifyAudit implements audit.Reader. It holds 1,000 entries in memory at a time.
func (s *Store) VerifyAudit(ctx context.Context) (entries int64, err error) {
	var v audit.Verifier
	for {
		page, err := s.AuditEntries(ctx, entries+1, 1000)
		if err != nil {
			return entries, fmt.Errorf("verifying the audit log: %w", err)
		}
		for _, e := range page {
			if err := v.Next(e); err != nil {
				return entries, err
			}
			entries++
		}
		if len(page) == 0 {
			return entries, nil
		}
	}
}
