package app

import (
	"context"
	"time"

	"vigia/collector/internal/jobs"
	"vigia/collector/internal/store"
)

type job = jobs.Job

// keepReports is how long the ids of reports are known, so that one sent again has no
// effect: longer than an agent's spool keeps a report (90 days).
const keepReports = 120 * 24 * time.Hour

// keepCommands is how long a command is known after its answer, or unanswered.
const keepCommands = 90 * 24 * time.Hour

// jobs lists the periodic work of the collector.
func (d *desk) jobs() []job {
	return []job{
		{Name: "forget-sessions", Every: time.Hour, Run: func(ctx context.Context) error {
			_, err := d.store.Sessions().Prune(ctx, d.now())
			return err
		}},
		{Name: "forget-reports", Every: 6 * time.Hour, Lease: 10 * time.Minute, Run: func(ctx context.Context) error {
			return inParts(func() (int64, error) { return d.store.PruneReports(ctx, d.now().Add(-keepReports).UnixMicro(), 500) })
		}},
		{Name: "requests", Every: time.Minute, Lease: 10 * time.Minute, Run: d.requests().Tick},
		{Name: "brake-alarm", Every: time.Minute, Run: d.brakes().Alarm},
		{Name: "promises", Every: time.Minute, Lease: 10 * time.Minute, Run: d.questions().TickPromises},
		{Name: "grade-findings", Every: time.Minute, Lease: 10 * time.Minute, Run: func(ctx context.Context) error {
			_, err := d.newIngester("grade " + newID()).Regrade(ctx)
			return err
		}},
		{Name: "mail-digests", Every: time.Minute, Lease: 10 * time.Minute, Run: d.mail.Digests},
		{Name: "forget-letters", Every: 24 * time.Hour, Lease: 10 * time.Minute, Run: func(ctx context.Context) error {
			return inParts(func() (int64, error) { return d.store.PruneReceived(ctx, d.now().Add(-keepReceived), 500) })
		}},
		{Name: "forget-deliveries", Every: 24 * time.Hour, Lease: 10 * time.Minute, Run: d.newWebhookRunner("").Forget},
		{Name: "prove-audit", Every: 24 * time.Hour, Lease: 30 * time.Minute, Run: d.proveAudit},
		{Name: "forget-accounts", Every: time.Hour, Run: d.accounts.Forget},
		{Name: "forget-mail", Every: 24 * time.Hour, Lease: 10 * time.Minute, Run: d.mail.Forget},
		{Name: "forget-commands", Every: 24 * time.Hour, Lease: 10 * time.Minute, Run: func(ctx context.Context) error {
			return inParts(func() (int64, error) { return d.store.PruneCommands(ctx, d.now().Add(-keepCommands), 500) })
		}},
	}
}

// inParts repeats some work until it finds no more to do, so that each transaction is short.
func inParts(some func() (int64, error)) error {
	for {
		n, err := some()
		if err != nil || n == 0 {
			return err
		}
	}
}

// leases lets the store decide whose turn it is.
type leases struct{ *store.Store }

// Turn implements jobs.Store by the lock of the inventories, which is held for one
// small change every hour.
func (l leases) Turn(ctx context.Context) error { return l.Lock(ctx) }

func (a *App) runJobs(ctx context.Context) error {
	r := jobs.Runner{Store: leases{a.desk.store}, Name: a.name, Now: a.cfg.Now, Log: a.cfg.Log, Tick: time.Minute}
	return r.Run(ctx, a.jobs)
}
