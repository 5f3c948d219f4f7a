// Package review owns how people decide what is to become of open findings: the queue
// that groups them so that one decision settles a program wherever it is, the three ways
// out (a rule, a nonconformity, not now), and the way back from each. It refuses to
// evaluate rules, to keep records, and to read anything for those who may not review.
package review

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// View is which open findings the queue shows.
type View string

// Views.
const (
	Undecided View = ""       // neither in a record nor put off
	PutOff    View = "later"  // put off, and their time has not come
	Recorded  View = "record" // in a nonconformity
)

// Filter narrows the queue, and with it what a decision is about.
type Filter struct {
	View   View
	Query  string // part of a program's name, folded
	Source string
	Site   string // name of a site
}

// ItemCount is how often one distinct program is found.
type ItemCount struct {
	Item     int64
	Title    int64 // the reported name and publisher
	Program  inventory.Program
	Verdict  string
	Rule     string // of one of the findings
	Findings int
	Since    time.Time
	Sample   int64 // the newest of the findings
}

// Found is one finding with where its machine stands.
type Found struct {
	authorization.Finding
	Title                    int64
	Site, Area, Person, Name string // Name is the person's
}

// Kind is what was decided.
type Kind string

// Kinds of a Decision.
const (
	Authorize Kind = "authorize"
	Record    Kind = "record"
	Later     Kind = "later"
)

// Decision is one step of somebody who reviews.
type Decision struct {
	ID       int64
	Kind     Kind
	At       time.Time
	By       string   // actor.Actor
	Programs []string // names, at most maxNames
	Choices  int      // groups that it settled
	Findings int
	Machines int
	Version  int64     // of the allowlist, with Authorize
	Until    time.Time // with Later
	UndoneAt time.Time
	UndoneBy string
}

// Store is what the review needs of the database. Errors: NotFound "review.unknown" from
// Decision; Conflict "review.undone" from MarkUndone when it was taken back already.
type Store interface {
	fleet.Transactor
	// ReviewItems counts the findings that f lets through by distinct program.
	ReviewItems(ctx context.Context, f Filter, at time.Time) ([]ItemCount, error)
	// ReviewFindings returns at most most findings that f lets through, of those titles, or
	// those with the given rows whatever f and their record say; open ones only.
	ReviewFindings(ctx context.Context, f Filter, titles, rows []int64, at time.Time, most int) ([]Found, error)
	ReviewPrograms(ctx context.Context, items []int64) (map[int64]inventory.Program, error)
	AddDecision(ctx context.Context, d Decision, findings []int64) (Decision, error)
	Decision(ctx context.Context, id int64) (Decision, error)
	DecisionFindings(ctx context.Context, id int64) ([]authorization.Finding, error)
	DecisionsBy(ctx context.Context, by string, since time.Time, most int) ([]Decision, error) // standing, newest first
	DecisionsOn(ctx context.Context, finding int64, most int) ([]Decision, error)              // newest first
	MarkUndone(ctx context.Context, id int64, at time.Time, by string) error
	PutOff(ctx context.Context, decision int64) error // the decision's findings, until its Until
	TakeUp(ctx context.Context, decision int64) error
	CountChoices(ctx context.Context, since time.Time) (int, error) // settled since, by anybody
}

// Rules is the allowlist as the review changes it; allowlist.Service has it.
type Rules interface {
	Current(ctx context.Context) (authorization.Allowlist, error)
	AddRules(ctx context.Context, rules []policy.Rule, opts allowlist.Options) (allowlist.Plan, error)
	TakeBack(ctx context.Context, version int64, opts allowlist.Options) (allowlist.Plan, error)
}

// Records opens nonconformities by hand and takes findings off them again; ingest has it.
type Records interface {
	OpenRecords(ctx context.Context, findings []authorization.Finding) (map[int64]string, error)
	WithdrawRecords(ctx context.Context, findings []authorization.Finding) (int, error)
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	Rules   Rules
	Records Records
	Audit   audit.Log
	Now     func() time.Time
}

// Service is the use-case. Every method asks for the right to review findings.
type Service struct{ cfg Config }

// New returns a Service.
func New(cfg Config) *Service { return &Service{cfg} }

// Bounds of one decision.
const (
	MaxFindings = 5000 // that it settles
	MaxRecords  = 500  // findings that it puts into records
	MaxKeys     = 200  // groups
	maxNames    = 5    // programs that a Decision names
)

// PutOffFor is how long "not now" puts findings off.
const PutOffFor = 7 * 24 * time.Hour

// mine asks for the right over everything: whoever reviews does so for the company.
func mine(ctx context.Context) error {
	scope, err := access.Need(ctx, access.ReviewFindings)
	if err == nil && !scope.All {
		err = access.Refused(access.ReviewFindings)
	}
	return err
}

// keyOf names the group of a program: its reported name and publisher, where it comes
// from, and whether it is denied.
func keyOf(title int64, p *inventory.Program, verdict string) string {
	letter := "u"
	if verdict == string(policy.Denied) {
		letter = "d"
	}
	return fmt.Sprintf("%d-%s-%s", title, hashOf(p.Source, p.Origin), letter)
}

// titleOf reads the title out of a key. Invalid "review.no-such-group".
func titleOf(key string) (int64, error) {
	head, rest, ok := strings.Cut(key, "-")
	n, err := strconv.ParseInt(head, 10, 64)
	if !ok || err != nil || n < 1 || len(rest) > 40 {
		return 0, apperr.New(apperr.Invalid, "review.no-such-group", apperr.Args{"field": "group"})
	}
	return n, nil
}
