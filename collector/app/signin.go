package app

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/signin"
	"vigia/internal/pki"
)

// linkLife is how long a sign-in link can be used.
const linkLife = 15 * time.Minute

// createLink makes a one-time link for a person, or with an empty e-mail for whoever
// administers the server, and returns its secret. Errors: NotFound "person.unknown".
func (d *desk) createLink(ctx context.Context, person string) (string, error) {
	if person != "" {
		p, err := d.store.Person(ctx, person)
		if err != nil {
			return "", err
		}
		if !p.Active {
			return "", apperr.New(apperr.Conflict, "person.inactive", apperr.Args{"person": p.Email})
		}
		person = p.Email
	}
	random, err := pki.NewSecret()
	if err != nil {
		return "", err
	}
	secret := base64.RawURLEncoding.EncodeToString(random)
	now := d.now().UTC().Truncate(time.Microsecond)
	link := signin.Link{Hash: sha256.Sum256([]byte(secret)), Person: person, CreatedAt: now, CreatedBy: actor.From(ctx).String(), ExpiresAt: now.Add(linkLife)}
	err = d.store.InTx(ctx, func(ctx context.Context) error {
		if err := d.store.CreateSigninLink(ctx, link); err != nil {
			return err
		}
		return d.audited(ctx, "signin.link", "person/"+person, map[string]any{"expires_at": link.ExpiresAt})
	})
	return secret, err
}

// UseLink implements web.SignIn.
func (d *desk) UseLink(ctx context.Context, secret string) (string, error) {
	var link signin.Link
	err := d.store.InTx(ctx, func(ctx context.Context) error {
		var err error
		if link, err = d.store.UseSigninLink(ctx, sha256.Sum256([]byte(secret)), d.now().UTC()); err != nil {
			return err
		}
		who := actor.Actor{Kind: actor.Person, ID: link.Person}
		if link.Person == "" {
			who = actor.Actor{Kind: actor.CLI, ID: link.CreatedBy}
		}
		return d.audited(actor.With(ctx, who), "signin.use", "person/"+link.Person, map[string]any{"link_by": link.CreatedBy})
	})
	return link.Person, err
}

// audited writes one change by the actor in ctx into the audit log.
func (d *desk) audited(ctx context.Context, action, object string, after any) error {
	return d.store.Append(ctx, audit.Entry{At: d.now().UTC().Truncate(time.Microsecond), Actor: actor.From(ctx).String(), Action: action, Object: object,
		Before: audit.JSON(nil), After: audit.JSON(after)})
}
