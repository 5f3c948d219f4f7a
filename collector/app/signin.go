package app

import (
	"context"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/audit"
)

// linkLife is how long a sign-in link can be used.
const linkLife = 15 * time.Minute

// createLink makes a one-time link for a person, or with an empty e-mail for whoever
// administers the server, and returns its secret. Errors: NotFound "person.unknown".
func (d *desk) createLink(ctx context.Context, person string) (string, error) {
	return d.accounts.PrintLink(ctx, person, account.ForOperator)
}

// UseLink implements web.SignIn.
func (d *desk) UseLink(ctx context.Context, secret string) (string, error) {
	proof, err := d.accounts.UseLink(ctx, secret, account.Client{})
	return proof.Person, err
}

// audited writes one change by the actor in ctx into the audit log.
func (d *desk) audited(ctx context.Context, action, object string, after any) error {
	return d.store.Append(ctx, audit.Entry{At: d.now().UTC().Truncate(time.Microsecond), Actor: actor.From(ctx).String(), Action: action, Object: object,
		Before: audit.JSON(nil), After: audit.JSON(after)})
}
