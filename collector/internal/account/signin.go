package account

import (
	"context"

	"vigia/collector/internal/apperr"
)

// wrong is the one answer to a password that does not open, whatever the reason.
func wrong() error { return apperr.New(apperr.Unauthenticated, "account.wrong", nil) }

// SignIn checks an e-mail address and a password. Its answer and its time are the same
// for a wrong password, for somebody who has none, who left, and who never was. Errors:
// Unauthenticated "account.wrong", TooMany "account.wait", Unavailable "account.busy".
func (s *Service) SignIn(ctx context.Context, email, password string, c Client) (Proof, error) {
	email = clean(email)
	try, err := s.admit(ctx, email, c)
	if err != nil {
		return Proof{}, err
	}
	person, a, reason, err := s.lookUp(ctx, email)
	if err != nil {
		return Proof{}, err
	}
	if len(password) > 4*MaxPassword {
		password, reason = "", "wrong-password"
	}
	stored := a.Password
	if reason != "" {
		stored = ""
	}
	ok, stale, err := s.hasher.check(ctx, stored, password, try.known)
	if err != nil {
		return Proof{}, err
	}
	if !ok {
		if reason == "" {
			reason = "wrong-password"
		}
		return Proof{}, s.refused(ctx, person.Email, ByPassword, reason, c)
	}
	if stale {
		if a, err = s.rehash(ctx, a, password); err != nil {
			return Proof{}, err
		}
	}
	if err := s.release(ctx, try); err != nil {
		return Proof{}, err
	}
	return Proof{Person: person.Email, Name: person.Name, Method: ByPassword, NeedsCode: a.TOTP != nil}, nil
}

// lookUp finds who has a password to compare with; reason tells why nobody has.
func (s *Service) lookUp(ctx context.Context, email string) (p Person, a Account, reason string, err error) {
	if !plausible(email) {
		return p, a, "unknown", nil
	}
	p, err = s.Directory.AccountPerson(ctx, email)
	switch {
	case apperr.Is(err, apperr.NotFound):
		p, err, reason = Person{}, nil, "unknown"
	case err != nil:
		return p, a, "", err
	case !p.Active:
		reason = "inactive"
	}
	// The account is read for nobody too: both ways ask the database as often.
	if a, err = s.Accounts.Account(ctx, email); err == nil && reason == "" && a.Password == "" {
		reason = "no-password"
	}
	return p, a, reason, err
}

// rehash keeps the password at today's cost.
func (s *Service) rehash(ctx context.Context, a Account, password string) (Account, error) {
	phc, err := s.hasher.hash(password)
	if err != nil {
		return a, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if a, err = s.Accounts.Account(ctx, a.Person); err != nil {
			return err
		}
		a.Password = phc
		return s.Accounts.SaveAccount(ctx, a)
	})
	return a, err
}

// refused writes a failed sign-in down and returns the one answer.
func (s *Service) refused(ctx context.Context, person string, m Method, reason string, c Client) error {
	err := s.record(asDoor(ctx), "signin.failure", object(person), nil, map[string]any{
		"method": m, "reason": reason, "address": c.Address, "device": DeviceName(c.Agent)})
	if err != nil {
		return err
	}
	return wrong()
}

// Code checks the second step: the six digits of now, or a recovery code. Errors:
// Unauthenticated "account.wrong-code", TooMany "account.wait".
func (s *Service) Code(ctx context.Context, person, code string, c Client) error {
	wait, err := s.take(ctx, perCode(), person)
	if err != nil {
		return err
	}
	if wait > 0 {
		return s.throttled(ctx, perCode(), person, person, c, wait)
	}
	var by string
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.Accounts.Account(ctx, person)
		if err != nil {
			return err
		}
		if by, err = s.useCode(ctx, a, code); err != nil || by == "" {
			return err
		}
		if by == "recovery" {
			left, err := s.Accounts.CodesLeft(ctx, person)
			if err != nil {
				return err
			}
			return s.record(asPerson(ctx, person), "account.recovery-code", object(person), nil, map[string]any{"left": left, "address": c.Address})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if by == "" {
		if err := s.refused(ctx, person, "code", "wrong-code", c); !apperr.Is(err, apperr.Unauthenticated) {
			return err
		}
		return apperr.New(apperr.Unauthenticated, "account.wrong-code", apperr.Args{"field": "code"})
	}
	return s.giveBack(ctx, perCode(), person)
}
