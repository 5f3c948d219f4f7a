package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization/promise"
)

var _ promise.Store = (*Store)(nil)

const questionColumns = `SELECT q.id, q.finding, q.person, q.asked_by, q.asked_at, q.expires_at, q.hash, q.answer, q.answered_at, q.request, q.promise,
	m.uuid, m.hostname, i.name, i.version, i.publisher, f.state
	FROM question q JOIN finding f ON f.id = q.finding JOIN machine m ON m.id = f.machine_id JOIN item i ON i.id = f.item_id`

func scanQuestion(r *sql.Rows, q *promise.Question) error {
	var asked, expires, answered int64
	var hash []byte
	err := r.Scan(&q.Row, &q.Finding, &q.Person, &q.AskedBy, &asked, &expires, &hash, &q.Answer, &answered, &q.Request, &q.Promise,
		&q.Machine, &q.Hostname, &q.Program, &q.Version, &q.Publisher, &q.Found)
	copy(q.Hash[:], hash)
	q.AskedAt, q.Expires, q.AnsweredAt = fromMicros(asked), fromMicros(expires), fromMicros(answered)
	return err
}

// CreateQuestion implements promise.Store.
func (s *Store) CreateQuestion(ctx context.Context, q promise.Question) (promise.Question, error) {
	err := s.InTx(ctx, func(ctx context.Context) error {
		err := s.txFrom(ctx).tx.QueryRowContext(ctx, `INSERT INTO question (finding, person, asked_by, asked_at, expires_at, hash, answer, answered_at, request, promise)
			VALUES ($1, $2, $3, $4, $5, $6, '', 0, '', 0) RETURNING id`, q.Finding, q.Person, q.AskedBy, micros(q.AskedAt), micros(q.Expires), q.Hash[:]).Scan(&q.Row)
		return s.mapError("storing a question", err)
	})
	return q, err
}

func (s *Store) oneQuestion(ctx context.Context, tail string, arg any) (promise.Question, error) {
	list, err := rows(ctx, s.on(ctx), questionColumns+tail, []any{arg}, scanQuestion)
	if err != nil || len(list) > 0 {
		return append(list, promise.Question{})[0], s.mapError("reading a question", err)
	}
	return promise.Question{}, apperr.New(apperr.NotFound, "question.unknown", nil)
}

// QuestionByHash implements promise.Store.
func (s *Store) QuestionByHash(ctx context.Context, hash [32]byte) (promise.Question, error) {
	return s.oneQuestion(ctx, " WHERE q.hash = $1", hash[:])
}

// Question implements promise.Store.
func (s *Store) Question(ctx context.Context, row int64) (promise.Question, error) {
	if s.txFrom(ctx) != nil {
		if err := s.lockLedger(ctx); err != nil {
			return promise.Question{}, err
		}
	}
	return s.oneQuestion(ctx, " WHERE q.id = $1", row)
}

// Questions implements promise.Store.
func (s *Store) Questions(ctx context.Context, f promise.Filter) ([]promise.Question, error) {
	w := promiseWhere(f, "q")
	list, err := rows(ctx, s.on(ctx), questionColumns+w.clause()+w.number(" ORDER BY q.id DESC LIMIT ?", limit(f.Limit)), w.args, scanQuestion)
	return list, s.mapError("listing questions", err)
}

// promiseWhere narrows questions or promises, called alias, of finding f on machine m.
func promiseWhere(f promise.Filter, alias string) where {
	var w where
	if f.Person != "" {
		w.add(alias+".person = ?", strings.ToLower(f.Person))
	}
	if f.Finding != 0 {
		w.add(alias+".finding = ?", f.Finding)
	}
	if f.Machine != "" {
		w.add("m.uuid = ?", strings.ToLower(f.Machine))
	}
	if f.State != "" {
		w.add(alias+".state = ?", string(f.State))
	}
	return w
}

// AnswerQuestion implements promise.Store.
func (s *Store) AnswerQuestion(ctx context.Context, q promise.Question) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		res, err := s.txFrom(ctx).tx.ExecContext(ctx, "UPDATE question SET answer = $1, answered_at = $2, request = $3, promise = $4 WHERE id = $5 AND answer = ''",
			string(q.Answer), micros(q.AnsweredAt), q.Request, q.Promise, q.Row)
		if err != nil {
			return s.mapError("answering a question", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return apperr.Wrap(err, apperr.Conflict, "question.answered", nil)
		}
		return nil
	})
}

const promiseColumns = `SELECT p.id, p.finding, p.person, p.made_at, p.due_at, p.state, p.ended_at, p.report, p.told,
	m.uuid, m.hostname, i.name, i.version, f.state, f.gone_report_id, f.gone_at
	FROM promise p JOIN finding f ON f.id = p.finding JOIN machine m ON m.id = f.machine_id JOIN item i ON i.id = f.item_id`

func scanPromise(r *sql.Rows, p *promise.Promise) error {
	var made, due, ended, gone int64
	var report []byte
	err := r.Scan(&p.Row, &p.Finding, &p.Person, &made, &due, &p.State, &ended, &p.Report, &p.Told,
		&p.Machine, &p.Hostname, &p.Program, &p.Version, &p.Found, &report, &gone)
	p.MadeAt, p.Due, p.EndedAt, p.GoneAt, p.Gone = fromMicros(made), fromMicros(due), fromMicros(ended), fromMicros(gone), goneReport(report)
	return err
}

// goneReport is the text of a report's id; empty where a machine was retired instead.
func goneReport(b []byte) string {
	for _, c := range b {
		if c != 0 {
			return reportText(b)
		}
	}
	return ""
}

// CreatePromise implements promise.Store.
func (s *Store) CreatePromise(ctx context.Context, p promise.Promise) (promise.Promise, error) {
	err := s.InTx(ctx, func(ctx context.Context) error {
		err := s.txFrom(ctx).tx.QueryRowContext(ctx, `INSERT INTO promise (finding, person, made_at, due_at, state, ended_at, report, told) VALUES ($1, $2, $3, $4, $5, 0, '', '') RETURNING id`,
			p.Finding, p.Person, micros(p.MadeAt), micros(p.Due), string(p.State)).Scan(&p.Row)
		return s.mapError("storing a promise", err)
	})
	return p, err
}

// Promise implements promise.Store.
func (s *Store) Promise(ctx context.Context, row int64) (promise.Promise, error) {
	if s.txFrom(ctx) != nil {
		if err := s.lockLedger(ctx); err != nil {
			return promise.Promise{}, err
		}
	}
	list, err := rows(ctx, s.on(ctx), promiseColumns+" WHERE p.id = $1", []any{row}, scanPromise)
	if err != nil || len(list) > 0 {
		return append(list, promise.Promise{})[0], s.mapError("reading a promise", err)
	}
	return promise.Promise{}, apperr.New(apperr.NotFound, "promise.unknown", nil)
}

// Promises implements promise.Store, newest first.
func (s *Store) Promises(ctx context.Context, f promise.Filter) ([]promise.Promise, error) {
	w := promiseWhere(f, "p")
	list, err := rows(ctx, s.on(ctx), promiseColumns+w.clause()+w.number(" ORDER BY p.id DESC LIMIT ?", limit(f.Limit)), w.args, scanPromise)
	return list, s.mapError("listing promises", err)
}

// SavePromise implements promise.Store.
func (s *Store) SavePromise(ctx context.Context, p promise.Promise) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		_, err := s.txFrom(ctx).tx.ExecContext(ctx, "UPDATE promise SET state = $1, ended_at = $2, report = $3, told = $4 WHERE id = $5",
			string(p.State), micros(p.EndedAt), p.Report, p.Told, p.Row)
		return s.mapError("storing a promise", err)
	})
}

// DuePromises implements promise.Store.
func (s *Store) DuePromises(ctx context.Context, now time.Time, most int) ([]promise.Promise, error) {
	list, err := rows(ctx, s.on(ctx), promiseColumns+` WHERE p.state IN ('open', 'broken') AND (f.state = 'authorized' OR f.state = 'gone' AND f.gone_report_id <> $1
		OR p.state = 'open' AND f.state = 'open' AND p.due_at < $2) ORDER BY p.id LIMIT $3`, []any{make([]byte, 16), micros(now), limit(most)}, scanPromise)
	return list, s.mapError("reading promises that are due", err)
}
