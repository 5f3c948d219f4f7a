package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

// Deps is what the use-cases stand on. All fields are required but MinAnswer.
type Deps struct {
	Tx        Transactor
	Directory Directory
	Accounts  Store
	Links     Links
	Sessions  Sessions
	Guard     Guard
	Rules     RuleBook
	Mailer    Mailer
	Audit     audit.Log
	Now       func() time.Time
	NewID     func() string // UUID text
	Random    io.Reader     // secrets

	// MinAnswer is how long asking for a link takes at least, so that its time does not
	// tell whether somebody exists.
	MinAnswer time.Duration
	// Cost of new passwords; the zero value is DefaultCost.
	Cost Cost
}

// Service holds the use-cases of accounts. It is safe for concurrent use.
type Service struct {
	Deps
	hasher *hasher
}

// New returns the use-cases over d.
func New(d Deps) (*Service, error) {
	if d.Cost == (Cost{}) {
		d.Cost = DefaultCost()
	}
	h, err := newHasher(d.Cost, d.Random)
	if err != nil {
		return nil, err
	}
	return &Service{Deps: d, hasher: h}, nil
}

// now is the time as it is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// secret returns 32 random bytes as text for an address or a cookie.
func (s *Service) secret() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		return "", fmt.Errorf("drawing a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func hashOf(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// record writes one change of the actor in ctx to the audit log.
func (s *Service) record(ctx context.Context, action, object string, before, after any) error {
	return s.Audit.Append(ctx, audit.Entry{At: s.now(), Actor: actor.From(ctx).String(), Action: action, Object: object,
		Before: audit.JSON(before), After: audit.JSON(after)})
}

// object names a person in the audit log. What was typed and is nobody's address stays
// out of it: it may be a password in the wrong box.
func object(person string) string {
	if person == "" {
		return "person/?"
	}
	return "person/" + person
}

// asPerson is ctx with the person as the actor.
func asPerson(ctx context.Context, person string) context.Context {
	return actor.With(ctx, actor.Actor{Kind: actor.Person, ID: person})
}

// asDoor is ctx with the sign-in itself as the actor: nobody is known yet.
func asDoor(ctx context.Context) context.Context {
	return actor.With(ctx, actor.Actor{Kind: actor.System, ID: "signin"})
}

// may fails unless the actor in ctx administers accounts.
func may(ctx context.Context) error {
	a := actor.From(ctx)
	if a.Role == actor.Administrator && (a.Kind == actor.Person || a.Kind == actor.CLI) {
		return nil
	}
	return apperr.New(apperr.Forbidden, "account.administrators", nil)
}

// active returns the person, who must be known and active.
func (s *Service) active(ctx context.Context, email string) (Person, error) {
	p, err := s.Directory.AccountPerson(ctx, clean(email))
	if err == nil && !p.Active {
		err = apperr.New(apperr.Conflict, "person.inactive", apperr.Args{"person": p.Email})
	}
	return p, err
}

// Forget removes what is of no use any more; for a job.
func (s *Service) Forget(ctx context.Context) error {
	return s.Guard.Forget(ctx, s.now(), s.now().Add(-180*24*time.Hour))
}
