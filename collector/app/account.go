package app

import (
	"context"
	"crypto/rand"
	"time"

	"vigia/collector/internal/account"
)

// askingTakes is how long asking for a link by mail takes at least: longer than it takes
// to queue one.
const askingTakes = 400 * time.Millisecond

// newAccounts puts the use-cases of sign-in together.
func (d *desk) newAccounts() (*account.Service, error) {
	return account.New(account.Deps{
		Tx: d.store, Directory: d.store, Accounts: d.store, Links: d.store, Sessions: d.store, Guard: d.store, Rules: accountRules{d},
		Mailer: accountMail{d}, Audit: d.store, Now: d.now, NewID: newID, Random: rand.Reader, MinAnswer: askingTakes,
	})
}

// accountRules reads what the company chose.
type accountRules struct{ d *desk }

// AccountRules implements account.RuleBook.
func (r accountRules) AccountRules(ctx context.Context) (account.Rules, error) {
	v, err := r.d.values(ctx)
	out := account.Rules{TOTPRoles: v.TOTPRoles, Life: v.Session.Life, Idle: v.Session.Idle}
	if v.Company.Name != "" {
		out.Words = []string{v.Company.Name}
	}
	return out, err
}
