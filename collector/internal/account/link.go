package account

import (
	"context"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// RequestLink mails a link for p (ForSignIn or ForReset) to whoever has that address.
// The answer and its time are the same whether somebody has. Errors: Conflict
// "account.no-mail", TooMany "account.wait-link" for an address of the network that asks
// too often; asking too often for one person mails nothing and says nothing.
func (s *Service) RequestLink(ctx context.Context, email string, p Purpose, c Client) error {
	floor := time.NewTimer(s.MinAnswer)
	defer floor.Stop()
	err := s.requestLink(ctx, clean(email), p, c)
	select {
	case <-floor.C:
	case <-ctx.Done():
	}
	return err
}

func (s *Service) requestLink(ctx context.Context, email string, p Purpose, c Client) error {
	if err := s.MailReady(ctx); err != nil {
		return err
	}
	if !plausible(email) {
		return apperr.New(apperr.Invalid, "account.email", apperr.Args{"field": "email"})
	}
	known, err := s.knows(ctx, email, c)
	if err != nil {
		return err
	}
	if !known { // an office behind one address must not use up what its people need
		if err := s.admitAsking(ctx, email, c); err != nil {
			return err
		}
	}
	wait, err := s.take(ctx, perLink(), digest(email))
	if err != nil || wait > 0 {
		return err
	}
	person, err := s.active(ctx, email)
	if apperr.Is(err, apperr.NotFound) || apperr.Is(err, apperr.Conflict) {
		return s.record(asDoor(ctx), "signin.link-refused", object(person.Email), nil, map[string]any{"purpose": p, "address": c.Address})
	} else if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.mail(asDoor(ctx), person, p, c.Address, c.Next) })
}

// admitAsking counts one request for a link from a network.
func (s *Service) admitAsking(ctx context.Context, email string, c Client) error {
	wait, err := s.take(ctx, perAsking(), network(c.Address))
	if err != nil || wait == 0 {
		return err
	}
	if err := s.throttled(ctx, perAsking(), network(c.Address), email, c, wait); !apperr.Is(err, apperr.TooMany) {
		return err
	}
	return apperr.New(apperr.TooMany, "account.wait-link", apperr.Args{"minutes": int((wait + time.Minute - 1) / time.Minute)})
}

// mail makes a link and hands it to the mailer.
func (s *Service) mail(ctx context.Context, p Person, purpose Purpose, address, next string) error {
	secret, l, err := s.newLink(ctx, p.Email, purpose)
	if err != nil {
		return err
	}
	a, err := s.Accounts.Account(ctx, p.Email)
	if err != nil {
		return err
	}
	if err := s.Mailer.Enqueue(ctx, Mail{To: p.Email, Name: p.Name, Language: a.Language, Purpose: purpose, By: inviter(ctx), Secret: secret, Next: next, ExpiresAt: l.ExpiresAt}); err != nil {
		return err
	}
	return s.record(ctx, "signin.link", object(p.Email), nil, map[string]any{"purpose": purpose, "expires_at": l.ExpiresAt, "address": address, "mailed": true})
}

// inviter is the e-mail of the person who acts, if a person does.
func inviter(ctx context.Context) string {
	if a := actor.From(ctx); a.Kind == actor.Person && strings.Contains(a.ID, "@") {
		return a.ID
	}
	return ""
}

func (s *Service) newLink(ctx context.Context, person string, purpose Purpose) (string, Link, error) {
	secret, err := s.secret()
	if err != nil {
		return "", Link{}, err
	}
	now := s.now()
	l := Link{Hash: hashOf(secret), Person: person, Purpose: purpose, CreatedAt: now, CreatedBy: actor.From(ctx).String(), ExpiresAt: now.Add(purpose.life())}
	return secret, l, s.Links.CreateLink(ctx, l)
}

// PrintLink makes a link that is shown to whoever administers the server instead of
// mailed: for a person, or with an empty e-mail for the administrator of the server.
// Errors: NotFound "person.unknown", Conflict "person.inactive".
func (s *Service) PrintLink(ctx context.Context, email string, purpose Purpose) (secret string, err error) {
	if err := may(ctx); err != nil {
		return "", err
	}
	person := ""
	if email != "" || purpose != ForOperator {
		p, err := s.active(ctx, email)
		if err != nil {
			return "", err
		}
		person = p.Email
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		var l Link
		if secret, l, err = s.newLink(ctx, person, purpose); err != nil {
			return err
		}
		return s.record(ctx, "signin.link", "person/"+person, nil, map[string]any{"purpose": purpose, "expires_at": l.ExpiresAt})
	})
	return secret, err
}

// Link tells what a link is for, without using it: mail scanners open links. Errors:
// NotFound "signin.unknown", Conflict "signin.used", Unauthenticated "signin.expired".
func (s *Service) Link(ctx context.Context, secret string) (Link, error) {
	return s.Links.Link(ctx, hashOf(secret), s.now())
}

// UseLink uses up a link to sign in with. Errors: as for Link, and Forbidden
// "web.person-inactive".
func (s *Service) UseLink(ctx context.Context, secret string, c Client) (Proof, error) {
	var l Link
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if l, err = s.Links.Link(ctx, hashOf(secret), s.now()); err != nil {
			return err
		}
		if l.Purpose != ForSignIn && l.Purpose != ForOperator { // those are used by ChoosePassword
			return apperr.New(apperr.NotFound, "signin.unknown", nil)
		}
		if l, err = s.Links.UseLink(ctx, hashOf(secret), s.now()); err != nil {
			return err
		}
		return s.record(s.user(ctx, l), "signin.use", "person/"+l.Person, nil, map[string]any{"link_by": l.CreatedBy, "purpose": l.Purpose, "address": c.Address})
	})
	if err != nil {
		return Proof{}, err
	}
	return s.proofOf(ctx, l)
}

// user is ctx with whom the link is for as the actor.
func (s *Service) user(ctx context.Context, l Link) context.Context {
	if l.Person == "" {
		return actor.With(ctx, actor.Actor{Kind: actor.CLI, ID: l.CreatedBy})
	}
	return asPerson(ctx, l.Person)
}

func (s *Service) proofOf(ctx context.Context, l Link) (Proof, error) {
	methods := map[Purpose]Method{ForOperator: ByOperator, ForSignIn: ByLink, ForInvite: ByInvite, ForReset: ByReset}
	proof := Proof{Person: l.Person, Method: methods[l.Purpose]}
	if l.Person == "" {
		return proof, nil
	}
	p, err := s.active(ctx, l.Person)
	if apperr.Is(err, apperr.NotFound) || apperr.Is(err, apperr.Conflict) {
		return Proof{}, apperr.New(apperr.Forbidden, "web.person-inactive", nil)
	} else if err != nil {
		return Proof{}, err
	}
	a, err := s.Accounts.Account(ctx, p.Email)
	proof.Name, proof.NeedsCode = p.Name, a.TOTP != nil && l.Purpose != ForOperator
	return proof, err
}

// ChoosePassword uses up an invitation or a reset link to set a password, which must be
// given twice elsewhere. A password that will not do leaves the link as it is. Errors:
// as for Link and UseLink, Invalid "account.password-…".
func (s *Service) ChoosePassword(ctx context.Context, secret, password string, c Client) (Proof, error) {
	l, err := s.Link(ctx, secret)
	if err != nil {
		return Proof{}, err
	}
	if l.Purpose != ForInvite && l.Purpose != ForReset {
		return Proof{}, apperr.New(apperr.NotFound, "signin.unknown", nil)
	}
	proof, err := s.proofOf(ctx, l)
	if err != nil {
		return Proof{}, err
	}
	phc, err := s.newPassword(ctx, l.Person, password)
	if err != nil {
		return Proof{}, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.Links.UseLink(ctx, hashOf(secret), s.now()); err != nil {
			return err
		}
		return s.setPassword(asPerson(ctx, l.Person), l.Person, phc, "", "", string(l.Purpose))
	})
	return proof, err
}

// MailReady tells whether links can be mailed: Conflict "account.no-mail", said to people
// who cannot mend it.
func (s *Service) MailReady(ctx context.Context) error {
	err := s.Mailer.Ready(ctx)
	if apperr.Is(err, apperr.Conflict) {
		return apperr.Wrap(err, apperr.Conflict, "account.no-mail", nil)
	}
	return err
}
