package account_test

import (
	"context"
	"encoding/base32"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"vigia/collector/internal/account"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

type contextT = context.Context

// code is what an authenticator application shows at a time.
func code(t *testing.T, secret []byte, at time.Time) string {
	t.Helper()
	c, err := totp.GenerateCode(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret), at)
	must(t, err)
	return c
}

func (h *house) totp(email string, role actor.Role) (secret []byte, codes []string) {
	h.t.Helper()
	k, err := h.NewTOTP(email)
	must(h.t, err)
	codes, err = h.SetTOTP(person(h.t, email, role), email, k.Secret, code(h.t, k.Secret, h.now()))
	must(h.t, err)
	return k.Secret, codes
}

func TestACodeOpensOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		k, err := h.NewTOTP("ana@example.com")
		must(t, err)
		if !strings.HasPrefix(k.URI, "otpauth://totp/Vig%C3%ADa:ana@example.com?") || len(strings.Fields(k.Text)) != 8 {
			t.Errorf("key %+v", k)
		}
		ana := person(t, "ana@example.com", actor.Technician)
		for _, bad := range []string{"", "000", "abcdef", code(t, k.Secret, h.now().Add(-time.Hour))} {
			_, err = h.SetTOTP(ana, "ana@example.com", k.Secret, bad)
			wantKey(t, err, apperr.Invalid, "account.wrong-code")
		}
		if p, err := h.SignIn(t.Context(), "ana@example.com", good, home); err != nil || p.NeedsCode {
			t.Fatalf("before: %+v, %v", p, err)
		}
		codes, err := h.SetTOTP(ana, "ana@example.com", k.Secret, code(t, k.Secret, h.now()))
		must(t, err)
		if len(codes) != 10 || len(codes[0]) != 19 {
			t.Errorf("codes %q", codes)
		}
		_, err = h.SetTOTP(ana, "ana@example.com", k.Secret, code(t, k.Secret, h.now()))
		wantKey(t, err, apperr.Conflict, "account.totp-there")

		p, err := h.SignIn(t.Context(), "ana@example.com", good, home)
		if err != nil || !p.NeedsCode {
			t.Fatalf("after: %+v, %v", p, err)
		}
		_, err = h.Begin(t.Context(), p, false, home)
		wantKey(t, err, apperr.Unauthenticated, "account.wrong")
		// The code that set it up was used with it.
		wantKey(t, h.Code(t.Context(), "ana@example.com", code(t, k.Secret, h.now()), home), apperr.Unauthenticated, "account.wrong-code")
		h.later(30 * time.Second)
		now := code(t, k.Secret, h.now())
		must(t, h.Code(t.Context(), "ana@example.com", now[:3]+" "+now[3:], home))
		wantKey(t, h.Code(t.Context(), "ana@example.com", now, home), apperr.Unauthenticated, "account.wrong-code")
		h.later(10 * time.Minute)
		must(t, h.Code(t.Context(), "ana@example.com", code(t, k.Secret, h.now().Add(30*time.Second)), home)) // a clock that is ahead
		wantKey(t, h.Code(t.Context(), "ana@example.com", code(t, k.Secret, h.now()), home), apperr.Unauthenticated, "account.wrong-code")
	})
}

func TestOneCodeAtOnceOpensOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		secret, codes := h.totp("ana@example.com", actor.Technician)
		for _, c := range []func() string{func() string { h.later(time.Minute); return code(t, secret, h.now()) }, func() string { return codes[0] }} {
			h.later(time.Hour)
			one := c()
			var wg sync.WaitGroup
			var mu sync.Mutex
			opened := 0
			for range 5 {
				wg.Go(func() {
					if h.Code(t.Context(), "ana@example.com", one, home) == nil {
						mu.Lock()
						opened++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if opened != 1 {
				t.Errorf("opened %d times", opened)
			}
		}
	})
}

func TestRecoveryCodesWorkOnceEach(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		secret, codes := h.totp("ana@example.com", actor.Technician)
		for i, c := range codes {
			h.later(10 * time.Minute)
			if i%2 == 1 {
				c = strings.ToLower(strings.ReplaceAll(c, "-", " "))
			}
			must(t, h.Code(t.Context(), "ana@example.com", c, home))
			wantKey(t, h.Code(t.Context(), "ana@example.com", c, home), apperr.Unauthenticated, "account.wrong-code")
		}
		ana := person(t, "ana@example.com", actor.Technician)
		if o, err := h.Overview(ana, "ana@example.com"); err != nil || o.CodesLeft != 0 || !o.TOTP || o.Account.TOTP != nil {
			t.Errorf("overview %+v, %v", o, err)
		}
		h.later(time.Hour)
		fresh, err := h.NewCodes(ana, "ana@example.com", code(t, secret, h.now()), home)
		must(t, err)
		wantKey(t, h.Code(t.Context(), "luis@example.com", fresh[0], home), apperr.Unauthenticated, "account.wrong-code")
		must(t, h.Code(t.Context(), "ana@example.com", fresh[0], home))
		if all := strings.Join(h.audits("person/ana@example.com"), "\n"); strings.Contains(all, codes[0]) || !strings.Contains(all, `account.recovery-code {"address":"192.0.2.10","left":9}`) {
			t.Errorf("audit log:\n%s", all)
		}
	})
}

func TestGuessingCodesIsSlow(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.totp("ana@example.com", actor.Technician)
		for range 5 {
			wantKey(t, h.Code(t.Context(), "ana@example.com", "000000", home), apperr.Unauthenticated, "account.wrong-code")
		}
		wantKey(t, h.Code(t.Context(), "ana@example.com", "000000", home), apperr.TooMany, "account.wait")
		h.later(5 * time.Minute)
		wantKey(t, h.Code(t.Context(), "ana@example.com", "000000", home), apperr.Unauthenticated, "account.wrong-code")
	})
}

func TestASecondFactorByRole(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		st := h.enter("ana@example.com", home)
		h.rules.TOTPRoles = []actor.Role{actor.Technician}
		state, err := h.State(t.Context(), st.Session.ID, actor.Technician, false)
		if err != nil || !state.MustSetTOTP {
			t.Fatalf("state %+v, %v", state, err)
		}
		secret, _ := h.totp("ana@example.com", actor.Technician)
		if state, err = h.State(t.Context(), st.Session.ID, actor.Technician, false); err != nil || state.MustSetTOTP || !state.HasTOTP {
			t.Errorf("state %+v, %v", state, err)
		}
		h.later(time.Hour)
		ana := person(t, "ana@example.com", actor.Technician)
		wantKey(t, h.RemoveTOTP(ana, "ana@example.com", code(t, secret, h.now()), home), apperr.Forbidden, "account.totp-required")
		wantKey(t, h.ResetTOTP(ana, "ana@example.com"), apperr.Forbidden, "account.administrators")
		wantKey(t, h.ResetTOTP(person(t, "jefa@example.com", actor.Administrator), "luis@example.com"), apperr.Conflict, "account.totp-none")
		must(t, h.ResetTOTP(person(t, "jefa@example.com", actor.Administrator), "ana@example.com"))
		_, err = h.State(t.Context(), st.Session.ID, actor.Technician, false)
		wantKey(t, err, apperr.Unauthenticated, "account.session-ended")
		if p, err := h.SignIn(t.Context(), "ana@example.com", good, home); err != nil || p.NeedsCode {
			t.Errorf("after the reset: %+v, %v", p, err)
		}

		h.rules.TOTPRoles = nil
		secret, _ = h.totp("luis@example.com", actor.Employee)
		h.later(time.Hour)
		luis := person(t, "luis@example.com", actor.Employee)
		wantKey(t, h.RemoveTOTP(luis, "luis@example.com", "123", home), apperr.Invalid, "account.wrong-code")
		must(t, h.RemoveTOTP(luis, "luis@example.com", code(t, secret, h.now()), home))
	})
}

func TestOperatorLinksAskForNoCode(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.totp("ana@example.com", actor.Technician)
		secret, err := h.PrintLink(cli(t), "ana@example.com", account.ForOperator)
		must(t, err)
		if p, err := h.UseLink(t.Context(), secret, home); err != nil || p.NeedsCode {
			t.Errorf("operator's link: %+v, %v", p, err)
		}
		must(t, h.RequestLink(t.Context(), "ana@example.com", account.ForSignIn, home))
		if p, err := h.UseLink(t.Context(), h.mails[0].Secret, home); err != nil || !p.NeedsCode {
			t.Errorf("mailed link: %+v, %v", p, err)
		}
	})
}
