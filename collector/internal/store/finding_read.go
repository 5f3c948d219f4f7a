package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/paging"
	"vigia/internal/wire"
)

var _ authorization.FindingReader = (*Store)(nil)

// findingQuery reads findings as people see them. What is still there was seen when
// its machine was.
const findingQuery = findingReadColumns + findingReadFrom

const findingReadColumns = `SELECT f.id, m.uuid, m.hostname, f.item_id, i.name, i.version, i.publisher, i.origin, i.source, i.scope,
	i.user_name, i.path, i.sha256, f.verdict, f.rule, f.reason, f.state, f.first_seen,
	CASE WHEN f.state = 'gone' THEN f.last_seen ELSE coalesce(ms.last_seen, f.last_seen) END,
	f.found_at, f.gone_at, f.report_id, f.gone_report_id, f.nonconformity, f.recurrences, f.category, f.severity, f.parent_id,
	(SELECT count(*) FROM finding g WHERE g.parent_id = f.id AND g.parent_id > 0),
	coalesce((SELECT t.machines FROM software_version v JOIN software_title s ON s.id = v.title_id JOIN title t ON t.id = s.shown_id WHERE v.id = i.version_id), 0)`

const findingReadFrom = ` FROM finding f JOIN machine m ON m.id = f.machine_id JOIN item i ON i.id = f.item_id
	LEFT JOIN machine_seen ms ON ms.machine_id = f.machine_id`

func scanFinding(r *sql.Rows, f *authorization.Finding) error { return scanFindingAnd(r, f) }

// scanFindingAnd scans what stands after a finding's columns into more.
func scanFindingAnd(r *sql.Rows, f *authorization.Finding, more ...any) error {
	var state string
	var first, last, found, gone, rank int64
	var report, goneReport []byte
	err := r.Scan(append([]any{&f.Row, &f.Machine, &f.Hostname, &f.Item, &f.Program, &f.Version, &f.Publisher, &f.Origin, &f.Source, &f.Scope,
		&f.User, &f.Path, &f.SHA256, &f.Verdict, &f.Rule, &f.Reason, &state, &first,
		&last, &found, &gone, &report, &goneReport, &f.Nonconformity, &f.Recurrences,
		&f.Category, &rank, &f.Parent, &f.Along, &f.Spread}, more...)...)
	f.State, f.Severity = authorization.FindingState(state), authorization.SeverityOfRank(int(rank))
	f.FirstSeen, f.LastSeen, f.FoundAt, f.GoneAt = fromMicros(first), fromMicros(last), fromMicros(found), fromMicros(gone)
	f.Report, f.GoneReport = reportText(report), reportText(goneReport)
	return err
}

// reportText is the UUID text of a report's id, or empty for none.
func reportText(b []byte) string {
	id, err := wire.IDFromBytes(b)
	if err != nil {
		return ""
	}
	return id.String()
}

// findingWhere narrows findings f, machine m and item i.
func findingWhere(f authorization.FindingFilter) where {
	var w where
	if f.Query != "" {
		q := like(f.Query)
		w.add(`(i.version_id IN (SELECT v.id FROM software_version v JOIN software_title t ON t.id = v.title_id WHERE t.name_fold LIKE ? ESCAPE '\')
			OR m.hostname_fold LIKE ? ESCAPE '\')`, q, q)
	}
	if f.Machine != "" {
		w.add("f.machine_id = (SELECT id FROM machine WHERE uuid = ?)", strings.ToLower(f.Machine))
	}
	if f.State != "" {
		w.add("f.state = ?", string(f.State))
	}
	if f.Verdict != "" {
		w.add("f.verdict = ?", f.Verdict)
	}
	if f.Source != "" {
		w.add("i.source = ?", f.Source)
	}
	if f.Severity != "" {
		w.add("f.severity = ?", f.Severity.Rank())
	}
	if f.Category != "" {
		w.add("f.category = ?", string(f.Category))
	}
	if f.Alone {
		w.add("f.parent_id = 0")
	}
	if f.Parent != 0 {
		w.add("f.parent_id = ? AND f.parent_id > 0", f.Parent)
	}
	if f.Nonconformity != "" {
		w.add("f.nonconformity = ?", f.Nonconformity)
	}
	if f.After != 0 {
		w.add("f.id < ?", f.After)
	}
	visibleMachines(&w, f.Visible, "m.area_id", "m.person_id")
	return w
}

// Findings implements authorization.FindingReader, newest first.
func (s *Store) Findings(ctx context.Context, f authorization.FindingFilter) ([]authorization.Finding, error) {
	w := findingWhere(f)
	query := findingQuery + w.clause() + w.number(" ORDER BY f.id DESC LIMIT ?", limit(f.Limit))
	list, err := rows(ctx, s.on(ctx), query, w.args, scanFinding)
	return list, s.mapError("listing findings", err)
}

// findingSorting is how the list can stand by the column of that key.
func findingSorting(key string) (sorting, error) {
	by := sorting{key: "f.id", numericKey: true}
	switch key {
	case "", "number":
		by.expr, by.number = "f.id", true
	case "program":
		by.expr = "lower(i.name)"
	case "version":
		by.expr = "i.version"
	case "publisher":
		by.expr = "lower(i.publisher)"
	case "source":
		by.expr = "i.source"
	case "machine":
		by.expr = "m.hostname_fold"
	case "state":
		by.expr = "f.state"
	case "nonconformity":
		by.expr = "f.nonconformity"
	case "severity":
		by.expr, by.number = "f.severity", true
	case "since":
		by.expr, by.number = "f.first_seen", true
	case "gone":
		by.expr, by.number = "f.gone_at", true
	case "recurrences":
		by.expr, by.number = "f.recurrences", true
	default:
		return by, paging.Unknown(key)
	}
	return by, nil
}

// FindingPage returns one page of the findings that f lets through, sorted by "number"
// (the default, newest first), "program", "version", "publisher", "source", "machine",
// "state", "severity", "nonconformity", "since", "gone" or "recurrences". After and Limit of f do
// not count.
func (s *Store) FindingPage(ctx context.Context, f authorization.FindingFilter, o paging.Order) (paging.Page[authorization.Finding], error) {
	by, err := findingSorting(o.By)
	if err != nil {
		return paging.Page[authorization.Finding]{}, err
	}
	o.Desc = o.Desc || o.By == ""
	f.After = 0
	page, err := readPage(ctx, s.on(ctx), findingReadColumns, findingReadFrom, findingWhere(f), by, o, scanFindingAnd)
	return page, s.mapError("listing findings", err)
}

// CountFindings counts the findings that f lets through, at most most of them.
func (s *Store) CountFindings(ctx context.Context, f authorization.FindingFilter, most int) (int, error) {
	f.After = 0
	n, err := countRows(ctx, s.on(ctx), findingReadFrom, findingWhere(f), most)
	return n, s.mapError("counting findings", err)
}

// Finding implements authorization.FindingReader.
func (s *Store) Finding(ctx context.Context, row int64) (authorization.Finding, error) {
	list, err := rows(ctx, s.on(ctx), findingQuery+" WHERE f.id = $1", []any{row}, scanFinding)
	if err == nil && len(list) == 0 {
		return authorization.Finding{}, apperr.New(apperr.NotFound, "finding.unknown", apperr.Args{"finding": fmt.Sprint(row)})
	}
	if err != nil {
		return authorization.Finding{}, s.mapError("reading a finding", err)
	}
	return list[0], nil
}

// FindingCounts implements authorization.FindingReader.
func (s *Store) FindingCounts(ctx context.Context) (map[authorization.FindingState]int, error) {
	counts := make(map[authorization.FindingState]int)
	_, err := rows(ctx, s.on(ctx), "SELECT state, count(*) FROM finding GROUP BY state", nil,
		func(r *sql.Rows, _ *struct{}) error {
			var state string
			var n int
			err := r.Scan(&state, &n)
			counts[authorization.FindingState(state)] = n
			return err
		})
	return counts, s.mapError("counting findings", err)
}
