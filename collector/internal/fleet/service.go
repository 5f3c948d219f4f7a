package fleet

import (
	"context"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/audit"
)

// Deps is what the use-cases stand on. All fields but Live are required.
type Deps struct {
	Tx           Transactor
	Machines     Store
	Groups       GroupStore
	Tokens       TokenStore
	Certificates CertificateStore
	Agents       AgentStore
	Changes      Changes
	Commands     CommandStore
	Findings     Findings
	Audit        audit.Log
	Authority    *Authority
	Now          func() time.Time
	NewID        func() string             // UUID text, lower case
	Live         func(machine string) bool // whether the machine is connected here; nil: never
	Shared       bool                      // several collectors may be on the database
}

// Service holds the use-cases of the fleet. It is safe for concurrent use.
type Service struct {
	Deps
	known   *knownTokens
	limiter *attempts
	asked   questions
}

// New returns the use-cases over d.
func New(d Deps) *Service {
	if d.Live == nil {
		d.Live = func(string) bool { return false }
	}
	return &Service{Deps: d, known: newKnownTokens(d.Tokens, d.Now), limiter: newAttempts()}
}

// record writes one change of the actor in ctx to the audit log.
func (s *Service) record(ctx context.Context, action, object string, before, after any) error {
	return record(ctx, s.Audit, s.Now(), action, object, before, after)
}

func record(ctx context.Context, log audit.Log, now time.Time, action, object string, before, after any) error {
	return log.Append(ctx, audit.Entry{
		At: now.UTC().Truncate(time.Microsecond), Actor: actor.From(ctx).String(), Action: action, Object: object,
		Before: audit.JSON(before), After: audit.JSON(after),
	})
}
