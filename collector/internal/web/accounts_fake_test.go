package web_test

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// accounts is the real use-case over a real store, with a mailbox; links of the fake
// work beside real ones.
type accounts struct {
	*account.Service
	f     *fake
	store *store.Store

	mu    sync.Mutex
	mails []account.Mail
	rules account.Rules
	dumb  error
	ahead time.Duration // of the clock
	used  map[string]bool
}

func (a *accounts) Ready(context.Context) error { return a.dumb }

func (a *accounts) Enqueue(_ context.Context, m account.Mail) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mails = append(a.mails, m)
	return nil
}

func (a *accounts) AccountRules(context.Context) (account.Rules, error) { return a.rules, nil }

func (a *accounts) AccountPerson(ctx context.Context, email string) (account.Person, error) {
	p, err := a.f.Person(ctx, email)
	return account.Person{Email: p.Email, Name: p.Name, Role: p.Role, Active: p.Active}, err
}

func (a *accounts) now() time.Time { return now.Add(a.ahead) }

// newAccounts keeps accounts in s, nil for a store of its own.
func newAccounts(t testing.TB, f *fake, s *store.Store) *accounts {
	t.Helper()
	if s == nil {
		s = storetest.SQLite(t)
	}
	a := &accounts{f: f, store: s, used: map[string]bool{}}
	var err error
	a.Service, err = account.New(account.Deps{Tx: s, Directory: a, Accounts: s, Links: s, Sessions: s, Guard: s, Rules: a, Mailer: a, Audit: s,
		Now: a.now, NewID: uuid.NewString, Random: rand.Reader, Cost: account.Cost{Memory: 64, Time: 1, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Link finds links of the fake first.
func (a *accounts) Link(ctx context.Context, secret string) (account.Link, error) {
	if p, ok := a.f.links[secret]; ok {
		return account.Link{Person: p, Purpose: account.ForOperator}, nil
	}
	if a.used[secret] {
		return account.Link{}, apperr.New(apperr.Conflict, "signin.used", nil)
	}
	return a.Service.Link(ctx, secret)
}

// UseLink uses links of the fake first; one works once.
func (a *accounts) UseLink(ctx context.Context, secret string, c account.Client) (account.Proof, error) {
	person, ok := a.f.links[secret]
	if !ok {
		return a.Service.UseLink(ctx, secret, c)
	}
	delete(a.f.links, secret)
	a.used[secret] = true
	if p, err := a.f.Person(ctx, person); person != "" && (err != nil || !p.Active) {
		return account.Proof{}, apperr.New(apperr.Forbidden, "web.person-inactive", nil)
	}
	return account.Proof{Person: person, Method: account.ByOperator}, nil
}
