package account_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

const good = "el perro azul canta 7 veces"

// house is a service over a real store, with a clock and a mailbox of its own.
type house struct {
	*account.Service
	t     *testing.T
	store *store.Store

	mu    sync.Mutex
	clock time.Time
	mails []account.Mail
	ids   int
	dumb  error // why no mail is sent
	rules account.Rules
}

func (h *house) Ready(context.Context) error { return h.dumb }

func (h *house) Enqueue(_ context.Context, m account.Mail) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mails = append(h.mails, m)
	return nil
}

func (h *house) AccountRules(context.Context) (account.Rules, error) { return h.rules, nil }

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(d)
}

func (h *house) id() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", h.ids)
}

// newHouse has ana (technician), luis (employee), jefa (administrator) and gone, who left.
func newHouse(t *testing.T, s *store.Store) *house {
	t.Helper()
	h := &house{t: t, store: s, clock: time.Date(2026, 11, 23, 18, 0, 5, 0, time.UTC)}
	for _, p := range []org.Person{
		{Email: "ana@example.com", Name: "Ana Muñoz", Role: actor.Technician, Active: true},
		{Email: "luis@example.com", Name: "Luis Peña", Role: actor.Employee, Active: true},
		{Email: "jefa@example.com", Name: "Eva Ruiz", Role: actor.Administrator, Active: true},
		{Email: "gone@example.com", Name: "Ex Empleado", Role: actor.Administrator},
	} {
		if err := s.SavePerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	h.Service, err = account.New(account.Deps{Tx: s, Directory: s, Accounts: s, Links: s, Sessions: s, Guard: s, Rules: h, Mailer: h, Audit: s,
		Now: h.now, NewID: h.id, Random: rand.Reader, Cost: account.Cost{Memory: 64, Time: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func each(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) { fn(t, newHouse(t, s)) })
}

// cli is the context of a command on the server, person that of somebody signed in.
func cli(t *testing.T) context.Context {
	return actor.With(t.Context(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})
}

func person(t *testing.T, email string, role actor.Role) context.Context {
	return actor.With(t.Context(), actor.Actor{Kind: actor.Person, ID: email, Role: role})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKey(t *testing.T, err error, code apperr.Code, key string) {
	t.Helper()
	var e *apperr.Error
	if !errors.As(err, &e) || e.Code != code || e.Key != key {
		t.Errorf("got %v, want %s %s", err, code, key)
	}
}

// password gives somebody the good password.
func (h *house) password(email string) {
	h.t.Helper()
	must(h.t, h.GivePassword(cli(h.t), email, good))
}

// enter signs in and begins a session; code where one is asked for.
func (h *house) enter(email string, c account.Client) account.Started {
	h.t.Helper()
	p, err := h.SignIn(h.t.Context(), email, good, c)
	must(h.t, err)
	st, err := h.Begin(h.t.Context(), p, false, c)
	must(h.t, err)
	return st
}

// audits returns "action reason" of all entries about object.
func (h *house) audits(object string) []string {
	h.t.Helper()
	list, err := h.store.AuditList(h.t.Context(), audit.Filter{Object: object})
	must(h.t, err)
	out := make([]string, len(list))
	for i, e := range list {
		out[len(list)-1-i] = e.Action + " " + string(e.After)
	}
	return out
}
