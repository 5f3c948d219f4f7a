// Package promise owns what a person is asked about a finding, the two answers they can
// give, and the promise to remove a program by a day: whether it was kept is what the
// machine's reports say, never what somebody says. It refuses to send the question and to
// open anything when a promise is broken: package authorize does.
package promise

import (
	"context"
	"time"

	"vigia/collector/internal/authorization"
)

// State is where a promise stands.
type State string

// The states. Kept, Late and Moot are final; a broken promise becomes Late when the
// program goes after all.
const (
	Open   State = "open"
	Kept   State = "kept"   // a report shows the program gone, in time
	Broken State = "broken" // the day is over and the program is there
	Late   State = "late"   // gone, after the day
	Moot   State = "moot"   // the program is authorized now
)

// States lists every state.
func States() []State { return []State{Open, Broken, Kept, Late, Moot} }

// Promise is one promise.
type Promise struct {
	Row     int64
	Finding int64
	Person  string // e-mail
	MadeAt  time.Time
	Due     time.Time // the last moment of the day
	State   State
	EndedAt time.Time // when it was kept, broken or moot
	Report  string    // of the report that shows the program gone
	Told    string    // what followed when it was broken: a nonconformity's number, or "it"

	// Of the finding, when read:
	Machine  string
	Hostname string
	Program  string
	Version  string
	Found    authorization.FindingState
	Gone     string    // the report that showed the program gone
	GoneAt   time.Time // when the machine saw it gone
}

// Judge is the state that a promise should have, its program being as the machine's last
// report has it. A machine that was retired proves nothing: reason tells it.
func Judge(p Promise, now time.Time) State {
	gone := p.Found == authorization.Gone && p.Gone != ""
	switch {
	case p.State != Open && p.State != Broken:
		return p.State
	case p.Found == authorization.Authorized:
		return Moot
	case gone && !p.GoneAt.After(p.Due):
		return Kept // also when the report came after the day
	case gone:
		return Late
	case now.After(p.Due) && p.Found == authorization.Open:
		return Broken
	}
	return p.State
}

// Answer is what somebody answered.
type Answer string

// The answers.
const (
	None   Answer = ""
	Need   Answer = "need"   // a request was made
	Remove Answer = "remove" // a promise was made
)

// Life is how long a question may be answered by its link.
const Life = 14 * 24 * time.Hour

// Question is one question about a finding.
type Question struct {
	Row        int64
	Finding    int64
	Person     string
	AskedBy    string
	AskedAt    time.Time
	Expires    time.Time
	Hash       [32]byte // of the link's secret
	Answer     Answer
	AnsweredAt time.Time
	Request    string // number, after Need
	Promise    int64  // row, after Remove

	// Of the finding, when read:
	Machine   string
	Hostname  string
	Program   string
	Version   string
	Publisher string
	Found     authorization.FindingState
}

// Waiting reports whether an answer is still awaited at a moment.
func (q *Question) Waiting(now time.Time) bool {
	return q.Answer == None && now.Before(q.Expires) && q.Found == authorization.Open
}

// Filter narrows lists. Zero means "any".
type Filter struct {
	Person  string
	Finding int64
	Machine string // id
	State   State  // of promises
	Limit   int
}

// Store keeps questions and promises. Writes join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	CreateQuestion(ctx context.Context, q Question) (Question, error)
	QuestionByHash(ctx context.Context, hash [32]byte) (Question, error) // NotFound "question.unknown"
	Question(ctx context.Context, row int64) (Question, error)           // NotFound "question.unknown"; in a transaction it is locked
	Questions(ctx context.Context, f Filter) ([]Question, error)         // newest first
	AnswerQuestion(ctx context.Context, q Question) error                // Conflict "question.answered"
	CreatePromise(ctx context.Context, p Promise) (Promise, error)
	Promise(ctx context.Context, row int64) (Promise, error) // NotFound; in a transaction it is locked
	Promises(ctx context.Context, f Filter) ([]Promise, error)
	SavePromise(ctx context.Context, p Promise) error
	// DuePromises returns up to limit promises that Judge may have something to say about.
	DuePromises(ctx context.Context, now time.Time, limit int) ([]Promise, error)
}
