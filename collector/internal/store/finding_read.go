package store

import (
	"context"
	"database/sql"
	"fmt"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/internal/wire"
)

var _ authorization.FindingReader = (*Store)(nil)

// findingQuery reads findings as people see them. What is still there was seen when
// its machine was.
const findingQuery = `SELECT f.id, m.uuid, m.hostname, f.item_id, i.name, i.version, i.publisher, i.origin, i.source, i.scope,
	i.user_name, i.path, i.sha256, f.verdict, f.rule, f.reason, f.state, f.first_seen,
	CASE WHEN f.state = 'gone' THEN f.last_seen ELSE coalesce(ms.last_seen, f.last_seen) END,
	f.found_at, f.gone_at, f.report_id, f.gone_report_id, f.nonconformity, f.recurrences
	FROM finding f JOIN machine m ON m.id = f.machine_id JOIN item i ON i.id = f.item_id
	LEFT JOIN machine_seen ms ON ms.machine_id = f.machine_id`

func scanFinding(r *sql.Rows, f *authorization.Finding) error {
	var state string
	var first, last, found, gone int64
	var report, goneReport []byte
	err := r.Scan(&f.Row, &f.Machine, &f.Hostname, &f.Item, &f.Program, &f.Version, &f.Publisher, &f.Origin, &f.Source, &f.Scope,
		&f.User, &f.Path, &f.SHA256, &f.Verdict, &f.Rule, &f.Reason, &state, &first,
		&last, &found, &gone, &report, &goneReport, &f.Nonconformity, &f.Recurrences)
	f.State = authorization.FindingState(state)
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

// Findings implements authorization.FindingReader, newest first.
func (s *Store) Findings(ctx context.Context, f authorization.FindingFilter) ([]authorization.Finding, error) {
	var w where
	if f.Query != "" {
		q := like(f.Query)
		w.add(`(fold(i.name) LIKE ? ESCAPE '\' OR m.hostname_fold LIKE ? ESCAPE '\')`, q, q)
	}
	if f.Machine != "" {
		w.add("m.uuid = ?", f.Machine)
	}
	if f.State != "" {
		w.add("f.state = ?", string(f.State))
	}
	if f.Nonconformity != "" {
		w.add("f.nonconformity = ?", f.Nonconformity)
	}
	if f.After != 0 {
		w.add("f.id < ?", f.After)
	}
	query := findingQuery + w.clause() + w.number(" ORDER BY f.id DESC LIMIT ?", limit(f.Limit))
	list, err := rows(ctx, s.on(ctx), query, w.args, scanFinding)
	return list, s.mapError("listing findings", err)
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
