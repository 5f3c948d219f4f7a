package account

import (
	"context"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// Overview is what is shown of an account.
type Overview struct {
	Person    Person
	Account   Account // without its secrets
	Password  bool
	TOTP      bool
	Required  bool // the role must have a second factor
	CodesLeft int
}

// Overview returns one's own account, or anybody's for administrators.
func (s *Service) Overview(ctx context.Context, person string) (Overview, error) {
	if err := s.ownOr(ctx, person); err != nil {
		return Overview{}, err
	}
	p, err := s.Directory.AccountPerson(ctx, clean(person))
	if err != nil {
		return Overview{}, err
	}
	a, err := s.Accounts.Account(ctx, p.Email)
	if err != nil {
		return Overview{}, err
	}
	set, err := s.Rules.AccountRules(ctx)
	if err != nil {
		return Overview{}, err
	}
	out := Overview{Person: p, Password: a.Password != "", TOTP: a.TOTP != nil, Required: set.requires(p.Role)}
	a.Password, a.TOTP, a.TOTPStep = "", nil, 0
	out.Account = a
	out.CodesLeft, err = s.Accounts.CodesLeft(ctx, p.Email)
	return out, err
}

// Prefer keeps how the person wants to see the screens. Empty language leaves it.
func (s *Service) Prefer(ctx context.Context, person, language string, theme *Theme) error {
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.Accounts.Account(ctx, person)
		if err != nil {
			return err
		}
		before := a
		if language != "" {
			a.Language = language
		}
		if theme != nil {
			a.Theme = *theme
		}
		if a.Language == before.Language && a.Theme == before.Theme {
			return nil
		}
		if err := s.Accounts.SaveAccount(ctx, a); err != nil {
			return err
		}
		return s.record(ctx, "account.preferences", object(person), map[string]any{"language": before.Language, "theme": before.Theme},
			map[string]any{"language": a.Language, "theme": a.Theme})
	})
}

// newPassword checks a new password against the rules and returns its hash.
func (s *Service) newPassword(ctx context.Context, person, password string) (string, error) {
	p, err := s.active(ctx, person)
	if err != nil {
		return "", err
	}
	set, err := s.Rules.AccountRules(ctx)
	if err != nil {
		return "", err
	}
	if err := checkPassword(password, p, set.Words); err != nil {
		return "", err
	}
	if err := s.hasher.known.enter(ctx); err != nil {
		return "", err
	}
	defer s.hasher.known.leave()
	return s.hasher.hash(password)
}

// setPassword keeps a new password; every other session and device of the person, and
// the links that were not used, end with the old one.
func (s *Service) setPassword(ctx context.Context, person, phc, session, device, how string) error {
	a, err := s.Accounts.Account(ctx, person)
	if err != nil {
		return err
	}
	had := a.Password != ""
	a.Password, a.PasswordAt = phc, s.now()
	if err := s.Accounts.SaveAccount(ctx, a); err != nil {
		return err
	}
	ended, err := s.Sessions.DropSessions(ctx, person, session)
	if err != nil {
		return err
	}
	if err := s.Guard.DropDevices(ctx, person, hashOf(device)); err != nil {
		return err
	}
	if err := s.Links.DropLinks(ctx, person); err != nil {
		return err
	}
	return s.record(ctx, "account.password", object(person), map[string]any{"password": had}, map[string]any{"by": how, "sessions_ended": ended})
}

// ChangePassword sets one's own password from a session. current is asked for where
// there is one. Errors: Invalid "account.wrong-current" or "account.password-…", TooMany
// "account.wait".
func (s *Service) ChangePassword(ctx context.Context, person, current, password, session string, c Client) error {
	a, err := s.Accounts.Account(ctx, person)
	if err != nil {
		return err
	}
	if a.Password != "" {
		wait, err := s.take(ctx, perCode(), "password "+person)
		if err != nil {
			return err
		}
		if wait > 0 {
			return s.throttled(ctx, perCode(), "password "+person, person, c, wait)
		}
		ok, _, err := s.hasher.check(ctx, a.Password, current, true)
		if err != nil {
			return err
		}
		if !ok {
			return apperr.New(apperr.Invalid, "account.wrong-current", apperr.Args{"field": "current"})
		}
		if err := s.giveBack(ctx, perCode(), "password "+person); err != nil {
			return err
		}
	}
	phc, err := s.newPassword(ctx, person, password)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		return s.setPassword(ctx, person, phc, session, c.Device, "change")
	})
}

// Invite mails somebody the way to their first password. Administrators only. Errors:
// NotFound "person.unknown", Conflict "person.inactive", "mail.not-configured".
func (s *Service) Invite(ctx context.Context, email string) error {
	if err := may(ctx); err != nil {
		return err
	}
	if err := s.Mailer.Ready(ctx); err != nil {
		return err
	}
	p, err := s.active(ctx, email)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.mail(ctx, p, ForInvite, "", "") })
}

// GivePassword sets somebody's password from the server. The CLI only: on the console
// nobody learns another's password. Errors: as for Invite, Invalid "account.password-…".
func (s *Service) GivePassword(ctx context.Context, email, password string) error {
	if a := actor.From(ctx); a.Kind != actor.CLI {
		return apperr.New(apperr.Forbidden, "account.administrators", nil)
	}
	p, err := s.active(ctx, email)
	if err != nil {
		return err
	}
	phc, err := s.newPassword(ctx, p.Email, password)
	if err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.setPassword(ctx, p.Email, phc, "", "", "cli") })
}

// ResetTOTP takes somebody's second factor and recovery codes away and ends their
// sessions. Administrators only; their own they remove like everybody.
func (s *Service) ResetTOTP(ctx context.Context, email string) error {
	if err := may(ctx); err != nil {
		return err
	}
	p, err := s.Directory.AccountPerson(ctx, clean(email))
	if err != nil {
		return err
	}
	if a := actor.From(ctx); a.Kind == actor.Person && a.ID == p.Email {
		return apperr.New(apperr.Forbidden, "account.totp-own", nil)
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.Accounts.Account(ctx, p.Email)
		if err != nil {
			return err
		}
		if a.TOTP == nil {
			return apperr.New(apperr.Conflict, "account.totp-none", apperr.Args{"person": p.Email})
		}
		if _, err := s.Sessions.DropSessions(ctx, p.Email, ""); err != nil {
			return err
		}
		return s.dropTOTP(ctx, p.Email, "account.totp-reset")
	})
}
