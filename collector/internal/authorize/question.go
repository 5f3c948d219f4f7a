package authorize

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/promise"
	"vigia/collector/internal/authorization/request"
)

// maxPromise is how many days ahead a removal may be promised.
const maxPromise = 30

// Records is what opens nonconformities by findings; ingest has it.
type Records interface {
	LockFindings(ctx context.Context) error
	OpenRecords(ctx context.Context, findings []authorization.Finding) (map[int64]string, error)
}

// Findings reads findings.
type Findings interface {
	Finding(ctx context.Context, row int64) (authorization.Finding, error)
}

// Asking is what questions and promises stand on besides. All fields are required.
type Asking struct {
	Promises promise.Store
	Findings Findings // whatever the actor may see
	Machines Machines // all of them: who answers for one
	Records  Records
	Secret   func() (string, error) // 256 bits or more as text
}

// Questions is the use-case of questions and promises, beside requests.
type Questions struct {
	*Service
	Asking
}

// NewQuestions returns it.
func NewQuestions(s *Service, a Asking) *Questions { return &Questions{s, a} }

// AskUser asks the person who answers for a finding's machine, by mail and in the console.
// Errors: NotFound; Conflict "question.no-person", "question.closed" and "question.waiting".
func (q *Questions) AskUser(ctx context.Context, finding int64) (promise.Question, error) {
	if _, err := access.Need(ctx, access.ReviewFindings); err != nil {
		return promise.Question{}, err
	}
	f, err := q.Asking.Findings.Finding(ctx, finding)
	if err != nil {
		return promise.Question{}, err
	}
	if f.State != authorization.Open {
		return promise.Question{}, apperr.New(apperr.Conflict, "question.closed", nil)
	}
	m, err := q.Asking.Machines.Machine(ctx, f.Machine)
	if err != nil {
		return promise.Question{}, err
	}
	p, err := q.person(ctx, m.Person)
	if err != nil {
		return promise.Question{}, err
	}
	if m.Person == "" || !p.Active {
		return promise.Question{}, apperr.New(apperr.Conflict, "question.no-person", apperr.Args{"machine": m.Hostname})
	}
	secret, err := q.Secret()
	if err != nil {
		return promise.Question{}, err
	}
	now := q.now()
	out := promise.Question{Finding: f.Row, Person: p.Email, AskedBy: actor.From(ctx).ID, AskedAt: now, Expires: now.Add(promise.Life), Hash: hashOf(secret)}
	err = q.Asking.Promises.InTx(ctx, func(ctx context.Context) error {
		if err := q.free(ctx, f.Row, now); err != nil {
			return err
		}
		if out, err = q.Asking.Promises.CreateQuestion(ctx, out); err != nil {
			return err
		}
		if err := q.note(ctx, "question.ask", fmt.Sprintf("finding/%d", f.Row), map[string]any{"question": out.Row, "person": p.Email, "program": f.Program}); err != nil {
			return err
		}
		at := "/answer/" + url.PathEscape(secret)
		return q.Mail.Queue(ctx, Mail{Key: fmt.Sprintf("question/%d", out.Row), To: p.Email, Name: p.Name, Kind: "ask-user", Thread: fmt.Sprintf("finding-%d", f.Row), Secret: true, Expires: out.Expires,
			Path: at + "?is=need", Second: at + "?is=remove", Args: []any{"Program", f.Program, "Machine", m.Hostname, "Since", f.FirstSeen}})
	})
	return out, err
}

// free refuses a second question while one waits, or a promise runs.
func (q *Questions) free(ctx context.Context, finding int64, now time.Time) error {
	asked, err := q.Asking.Promises.Questions(ctx, promise.Filter{Finding: finding, Limit: 1})
	if err != nil {
		return err
	}
	if len(asked) > 0 && asked[0].Waiting(now) {
		return apperr.New(apperr.Conflict, "question.waiting", apperr.Args{"person": asked[0].Person, "until": asked[0].Expires})
	}
	made, err := q.Asking.Promises.Promises(ctx, promise.Filter{Finding: finding, State: promise.Open, Limit: 1})
	if err != nil {
		return err
	}
	if len(made) > 0 {
		return apperr.New(apperr.Conflict, "question.promised", apperr.Args{"person": made[0].Person, "until": made[0].Due})
	}
	return nil
}

func hashOf(secret string) [32]byte { return sha256.Sum256([]byte("vigia question\x00" + secret)) }

// Look returns the question that a link leads to; it changes nothing: mail scanners open
// links. NotFound "question.unknown".
func (q *Questions) Look(ctx context.Context, secret string) (promise.Question, error) {
	return q.Asking.Promises.QuestionByHash(ctx, hashOf(secret))
}

// ByLink returns the question of a link and ctx as the person whom it was sent to, with the
// rights of an employee and no more: the link proves who reads their mail.
func (q *Questions) ByLink(ctx context.Context, secret string) (context.Context, promise.Question, error) {
	x, err := q.Look(ctx, secret)
	if err != nil {
		return ctx, x, err
	}
	p, err := q.Directory.Person(ctx, x.Person)
	if err != nil || !p.Active {
		return ctx, x, apperr.New(apperr.Forbidden, "web.person-inactive", nil)
	}
	return actor.With(ctx, actor.Actor{Kind: actor.Person, ID: p.Email, Role: actor.Employee}), x, nil
}

// Mine returns a question by its number, to the person whom it was sent to.
func (q *Questions) Mine(ctx context.Context, row int64) (promise.Question, error) {
	x, err := q.Asking.Promises.Question(ctx, row)
	if err == nil && x.Person != actor.From(ctx).ID {
		return promise.Question{}, apperr.New(apperr.NotFound, "question.unknown", nil)
	}
	return x, err
}

// open refuses an answer that comes twice or too late.
func (q *Questions) open(x promise.Question) error {
	switch {
	case x.Answer != promise.None:
		return apperr.New(apperr.Conflict, "question.answered", nil)
	case x.Found != authorization.Open:
		return apperr.New(apperr.Conflict, "question.closed", nil)
	case !q.now().Before(x.Expires):
		return apperr.New(apperr.Conflict, "question.expired", nil)
	}
	return nil
}

// Need answers "I need it": it makes the request. Errors: those of Ask; Conflict
// "question.answered", "question.closed", "question.expired".
func (q *Questions) Need(ctx context.Context, row int64, d Draft) (request.Request, error) {
	var r request.Request
	err := q.Asking.Promises.InTx(ctx, func(ctx context.Context) error {
		x, err := q.Mine(ctx, row)
		if err == nil {
			err = q.open(x)
		}
		if err != nil {
			return err
		}
		d.Program, d.Publisher, d.Machine, d.Finding, d.Person, d.Renews = x.Program, x.Publisher, x.Machine, x.Finding, x.Person, ""
		if r, err = q.Ask(ctx, d); err != nil {
			return err
		}
		x.Answer, x.AnsweredAt, x.Request = promise.Need, q.now(), r.Number
		if err := q.Asking.Promises.AnswerQuestion(ctx, x); err != nil {
			return err
		}
		return q.note(ctx, "question.answer", fmt.Sprintf("finding/%d", x.Finding), map[string]any{"question": x.Row, "answer": x.Answer, "request": r.Number})
	})
	return r, err
}

// Remove answers "I will remove it" by the end of a day. Errors: Invalid with the field
// "day"; Conflict as Need.
func (q *Questions) Remove(ctx context.Context, row int64, day string) (promise.Promise, error) {
	due, err := q.promised(ctx, day)
	if err != nil {
		return promise.Promise{}, err
	}
	var p promise.Promise
	err = q.Asking.Promises.InTx(ctx, func(ctx context.Context) error {
		x, err := q.Mine(ctx, row)
		if err == nil {
			err = q.open(x)
		}
		if err != nil {
			return err
		}
		if p, err = q.Asking.Promises.CreatePromise(ctx, promise.Promise{Finding: x.Finding, Person: x.Person, MadeAt: q.now(), Due: due, State: promise.Open}); err != nil {
			return err
		}
		x.Answer, x.AnsweredAt, x.Promise = promise.Remove, q.now(), p.Row
		if err := q.Asking.Promises.AnswerQuestion(ctx, x); err != nil {
			return err
		}
		return q.note(ctx, "promise.make", fmt.Sprintf("finding/%d", x.Finding), map[string]any{"question": x.Row, "promise": p.Row, "due": due})
	})
	return p, err
}

// promised reads the day of a promise.
func (q *Questions) promised(ctx context.Context, day string) (time.Time, error) {
	if strings.TrimSpace(day) == "" {
		return time.Time{}, bad("day", "promise.bad.none", nil)
	}
	due, err := q.dayEnd(ctx, "day", day)
	if err == nil && due.After(q.now().AddDate(0, 0, maxPromise+1)) {
		err = bad("day", "promise.bad.far", apperr.Args{"days": maxPromise})
	}
	return due, err
}

// List returns promises and questions that the actor may see: their own; of everybody for who sees findings
// of everybody.
func (q *Questions) List(ctx context.Context, f promise.Filter) ([]promise.Promise, []promise.Question, error) {
	a := actor.From(ctx)
	scope, err := access.Need(ctx, access.SeeFindings)
	if err != nil {
		return nil, nil, err
	}
	if !scope.All && f.Person != a.ID {
		if f.Finding == 0 {
			return nil, nil, access.Refused(access.SeeFindings)
		}
		if _, err := q.Asking.Findings.Finding(ctx, f.Finding); err != nil { // seen with its machine
			return nil, nil, err
		}
	}
	promises, err := q.Asking.Promises.Promises(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	f.State = ""
	asked, err := q.Asking.Promises.Questions(ctx, f)
	return promises, asked, err
}

// note writes to the audit log.
func (q *Questions) note(ctx context.Context, action, object string, after any) error {
	return q.Audit.Append(ctx, audit.Entry{At: q.now(), Actor: actor.From(ctx).String(), Action: action, Object: object, After: audit.JSON(after)})
}

// TickPromises verifies promises by what machines reported, and escalates those that are
// broken: to a nonconformity in enforce, to IT otherwise.
func (q *Questions) TickPromises(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Actor{Kind: actor.System, ID: "promises"})
	const batch = 100
	for {
		due, err := q.Asking.Promises.DuePromises(ctx, q.now(), batch)
		if err != nil {
			return err
		}
		for _, p := range due {
			if err := q.Asking.Promises.InTx(ctx, func(ctx context.Context) error { return q.verify(ctx, p.Row) }); err != nil {
				return fmt.Errorf("promise %d: %w", p.Row, err)
			}
		}
		if len(due) < batch {
			return nil
		}
	}
}

func (q *Questions) verify(ctx context.Context, row int64) error {
	if err := q.Records.LockFindings(ctx); err != nil { // before the ledger, as reports do
		return err
	}
	p, err := q.Asking.Promises.Promise(ctx, row)
	if err != nil {
		return err
	}
	is := promise.Judge(p, q.now())
	if is == p.State {
		return nil
	}
	was := p.State
	p.State, p.EndedAt = is, q.now()
	if is == promise.Kept || is == promise.Late {
		p.Report = p.Gone
	}
	if is == promise.Broken {
		if p.Told, err = q.escalate(ctx, p); err != nil {
			return err
		}
	}
	if err := q.Asking.Promises.SavePromise(ctx, p); err != nil {
		return err
	}
	return q.note(ctx, "promise."+string(is), fmt.Sprintf("finding/%d", p.Finding), map[string]any{"promise": p.Row, "was": was, "report": p.Report, "told": p.Told})
}

// escalate says what follows a broken promise.
func (q *Questions) escalate(ctx context.Context, p promise.Promise) (string, error) {
	a, err := q.Rules.InForce(ctx)
	if err != nil {
		return "", err
	}
	if a.Mode == authorization.Enforce {
		numbers, err := q.Records.OpenRecords(ctx, []authorization.Finding{{Row: p.Finding, Machine: p.Machine}})
		if err != nil {
			return "", err
		}
		if n := numbers[p.Finding]; n != "" {
			return n, nil
		}
	}
	people, err := q.of(ctx, actor.Administrator, actor.Technician)
	if err != nil {
		return "", err
	}
	for _, to := range people {
		err := q.Mail.Queue(ctx, Mail{Key: fmt.Sprintf("promise/%d/broken/%s", p.Row, to.Email), To: to.Email, Name: to.Name, Kind: "promise-broken", Thread: fmt.Sprintf("finding-%d", p.Finding),
			Path: fmt.Sprintf("/findings/%d", p.Finding), Args: []any{"Program", p.Program, "Machine", p.Hostname, "Person", p.Person, "Due", p.Due}})
		if err != nil {
			return "", err
		}
	}
	return "it", nil
}
