package app

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"vigia/collector/app/demo"
	"vigia/collector/internal/backup"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/view"
	"vigia/collector/internal/web"
)

// newConsole puts the pages together.
func newConsole(ctx context.Context, d *desk, cfg Config, backups *backup.Runner) (http.Handler, error) {
	texts, err := locale.Load()
	if err != nil {
		return nil, err
	}
	_, sample, err := demo.SampleOf(ctx, d.store)
	if err != nil {
		return nil, err
	}
	rules := d.allowlistOver(d.store, d.newIngester("console "+newID()))
	seen := view.New(d.store) // what the actor of each request may see
	return web.New(web.Deps{
		Machines: seen, Groups: seen, Verdicts: verdicts{d}, Fleet: d.fleet, Inventory: seen, Titles: d.titles(), Findings: seen, Severities: d.severities(), Requests: d.questions(), RuleReviews: d.ruleReviews(), Brakes: d.brakes(), Nonconformities: view.NewRecords(d.store.Nonconformities()), Directory: d.store, Allowlist: d.store,
		Agents: agentPages{d.fleet, d}, Audit: d.ledger,
		RecordSteps: d.records,
		People:      d.directory(), Imports: d.imports(),
		Rules: rules, Reviews: d.reviews(rules),
		Counts:   homeCounts(d),
		Sample:   sample,
		Settings: d.settings, Mail: mailPages{d, d.store}, Inbox: d.store, Backups: backupPages{d, backups}, Webhooks: d.webhooks(), Calendar: d.calendars(), Updates: updatePages{d.store.Updates(), d.updates()}, Wishes: notify.Wishes{Store: d.store},
		Explainer: explainer{d}, Accounts: d.accounts, Proxies: cfg.Proxies, Sessions: d.store.Sessions(), Texts: texts, Zone: cfg.Zone, ZoneNow: d.zoneNow, Now: cfg.Now, NewID: newID, Log: cfg.Log,
	})
}

// homeCounts gives the home page its figures.
func homeCounts(d *desk) func(context.Context, time.Time) (web.Counts, error) {
	return func(ctx context.Context, silentSince time.Time) (web.Counts, error) {
		n, err := d.store.Counts(ctx, silentSince)
		return web.Counts(n), err
	}
}

// serveHTTPS is serveHTTP over the server's TLS.
func serveHTTPS(ctx context.Context, s *http.Server, l net.Listener) error {
	return serveHTTP(ctx, s, tls.NewListener(l, s.TLSConfig))
}
