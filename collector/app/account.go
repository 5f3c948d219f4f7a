package app

import (
	"context"
	"crypto/rand"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
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
func (r accountRules) AccountRules(context.Context) (account.Rules, error) {
	return account.Rules{}, nil
}

// accountMail hands messages to the queue of mail.
type accountMail struct{ d *desk }

// Ready implements account.Mailer.
func (accountMail) Ready(context.Context) error {
	return apperr.New(apperr.Conflict, "mail.not-configured", nil)
}

// Enqueue implements account.Mailer.
func (m accountMail) Enqueue(ctx context.Context, _ account.Mail) error { return m.Ready(ctx) }
