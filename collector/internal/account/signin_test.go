package account_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
)

var home = account.Client{Address: "192.0.2.10", Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}

func TestPasswordOpensAndFailuresAreAllAlike(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		h.password("jefa@example.com")
		must(t, h.store.InTx(t.Context(), func(ctx contextT) error { // gone had a password
			a, err := h.store.Account(ctx, "ana@example.com")
			must(t, err)
			a.Person = "gone@example.com"
			return h.store.SaveAccount(ctx, a)
		}))
		st := h.enter(" Ana@Example.com ", home)
		if st.Session.Person != "ana@example.com" || st.Session.Device != "Firefox · Linux" || st.Session.Method != account.ByPassword || len(st.Device) < 40 {
			t.Errorf("started %+v", st)
		}
		for _, c := range []struct{ email, password string }{
			{"ana@example.com", "otra cosa distinta"}, {"luis@example.com", good}, {"gone@example.com", good}, {"nadie@example.com", good},
			{"", ""}, {"ana@example.com", ""}, {"no es un correo", good}, {"ana@example.com", strings.Repeat("x", 1<<20)}, {strings.Repeat("a", 1<<16) + "@example.com", good},
		} {
			_, err := h.SignIn(t.Context(), c.email, c.password, home)
			wantKey(t, err, apperr.Unauthenticated, "account.wrong")
		}
		all := strings.Join(h.audits("person/"), "\n")
		for _, want := range []string{`signin.success {`, `"reason":"wrong-password"`, `"reason":"no-password"`, `"reason":"inactive"`, `"reason":"unknown"`, `"address":"192.0.2.10"`} {
			if !strings.Contains(all, want) {
				t.Errorf("the audit log lacks %s:\n%s", want, all)
			}
		}
		for _, secret := range []string{good, "otra cosa", st.Device, "$argon2id", "no es un correo"} {
			if strings.Contains(all, secret) {
				t.Errorf("the audit log tells %q", secret)
			}
		}
	})
}

func TestHashesAreRenewedWhenTheCostChanges(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		before, err := h.store.Account(t.Context(), "ana@example.com")
		must(t, err)
		if !strings.HasPrefix(before.Password, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Fatalf("hash %q", before.Password)
		}
		d := h.Deps
		d.Cost = account.Cost{Memory: 128, Time: 1, Threads: 1}
		h.Service, err = account.New(d)
		must(t, err)
		h.enter("ana@example.com", home)
		after, err := h.store.Account(t.Context(), "ana@example.com")
		must(t, err)
		if !strings.Contains(after.Password, "m=128,") {
			t.Errorf("hash %q", after.Password)
		}
		h.enter("ana@example.com", home)
	})
}

// A stranger who guesses without end must not keep out whoever was here before, nor for
// good whoever comes from a new device, nor the links by mail.
func TestLockOutCannotBeUsedAgainstOthers(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		known := home
		known.Device = h.enter("ana@example.com", home).Device
		waits := 0
		for i := range 80 {
			evil := account.Client{Address: "198.51.100." + string(rune('0'+i%10))}
			_, err := h.SignIn(t.Context(), "ana@example.com", "adivina adivinanza", evil)
			if apperr.Is(err, apperr.TooMany) {
				waits++
			} else {
				wantKey(t, err, apperr.Unauthenticated, "account.wrong")
			}
		}
		if waits < 60 {
			t.Errorf("only %d of 80 guesses were turned away", waits)
		}
		h.enter("ana@example.com", known) // also from the same network, see below
		fresh := account.Client{Address: "203.0.113.9"}
		_, err := h.SignIn(t.Context(), "ana@example.com", good, fresh)
		wantKey(t, err, apperr.TooMany, "account.wait")
		must(t, h.RequestLink(t.Context(), "ana@example.com", account.ForSignIn, fresh))
		if len(h.mails) != 1 {
			t.Errorf("%d mails while the account is being guessed", len(h.mails))
		}
		h.later(91 * time.Second)
		h.enter("ana@example.com", fresh)

		for range 40 { // the whole office behind one address
			_, _ = h.SignIn(t.Context(), "luis@example.com", "adivina adivinanza", home)
			_, _ = h.SignIn(t.Context(), "nadie@example.com", "adivina adivinanza", home)
		}
		_, err = h.SignIn(t.Context(), "jefa@example.com", good, home)
		wantKey(t, err, apperr.TooMany, "account.wait")
		h.enter("ana@example.com", known)
		if n := strings.Count(strings.Join(h.audits("person/"), "\n"), "signin.throttled"); n == 0 || n > 5 {
			t.Errorf("%d entries of throttling", n)
		}
	})
}

// An office behind one address asks for links each morning.
func TestAskingForLinksIsBounded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		known := home
		known.Device = h.enter("ana@example.com", home).Device
		turned := 0
		for range 40 {
			if err := h.RequestLink(t.Context(), "nadie@example.com", account.ForSignIn, home); err != nil {
				wantKey(t, err, apperr.TooMany, "account.wait-link")
				turned++
			}
		}
		if turned != 10 {
			t.Errorf("%d of 40 were turned away", turned)
		}
		must(t, h.RequestLink(t.Context(), "ana@example.com", account.ForReset, known))
		if len(h.mails) != 1 || h.mails[0].Purpose != account.ForReset {
			t.Errorf("mails %+v", h.mails)
		}
		wantKey(t, h.RequestLink(t.Context(), "no es un correo", account.ForSignIn, home), apperr.Invalid, "account.email")
	})
}

func TestAStolenDeviceIsNoFreeTicket(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		known := home
		known.Device = h.enter("ana@example.com", home).Device
		turned := 0
		for range 60 {
			if _, err := h.SignIn(t.Context(), "ana@example.com", "adivina adivinanza", known); apperr.Is(err, apperr.TooMany) {
				turned++
			}
		}
		if turned < 25 {
			t.Errorf("%d of 60 guesses from a known device were turned away", turned)
		}
		known.Device = strings.Repeat("x", 43) // a made-up device is a stranger
		_, err := h.SignIn(t.Context(), "ana@example.com", good, known)
		wantKey(t, err, apperr.TooMany, "account.wait")
	})
}

func TestGuessesAtOnceGetNoMoreThanThereIs(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		var wg sync.WaitGroup
		var mu sync.Mutex
		looked := 0
		for range 40 {
			wg.Go(func() {
				_, err := h.SignIn(t.Context(), "ana@example.com", "adivina adivinanza", home)
				mu.Lock()
				defer mu.Unlock()
				if apperr.Is(err, apperr.Unauthenticated) {
					looked++
				}
			})
		}
		wg.Wait()
		if looked > 10 {
			t.Errorf("%d guesses at once were looked at", looked)
		}
	})
}

// The time of an answer must not tell who is here: every refusal reckons one hash, of
// the same cost.
func TestEveryRefusalTakesTheSameWork(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.password("ana@example.com")
		var done []account.Cost
		h.OnHash(func(c account.Cost) { done = append(done, c) })
		for _, email := range []string{"ana@example.com", "luis@example.com", "gone@example.com", "nadie@example.com", "", "no es un correo"} {
			done = nil
			h.later(time.Hour)
			_, err := h.SignIn(t.Context(), email, "otra cosa distinta", home)
			wantKey(t, err, apperr.Unauthenticated, "account.wrong")
			if len(done) != 1 || done[0] != h.Cost {
				t.Errorf("%q: hashes %v", email, done)
			}
		}
	})
}
