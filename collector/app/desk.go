package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"vigia/collector/internal/account"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ledger"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/org"
	"vigia/collector/internal/setting"
	"vigia/collector/internal/store"
)

// desk is what both the server and the commands work at: the database and the
// use-cases over it.
type desk struct {
	store     *store.Store
	authority *fleet.Authority
	fleet     *fleet.Service
	accounts  *account.Service
	settings  *setting.Service
	ledger    *ledger.Service
	mail      *notify.Queuer
	dataDir   string // where the key of secrets is; empty: nowhere
	records   *nonconformity.Service
	smtpURL   string         // stronger than the settings of mail; may be empty
	imapURL   string         // where replies are fetched; empty: nowhere
	zone      *time.Location // stronger than the setting; may be nil
	log       *slog.Logger
	now       func() time.Time
}

// openDesk opens the database and makes the CA when there is none. live tells which
// machines are connected here; nil for commands.
func openDesk(ctx context.Context, cfg Config, live func(string) bool) (*desk, error) {
	cfg.fill()
	st, err := openStore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	authority, err := fleet.OpenAuthority(ctx, st, st, st, "Vigía collector CA", cfg.Wall())
	if err != nil {
		_ = st.Close()
		return nil, err
	}
	d := &desk{store: st, authority: authority, log: cfg.Log, now: cfg.Now, dataDir: cfg.Data, smtpURL: cfg.SMTPURL, imapURL: cfg.IMAPURL, zone: cfg.Zone}
	d.settings = d.newSettings(cfg.Data)
	d.ledger = &ledger.Service{Store: st, Now: cfg.Now}
	if d.mail, err = d.newMail(); err != nil {
		_ = st.Close()
		return nil, err
	}
	d.records = d.newRecords()
	d.fleet = fleet.New(fleet.Deps{
		Tx: st, Machines: st, Groups: st, Tokens: st, Certificates: st, Agents: st, Changes: st, Commands: st, Audit: st,
		Findings: d.newIngester("desk " + newID()), Authority: authority, Now: cfg.Wall, NewID: newID, Live: live, Shared: st.Engine() != "sqlite",
	})
	if d.accounts, err = d.newAccounts(); err != nil {
		_ = st.Close()
		return nil, err
	}
	return d, nil
}

func (d *desk) close() error { return d.store.Close() }

// newID returns a random UUID as text.
func newID() string { return uuid.NewString() }

// people is the use-case that takes over a file of people.
func (d *desk) people() *org.Importer {
	return &org.Importer{
		Tx: d.store, Store: d.store, Audit: d.store, Now: d.now,
		Notify: func(ctx context.Context) error { return d.store.Notify(ctx, fleet.ChangePolicy, "org") },
	}
}
