package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/review"
	"vigia/collector/internal/store/internal/db"
	"vigia/internal/inventory"
)

var _ review.Store = (*Store)(nil)

func toDecision(v db.ReviewDecision) (review.Decision, error) {
	d := review.Decision{ID: v.ID, Kind: review.Kind(v.Kind), At: fromMicros(v.DecidedAt), By: v.DecidedBy, Choices: int(v.Choices), Findings: int(v.Findings),
		Machines: int(v.Machines), Version: v.Version, Until: fromMicros(v.Until), UndoneAt: fromMicros(v.UndoneAt), UndoneBy: v.UndoneBy}
	if err := json.Unmarshal([]byte(v.Programs), &d.Programs); err != nil {
		return d, fmt.Errorf("programs of decision %d: %w", v.ID, err)
	}
	return d, nil
}

func toDecisions(list []db.ReviewDecision) ([]review.Decision, error) {
	var out []review.Decision
	for _, v := range list {
		d, err := toDecision(v)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// AddDecision implements review.Store.
func (s *Store) AddDecision(ctx context.Context, d review.Decision, findings []int64) (review.Decision, error) {
	programs, err := json.Marshal(d.Programs)
	if err != nil {
		return d, err
	}
	err = s.write(ctx, "keeping a decision", func(ctx context.Context, q *db.Queries) error {
		var err error
		if d.ID, err = q.InsertDecision(ctx, db.InsertDecisionParams{Kind: string(d.Kind), DecidedAt: micros(d.At), DecidedBy: storable(d.By), Programs: string(programs),
			Choices: int64(d.Choices), Findings: int64(d.Findings), Machines: int64(d.Machines), Version: d.Version, Until: micros(d.Until)}); err != nil {
			return err
		}
		from, arg := s.among(findings)
		_, err = s.txFrom(ctx).tx.ExecContext(ctx, "INSERT INTO review_finding (finding_id, decision_id) SELECT j.value, d.id FROM "+from+
			" CROSS JOIN review_decision d WHERE d.id = $2", arg, d.ID)
		return err
	})
	return d, err
}

// Decision implements review.Store.
func (s *Store) Decision(ctx context.Context, id int64) (d review.Decision, err error) {
	err = s.read(ctx, "reading a decision", func(q *db.Queries) error {
		v, err := q.DecisionByID(ctx, id)
		if err != nil {
			return unknown(err, "review.unknown", nil)
		}
		d, err = toDecision(v)
		return err
	})
	return d, err
}

// DecisionFindings implements review.Store.
func (s *Store) DecisionFindings(ctx context.Context, id int64) ([]authorization.Finding, error) {
	list, err := rows(ctx, s.on(ctx), findingQuery+" JOIN review_finding r ON r.finding_id = f.id WHERE r.decision_id = $1 ORDER BY f.id", []any{id}, scanFinding)
	return list, s.mapError("reading a decision's findings", err)
}

// DecisionsBy implements review.Store.
func (s *Store) DecisionsBy(ctx context.Context, by string, since time.Time, most int) (out []review.Decision, err error) {
	err = s.read(ctx, "listing decisions", func(q *db.Queries) error {
		list, err := q.DecisionsBy(ctx, db.DecisionsByParams{DecidedBy: by, DecidedAt: micros(since), Limit: int32(limit(most))})
		if err == nil {
			out, err = toDecisions(list)
		}
		return err
	})
	return out, err
}

// DecisionsOn implements review.Store.
func (s *Store) DecisionsOn(ctx context.Context, finding int64, most int) (out []review.Decision, err error) {
	err = s.read(ctx, "listing decisions", func(q *db.Queries) error {
		list, err := q.DecisionsOn(ctx, db.DecisionsOnParams{FindingID: finding, Limit: int32(limit(most))})
		if err == nil {
			out, err = toDecisions(list)
		}
		return err
	})
	return out, err
}

// MarkUndone implements review.Store.
func (s *Store) MarkUndone(ctx context.Context, id int64, at time.Time, by string) error {
	return s.write(ctx, "taking a decision back", func(ctx context.Context, q *db.Queries) error {
		n, err := q.UndoDecision(ctx, db.UndoDecisionParams{UndoneAt: micros(at), UndoneBy: storable(by), ID: id})
		if err == nil && n == 0 {
			err = apperr.New(apperr.Conflict, "review.undone", nil)
		}
		return err
	})
}

// PutOff implements review.Store.
func (s *Store) PutOff(ctx context.Context, decision int64) error {
	return s.write(ctx, "putting findings off", func(ctx context.Context, _ *db.Queries) error {
		_, err := s.txFrom(ctx).tx.ExecContext(ctx, `INSERT INTO review_later (finding_id, decision_id, until)
			SELECT r.finding_id, d.id, d.until FROM review_decision d JOIN review_finding r ON r.decision_id = d.id WHERE d.id = $1
			ON CONFLICT (finding_id) DO UPDATE SET decision_id = excluded.decision_id, until = excluded.until`, decision)
		return err
	})
}

// TakeUp implements review.Store.
func (s *Store) TakeUp(ctx context.Context, decision int64) error {
	return s.write(ctx, "taking findings up again", func(ctx context.Context, q *db.Queries) error { return q.TakeUp(ctx, decision) })
}

// CountChoices implements review.Store.
func (s *Store) CountChoices(ctx context.Context, since time.Time) (n int, err error) {
	err = s.read(ctx, "counting decisions", func(q *db.Queries) error {
		sum, err := q.CountChoices(ctx, micros(since))
		n = int(sum)
		return err
	})
	return n, err
}

// ReviewPrograms implements review.Store.
func (s *Store) ReviewPrograms(ctx context.Context, items []int64) (map[int64]inventory.Program, error) {
	list, err := s.ItemPrograms(ctx, items)
	out := make(map[int64]inventory.Program, len(list))
	for _, it := range list {
		out[it.ID] = it.Program
	}
	return out, err
}

// reviewWhere narrows open findings f to a filter. What it says of f alone stands first
// and in the words of the index finding_undecided.
func reviewWhere(w *where, f review.Filter, at time.Time) {
	w.add("f.state = 'open'")
	switch f.View {
	case review.Recorded:
		w.add("f.nonconformity <> ''")
	case review.PutOff:
		w.add("f.nonconformity = ''")
		w.add("f.id IN (SELECT l.finding_id FROM review_later l WHERE l.until > ?)", micros(at))
	default:
		w.add("f.nonconformity = ''")
		w.add("f.id NOT IN (SELECT l.finding_id FROM review_later l WHERE l.until > ?)", micros(at))
	}
	if f.Site != "" {
		w.add("f.machine_id IN (SELECT m.id FROM machine m JOIN site s ON s.id = m.site_id WHERE s.name_fold = ?)", Fold(f.Site))
	}
}

// ReviewItems implements review.Store: it counts by item first, which an index holds, and
// looks up the programs of those that are left.
func (s *Store) ReviewItems(ctx context.Context, f review.Filter, at time.Time) ([]review.ItemCount, error) {
	var w where
	reviewWhere(&w, f, at)
	inner := w.clause()
	w.conds = nil
	if f.Source != "" {
		w.add("i.source = ?", f.Source)
	}
	if f.Query != "" {
		w.add(`t.name_fold LIKE ? ESCAPE '\'`, like(f.Query))
	}
	list, err := rows(ctx, s.on(ctx), `SELECT g.item_id, g.verdict, g.rule, g.n, g.since, g.sample, v.title_id, i.name, i.version, i.publisher, i.origin, i.source
		FROM (SELECT f.item_id, f.verdict, max(f.rule) AS rule, count(*) AS n, min(f.first_seen) AS since, max(f.id) AS sample FROM finding f`+inner+` GROUP BY f.item_id, f.verdict) g
		JOIN item i ON i.id = g.item_id JOIN software_version v ON v.id = i.version_id JOIN software_title t ON t.id = v.title_id`+w.clause(), w.args,
		func(r *sql.Rows, c *review.ItemCount) error {
			var since int64
			err := r.Scan(&c.Item, &c.Verdict, &c.Rule, &c.Findings, &since, &c.Sample, &c.Title, &c.Program.Name, &c.Program.Version, &c.Program.Publisher, &c.Program.Origin, &c.Program.Source)
			c.Since = fromMicros(since)
			return err
		})
	return list, s.mapError("counting findings to review", err)
}

const reviewColumns = findingReadColumns + `, v.title_id, coalesce(st.name, ''), coalesce(ar.name, ''), coalesce(pe.email, ''), coalesce(pe.name, '')`

const reviewFrom = findingReadFrom + ` JOIN software_version v ON v.id = i.version_id LEFT JOIN site st ON st.id = m.site_id
	LEFT JOIN area ar ON ar.id = m.area_id LEFT JOIN person pe ON pe.id = m.person_id`

// ReviewFindings implements review.Store.
func (s *Store) ReviewFindings(ctx context.Context, f review.Filter, titles, numbers []int64, at time.Time, most int) ([]review.Found, error) {
	var w where
	if len(numbers) > 0 {
		from, arg := s.among(numbers)
		w.args = append(w.args, arg)
		w.conds = append(w.conds, "f.id IN (SELECT j.value FROM "+from+")", "f.state = 'open'")
	} else {
		from, arg := s.among(titles)
		w.args = append(w.args, arg)
		w.conds = append(w.conds, "f.item_id IN (SELECT x.id FROM "+from+" JOIN software_version y ON y.title_id = j.value JOIN item x ON x.version_id = y.id)")
		reviewWhere(&w, f, at)
		if f.Source != "" {
			w.add("i.source = ?", f.Source)
		}
	}
	query := reviewColumns + reviewFrom + w.clause() + w.number(" ORDER BY f.id LIMIT ?", int64(most))
	list, err := rows(ctx, s.on(ctx), query, w.args, func(r *sql.Rows, x *review.Found) error {
		return scanFindingAnd(r, &x.Finding, &x.Title, &x.Site, &x.Area, &x.Person, &x.Name)
	})
	return list, s.mapError("reading findings to review", err)
}
