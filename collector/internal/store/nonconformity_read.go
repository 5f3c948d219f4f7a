package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/paging"
)

const nonconformityColumns = `SELECT n.id, n.number, n.state, m.uuid, n.hostname, n.person, n.person_name, n.area, n.site,
	n.opened_at, n.contained_at, n.recurrences, n.severity, n.round, n.round_at, n.notified_at, n.cause_at, n.planned_at,
	n.implemented_at, n.verified_at, n.ended_at, n.plan_by, n.until_at, n.awaited, n.due_at, n.next_at, n.anchored`

const nonconformityFrom = " FROM nonconformity n JOIN machine m ON m.id = n.machine_id"

func scanNonconformity(r *sql.Rows, n *nonconformity.Nonconformity) error {
	return scanNonconformityAnd(r, n)
}

// scanNonconformityAnd scans what stands after a record's columns into more.
func scanNonconformityAnd(r *sql.Rows, n *nonconformity.Nonconformity, more ...any) error {
	moments := []*time.Time{&n.OpenedAt, &n.ContainedAt, &n.RoundAt, &n.NotifiedAt, &n.CauseAt, &n.PlannedAt, &n.ImplementedAt, &n.VerifiedAt,
		&n.EndedAt, &n.PlanBy, &n.Until, &n.DueAt, &n.NextAt}
	at := make([]int64, len(moments))
	err := r.Scan(append([]any{&n.Row, &n.Number, &n.State, &n.Machine, &n.Hostname, &n.Person, &n.PersonName, &n.Area, &n.Site,
		&at[0], &at[1], &n.Recurrences, &n.Severity, &n.Round, &at[2], &at[3], &at[4], &at[5], &at[6], &at[7], &at[8], &at[9], &at[10], &n.Awaited,
		&at[11], &at[12], &n.Anchored}, more...)...)
	for i := range moments {
		*moments[i] = fromMicros(at[i])
	}
	return err
}

// ByNumber implements nonconformity.Store: the whole record.
func (n *Nonconformities) ByNumber(ctx context.Context, number string) (nonconformity.Nonconformity, error) {
	number = strings.ToUpper(strings.TrimSpace(number))
	found, err := rows(ctx, n.store.on(ctx), nonconformityColumns+nonconformityFrom+" WHERE n.number = $1", []any{number}, scanNonconformity)
	if err == nil && len(found) == 0 {
		err = apperr.New(apperr.NotFound, "nonconformity.unknown", apperr.Args{"number": number})
	}
	if err == nil {
		err = n.fill(ctx, found, true)
	}
	if err != nil {
		return nonconformity.Nonconformity{}, n.store.mapError("reading a nonconformity", err)
	}
	return found[0], nil
}

// nonconformityWhere narrows records n.
func nonconformityWhere(f nonconformity.Filter) where {
	var w where
	if f.After > 0 {
		w.add("n.id < ?", f.After)
	}
	if f.State != "" {
		w.add("n.state = ?", string(f.State))
	}
	if f.Machine != "" {
		w.add("n.machine_id = (SELECT id FROM machine WHERE uuid = ?)", strings.ToLower(f.Machine))
	}
	if f.Person != "" {
		w.add("n.person = ?", strings.ToLower(f.Person))
	}
	if f.Number != "" {
		w.add("n.number = ?", strings.ToUpper(strings.TrimSpace(f.Number)))
	}
	if f.Awaited != "" {
		w.add("n.awaited = ?", f.Awaited)
	}
	if !f.Overdue.IsZero() {
		w.add("n.due_at > 0 AND n.due_at < ?", micros(f.Overdue))
	}
	if !f.From.IsZero() {
		w.add("n.opened_at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		w.add("n.opened_at < ?", micros(f.To))
	}
	if f.Live {
		w.add("n.state NOT IN ('closed', 'withdrawn', 'concession')")
	}
	visibleRecords(&w, f.Visible)
	if f.Area != "" {
		w.add("n.area = ?", f.Area)
	}
	if f.Site != "" {
		w.add("n.site = ?", f.Site)
	}
	if f.Query != "" {
		w.add(`n.search LIKE ? ESCAPE '\'`, like(f.Query))
	}
	return w
}

// List implements nonconformity.Store: newest first, without history.
func (n *Nonconformities) List(ctx context.Context, f nonconformity.Filter) ([]nonconformity.Nonconformity, error) {
	w := nonconformityWhere(f)
	query := nonconformityColumns + nonconformityFrom + w.clause() + " ORDER BY n.id DESC LIMIT " + strconv.Itoa(limit(f.Limit))
	found, err := rows(ctx, n.store.on(ctx), query, w.args, scanNonconformity)
	if err == nil {
		err = n.fill(ctx, found, false)
	}
	return found, n.store.mapError("listing nonconformities", err)
}

// Whole is List with history, steps and notices.
func (n *Nonconformities) Whole(ctx context.Context, f nonconformity.Filter) ([]nonconformity.Nonconformity, error) {
	w := nonconformityWhere(f)
	query := nonconformityColumns + nonconformityFrom + w.clause() + " ORDER BY n.id DESC LIMIT " + strconv.Itoa(limit(f.Limit))
	found, err := rows(ctx, n.store.on(ctx), query, w.args, scanNonconformity)
	if err == nil {
		err = n.fill(ctx, found, true)
	}
	return found, n.store.mapError("reading nonconformities", err)
}

// nonconformitySorting is how the list can stand by the column of that key.
func nonconformitySorting(key string) (sorting, error) {
	by := sorting{key: "n.id", numericKey: true}
	switch key {
	case "", "number":
		by.expr, by.number = "n.id", true
	case "state":
		by.expr = "n.state"
	case "person":
		by.expr = "lower(coalesce(nullif(n.person_name, ''), n.person))"
	case "machine":
		by.expr = "lower(n.hostname)"
	case "area":
		by.expr = "lower(n.area)"
	case "site":
		by.expr = "lower(n.site)"
	case "opened":
		by.expr, by.number = "n.opened_at", true
	case "contained":
		by.expr, by.number = "n.contained_at", true
	case "due":
		by.expr, by.number = "(CASE WHEN n.due_at = 0 THEN 253402300800000000 ELSE n.due_at END)", true // what is not due stands last
	case "awaited":
		by.expr = "n.awaited"
	case "severity":
		by.expr = "(CASE n.severity WHEN 'critical' THEN '1' WHEN 'major' THEN '2' ELSE '3' END)"
	case "recurrences":
		by.expr, by.number = "n.recurrences", true
	default:
		return by, paging.Unknown(key)
	}
	return by, nil
}

// Page returns one page of the records that f lets through, without history, sorted by
// "number" (the default, newest first), "state", "person", "machine", "area", "site",
// "opened", "contained", "due", "awaited", "severity" or "recurrences". After and Limit of f do not count.
func (n *Nonconformities) Page(ctx context.Context, f nonconformity.Filter, o paging.Order) (paging.Page[nonconformity.Nonconformity], error) {
	by, err := nonconformitySorting(o.By)
	if err != nil {
		return paging.Page[nonconformity.Nonconformity]{}, err
	}
	o.Desc = o.Desc || o.By == ""
	f.After = 0
	page, err := readPage(ctx, n.store.on(ctx), nonconformityColumns, nonconformityFrom, nonconformityWhere(f), by, o, scanNonconformityAnd)
	if err == nil {
		err = n.fill(ctx, page.Rows, false)
	}
	return page, n.store.mapError("listing nonconformities", err)
}

// Count counts the records that f lets through, at most most of them.
func (n *Nonconformities) Count(ctx context.Context, f nonconformity.Filter, most int) (int, error) {
	f.After = 0
	count, err := countRows(ctx, n.store.on(ctx), nonconformityFrom, nonconformityWhere(f), most)
	return count, n.store.mapError("counting nonconformities", err)
}

// fill reads the parts of records, at most 1,000 of them, in one query per kind.
func (n *Nonconformities) fill(ctx context.Context, records []nonconformity.Nonconformity, history bool) error {
	if len(records) == 0 {
		return nil
	}
	of := make(map[int64]*nonconformity.Nonconformity, len(records))
	var w where
	marks := make([]string, len(records))
	for i := range records {
		of[records[i].Row] = &records[i]
		marks[i] = w.number("?", records[i].Row)
	}
	rest := " WHERE nonconformity_id IN (" + strings.Join(marks, ", ") + ") ORDER BY nonconformity_id, position"
	q := n.store.on(ctx)
	err := each(ctx, q, "SELECT nonconformity_id, part, email, name FROM nonconformity_party"+rest, w.args, func(r *sql.Rows) error {
		var id int64
		var p nonconformity.Party
		err := r.Scan(&id, &p.Part, &p.Email, &p.Name)
		if err == nil {
			of[id].Parties = append(of[id].Parties, p)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = each(ctx, q, "SELECT nonconformity_id, finding, name, version, source, state, gone_at FROM nonconformity_program"+rest, w.args, func(r *sql.Rows) error {
		var id, gone int64
		var p nonconformity.Program
		err := r.Scan(&id, &p.Finding, &p.Name, &p.Version, &p.Source, &p.State, &gone)
		if err == nil {
			p.GoneAt = fromMicros(gone)
			of[id].Programs = append(of[id].Programs, p)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = each(ctx, q, "SELECT nonconformity_id, kind, finding, report, at, program, source, path, sha256 FROM nonconformity_evidence"+rest, w.args, func(r *sql.Rows) error {
		var id, at int64
		var e nonconformity.Evidence
		err := r.Scan(&id, &e.Kind, &e.Finding, &e.Report, &at, &e.Program, &e.Source, &e.Path, &e.SHA256)
		if err == nil {
			e.At = fromMicros(at)
			of[id].Evidence = append(of[id].Evidence, e)
		}
		return err
	})
	if err != nil || !history {
		return err
	}
	if err := fillLife(ctx, q, rest, w.args, of); err != nil {
		return err
	}
	return each(ctx, q, "SELECT nonconformity_id, at, actor, kind, detail FROM nonconformity_event"+rest, w.args, func(r *sql.Rows) error {
		var id, at int64
		var e nonconformity.Event
		err := r.Scan(&id, &at, &e.Actor, &e.Kind, &e.Detail)
		if err == nil {
			e.At = fromMicros(at)
			of[id].History = append(of[id].History, e)
		}
		return err
	})
}

// each runs a query and calls fn for every row.
func each(ctx context.Context, q querier, query string, args []any, fn func(*sql.Rows) error) error {
	_, err := rows(ctx, q, query, args, func(r *sql.Rows, _ *struct{}) error { return fn(r) })
	return err
}
