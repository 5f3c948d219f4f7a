package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/store/internal/db"
)

var (
	_ account.Directory = (*Store)(nil)
	_ account.Store     = (*Store)(nil)
)

// AccountPerson implements account.Directory.
func (s *Store) AccountPerson(ctx context.Context, email string) (account.Person, error) {
	p, err := s.Person(ctx, email)
	return account.Person{Email: p.Email, Name: p.Name, Role: p.Role, Active: p.Active}, err
}

// Account implements account.Store.
func (s *Store) Account(ctx context.Context, person string) (a account.Account, err error) {
	a.Person = person
	err = s.read(ctx, "reading an account", func(q *db.Queries) error {
		v, err := q.AccountByPerson(ctx, person)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		a = account.Account{
			Person: v.Person, Password: v.Password, PasswordAt: fromMicros(v.PasswordAt), TOTPAt: fromMicros(v.TotpAt), TOTPStep: v.TotpStep,
			Language: v.Language, Theme: account.Theme(v.Theme),
		}
		if len(v.Totp) > 0 {
			a.TOTP = v.Totp
		}
		return nil
	})
	return a, err
}

// SaveAccount implements account.Store.
func (s *Store) SaveAccount(ctx context.Context, a account.Account) error {
	secret := a.TOTP
	if secret == nil {
		secret = []byte{}
	}
	return s.write(ctx, "keeping an account", func(ctx context.Context, q *db.Queries) error {
		return q.SaveAccount(ctx, db.SaveAccountParams{
			Person: a.Person, Password: a.Password, PasswordAt: micros(a.PasswordAt), Totp: secret, TotpAt: micros(a.TOTPAt), TotpStep: a.TOTPStep,
			Language: a.Language, Theme: string(a.Theme),
		})
	})
}

// UseTOTPStep implements account.Store.
func (s *Store) UseTOTPStep(ctx context.Context, person string, step int64) (used bool, err error) {
	err = s.write(ctx, "using a code", func(ctx context.Context, q *db.Queries) error {
		n, err := q.UseTOTPStep(ctx, db.UseTOTPStepParams{TotpStep: step, Person: person, TotpStep_2: step})
		used = n == 1
		return err
	})
	return used, err
}

// SaveCodes implements account.Store.
func (s *Store) SaveCodes(ctx context.Context, person string, hashes [][32]byte) error {
	return s.write(ctx, "keeping recovery codes", func(ctx context.Context, q *db.Queries) error {
		if err := q.DropAccountCodes(ctx, person); err != nil {
			return err
		}
		for _, h := range hashes {
			if err := q.InsertAccountCode(ctx, db.InsertAccountCodeParams{Person: person, Hash: h[:]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// UseCode implements account.Store.
func (s *Store) UseCode(ctx context.Context, person string, hash [32]byte, at time.Time) (used bool, err error) {
	err = s.write(ctx, "using a recovery code", func(ctx context.Context, q *db.Queries) error {
		n, err := q.UseAccountCode(ctx, db.UseAccountCodeParams{UsedAt: micros(at), Person: person, Hash: hash[:]})
		used = n == 1
		return err
	})
	return used, err
}

// CodesLeft implements account.Store.
func (s *Store) CodesLeft(ctx context.Context, person string) (n int, err error) {
	err = s.read(ctx, "counting recovery codes", func(q *db.Queries) error {
		left, err := q.AccountCodesLeft(ctx, person)
		n = int(left)
		return err
	})
	return n, err
}
