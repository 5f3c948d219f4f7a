package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/ledger"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store/internal/db"
)

var _ ledger.Store = (*Store)(nil)

const auditColumns = "SELECT seq, at, actor, action, object, before_json, after_json, prev, hash"

func scanEntry(r *sql.Rows, e *audit.Entry, more ...any) error {
	var v db.Audit
	err := r.Scan(append([]any{&v.Seq, &v.At, &v.Actor, &v.Action, &v.Object, &v.BeforeJson, &v.AfterJson, &v.Prev, &v.Hash}, more...)...)
	if err == nil {
		*e, err = toEntry(v)
	}
	return err
}

// auditWhere is what f asks, but for Before and Limit.
func auditWhere(f audit.Filter) (w where) {
	if f.Actor != "" {
		w.add("actor = ?", f.Actor)
	}
	if f.Action != "" {
		w.add("(action = ? OR action >= ? AND action < ?)", f.Action, f.Action+".", f.Action+"/") // "/" follows "." in ASCII
	}
	if below, ok := strings.CutSuffix(f.Object, "/"); ok {
		w.add("object >= ? AND object < ?", f.Object, below+"0") // "0" follows "/" in ASCII
	} else if f.Object != "" {
		w.add("object = ?", f.Object)
	}
	if f.Query != "" {
		w.add(`fold(actor || ' ' || action || ' ' || object) LIKE ? ESCAPE '\'`, like(f.Query))
	}
	if !f.Since.IsZero() {
		w.add("at >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		w.add("at < ?", micros(f.Until))
	}
	return w
}

// AuditPage implements ledger.Store. Columns to sort by: "seq".
func (s *Store) AuditPage(ctx context.Context, f audit.Filter, o paging.Order) (paging.Page[audit.Entry], error) {
	if o.By != "" && o.By != "seq" {
		return paging.Page[audit.Entry]{}, paging.Unknown(o.By)
	}
	o.Desc = o.Desc || o.By == ""
	by := sorting{expr: "seq", key: "seq", number: true, numericKey: true}
	page, err := readPage(ctx, s.on(ctx), auditColumns, " FROM audit", auditWhere(f), by, o, scanEntry)
	return page, s.mapError("listing the audit log", err)
}

// CountAudit implements ledger.Store.
func (s *Store) CountAudit(ctx context.Context, f audit.Filter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), " FROM audit", auditWhere(f), most)
	return n, s.mapError("counting the audit log", err)
}

// AuditEntry implements ledger.Store.
func (s *Store) AuditEntry(ctx context.Context, seq int64) (audit.Entry, error) {
	found, err := s.AuditEntries(ctx, seq, 1)
	if err == nil && (len(found) == 0 || found[0].Seq != seq) {
		return audit.Entry{}, apperr.New(apperr.NotFound, "audit.unknown", apperr.Args{"seq": seq})
	}
	if err != nil {
		return audit.Entry{}, err
	}
	return found[0], nil
}

// AuditHead implements ledger.Store.
func (s *Store) AuditHead(ctx context.Context) (audit.Entry, error) {
	found, err := s.AuditList(ctx, audit.Filter{Limit: 1})
	if err != nil || len(found) == 0 {
		return audit.Entry{}, err
	}
	return found[0], nil
}

// AuditActions implements ledger.Store: it goes from one kind to the next by the index.
func (s *Store) AuditActions(ctx context.Context) (list []string, err error) {
	for last := ""; len(list) < 500; {
		var next string
		err := s.on(ctx).QueryRowContext(ctx, "SELECT coalesce(min(action), '') FROM audit WHERE action > $1", last).Scan(&next)
		if err != nil || next == "" {
			return list, s.mapError("listing kinds of entries", err)
		}
		list, last = append(list, next), next
	}
	return list, nil
}

// SaveProof implements ledger.Store.
func (s *Store) SaveProof(ctx context.Context, p ledger.Proof) error {
	return s.write(ctx, "keeping a proof", func(ctx context.Context, q *db.Queries) error {
		return q.InsertAuditProof(ctx, db.InsertAuditProofParams{StartedAt: micros(p.StartedAt), EndedAt: micros(p.EndedAt), StartedBy: p.StartedBy, Entries: p.Entries, OfEntries: p.Of,
			Head: p.Head[:], BrokenAt: p.BrokenAt, Problem: p.Problem})
	})
}

// Proofs implements ledger.Store.
func (s *Store) Proofs(ctx context.Context, most int) ([]ledger.Proof, error) {
	list, err := rows(ctx, s.on(ctx), "SELECT started_at, ended_at, started_by, entries, of_entries, head, broken_at, problem FROM audit_proof ORDER BY id DESC LIMIT "+strconv.Itoa(limit(most)), nil,
		func(r *sql.Rows, p *ledger.Proof) error {
			var started, ended int64
			var head []byte
			err := r.Scan(&started, &ended, &p.StartedBy, &p.Entries, &p.Of, &head, &p.BrokenAt, &p.Problem)
			p.StartedAt, p.EndedAt = fromMicros(started), fromMicros(ended)
			copy(p.Head[:], head)
			return err
		})
	return list, s.mapError("listing proofs", err)
}
