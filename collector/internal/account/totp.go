package account

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"vigia/collector/internal/apperr"
)

// What every authenticator application can do (RFC 6238 with SHA-1, 6 digits, 30 s).
const (
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps before and after now, for clocks that are off
	totpBytes  = 20
)

// Recovery codes: ten of 80 bits.
const (
	recoveryCodes = 10
	recoveryBytes = 10
)

func base32Text(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// TOTPKey is a second factor that is being set up.
type TOTPKey struct {
	Secret []byte
	Text   string // to be typed, in groups of four
	URI    string // to be drawn: otpauth://totp/…
}

// KeyOf shows secret for person.
func KeyOf(person string, secret []byte) TOTPKey {
	text := base32Text(secret)
	// SHA-1, 6 digits and 30 s are what applications take where nothing else is said; the
	// shorter the text, the coarser and easier to scan its picture.
	uri := "otpauth://totp/" + url.PathEscape("Vigía:"+person) + "?secret=" + text + "&issuer=" + url.QueryEscape("Vigía")
	return TOTPKey{Secret: secret, Text: grouped(text), URI: uri}
}

// NewTOTP draws a secret for person. Nothing is kept until SetTOTP.
func (s *Service) NewTOTP(person string) (TOTPKey, error) {
	secret := make([]byte, totpBytes)
	if _, err := io.ReadFull(s.Random, secret); err != nil {
		return TOTPKey{}, fmt.Errorf("drawing a secret: %w", err)
	}
	return KeyOf(person, secret), nil
}

// step finds the time step, later than a.TOTPStep, whose code this is.
func (s *Service) step(a Account, code string) (int64, bool, error) {
	now := s.Now().Unix() / totpPeriod
	for at := now - totpSkew; at <= now+totpSkew; at++ {
		want, err := hotp.GenerateCodeCustom(base32Text(a.TOTP), uint64(at), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, fmt.Errorf("computing a code: %w", err)
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && at > a.TOTPStep {
			return at, true, nil
		}
	}
	return 0, false, nil
}

// useCode uses up a code of either kind. by is "totp", "recovery", or empty where it is
// neither.
func (s *Service) useCode(ctx context.Context, a Account, code string) (by string, err error) {
	if a.TOTP == nil || len(code) > 64 {
		return "", nil
	}
	code = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))
	if len(code) == 6 {
		at, ok, err := s.step(a, code)
		if err == nil && ok {
			ok, err = s.Accounts.UseTOTPStep(ctx, a.Person, at)
		}
		if err == nil && ok {
			by = "totp"
		}
		return by, err
	}
	ok, err := s.Accounts.UseCode(ctx, a.Person, hashOf(code), s.now())
	if err == nil && ok {
		by = "recovery"
	}
	return by, err
}

func wrongCode() error {
	return apperr.New(apperr.Invalid, "account.wrong-code", apperr.Args{"field": "code"})
}

// SetTOTP keeps the secret that person's application was given, once a code of it shows
// that it works, and returns the recovery codes, which nobody can see again. A second
// factor that is there already must be removed first: Conflict "account.totp-there".
func (s *Service) SetTOTP(ctx context.Context, person string, secret []byte, code string) (codes []string, err error) {
	if len(secret) != totpBytes {
		return nil, apperr.New(apperr.Conflict, "account.totp-again", nil)
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		a, err := s.Accounts.Account(ctx, person)
		if err != nil {
			return err
		}
		if a.TOTP != nil {
			return apperr.New(apperr.Conflict, "account.totp-there", nil)
		}
		a.TOTP, a.TOTPAt, a.TOTPStep = secret, s.now(), 0
		at, ok, err := s.step(a, strings.ReplaceAll(code, " ", ""))
		if err != nil {
			return err
		}
		if !ok {
			return wrongCode()
		}
		a.TOTPStep = at
		if err := s.Accounts.SaveAccount(ctx, a); err != nil {
			return err
		}
		if codes, err = s.newCodes(ctx, person); err != nil {
			return err
		}
		return s.record(ctx, "account.totp-set", object(person), nil, map[string]any{"recovery_codes": len(codes)})
	})
	return codes, err
}

// NewCodes puts ten new recovery codes in place of the old ones; code is one of now or a
// recovery code. Errors: Invalid "account.wrong-code", TooMany "account.wait".
func (s *Service) NewCodes(ctx context.Context, person, code string, c Client) (codes []string, err error) {
	if err := s.confirm(ctx, person, code, c); err != nil {
		return nil, err
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		if codes, err = s.newCodes(ctx, person); err != nil {
			return err
		}
		return s.record(ctx, "account.recovery-codes", object(person), nil, map[string]any{"recovery_codes": len(codes)})
	})
	return codes, err
}

// RemoveTOTP takes the second factor away. Where the person's role must have one, that
// is the administrator's to do, or rather to reset: Forbidden "account.totp-required".
func (s *Service) RemoveTOTP(ctx context.Context, person, code string, c Client) error {
	p, err := s.active(ctx, person)
	if err != nil {
		return err
	}
	set, err := s.Rules.AccountRules(ctx)
	if err != nil {
		return err
	}
	if set.requires(p.Role) {
		return apperr.New(apperr.Forbidden, "account.totp-required", nil)
	}
	if err := s.confirm(ctx, person, code, c); err != nil {
		return err
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.dropTOTP(ctx, person, "account.totp-removed") })
}

// confirm is Code for somebody who is inside.
func (s *Service) confirm(ctx context.Context, person, code string, c Client) error {
	err := s.Code(ctx, person, code, c)
	if apperr.Is(err, apperr.Unauthenticated) {
		return wrongCode()
	}
	return err
}

func (s *Service) dropTOTP(ctx context.Context, person, action string) error {
	a, err := s.Accounts.Account(ctx, person)
	if err != nil {
		return err
	}
	had := a.TOTP != nil
	a.TOTP, a.TOTPStep = nil, 0
	a.TOTPAt = s.now()
	if err := s.Accounts.SaveAccount(ctx, a); err != nil {
		return err
	}
	if err := s.Accounts.SaveCodes(ctx, person, nil); err != nil {
		return err
	}
	return s.record(ctx, action, object(person), map[string]any{"totp": had}, map[string]any{"totp": false})
}

func (s *Service) newCodes(ctx context.Context, person string) ([]string, error) {
	codes := make([]string, recoveryCodes)
	hashes := make([][32]byte, recoveryCodes)
	for i := range codes {
		b := make([]byte, recoveryBytes)
		if _, err := io.ReadFull(s.Random, b); err != nil {
			return nil, fmt.Errorf("drawing a recovery code: %w", err)
		}
		text := base32Text(b)
		codes[i], hashes[i] = strings.ReplaceAll(grouped(text), " ", "-"), hashOf(text)
	}
	return codes, s.Accounts.SaveCodes(ctx, person, hashes)
}

// grouped writes a text in groups of four.
func grouped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s[i:min(i+4, len(s))])
	}
	return b.String()
}
