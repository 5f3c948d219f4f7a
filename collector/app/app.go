package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"vigia/collector/internal/backup"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/rpcapi"
	"vigia/internal/buildinfo"
	"vigia/internal/pki"
	"vigia/internal/runner"
	"vigia/internal/wire"
)

// stopWithin is how long the parts have to stop.
const stopWithin = 10 * time.Second

// App is one running collector: made by New, which opens everything and listens, run by
// Run, ended by Close.
type App struct {
	cfg       Config
	name      string
	desk      *desk
	unlock    func() error
	agents    net.Listener
	web       net.Listener
	metrics   net.Listener // nil: none
	rpc       *rpcapi.Server
	ingester  *ingest.Ingester
	reports   reports
	agentCert *pki.ServerCertificate
	webCert   *pki.ServerCertificate
	registry  *prometheus.Registry
	console   http.Handler
	jobs      []job
	backups   *backup.Runner
	from      int64 // newest change known at the start
	fromRules int64 // newest fleet.ChangePolicy known at the start
}

// New opens the database, makes what the first start needs, and listens. All errors of
// the configuration come at once.
func New(ctx context.Context, cfg Config) (*App, error) {
	if err := cfg.check(); err != nil {
		return nil, usageError{err}
	}
	cfg.fill()
	a := &App{cfg: cfg, name: newID()}
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) open(ctx context.Context) error {
	if a.cfg.DatabaseURL == "" {
		if err := makeDataDir(a.cfg.Data); err != nil {
			return err
		}
		var err error
		if a.unlock, err = lockDataDir(a.cfg.Data); err != nil {
			return err
		}
	}
	presence := fleet.NewPresence()
	var err error
	if a.desk, err = openDesk(ctx, a.cfg, presence.Live); err != nil {
		return err
	}
	if err := a.listen(); err != nil {
		return err
	}
	if err := a.certificates(ctx); err != nil {
		return err
	}
	if a.from, err = a.catchUp(ctx); err != nil {
		return err
	}
	a.ingester = a.desk.newIngester(a.name)
	a.ingester.PolicyChanged(a.fromRules) // what changed while no collector ran
	a.reports = reports{a.ingester}
	if err := a.serveAgents(ctx, presence); err != nil {
		return err
	}
	a.backups = a.desk.newBackups(a.cfg, a.name)
	v, err := a.desk.values(ctx)
	if err != nil {
		return err
	}
	a.cfg.Zone = a.desk.zoneOf(v)
	if a.console, err = newConsole(ctx, a.desk, a.cfg, a.backups); err != nil {
		return err
	}
	a.jobs = a.desk.jobs()
	return nil
}

func (a *App) listen() error {
	for _, l := range []struct {
		flag, address string
		to            *net.Listener
	}{{"agents", a.cfg.Agents, &a.agents}, {"web", a.cfg.Web, &a.web}, {"metrics", a.cfg.Metrics, &a.metrics}} {
		if l.address == "" {
			continue
		}
		var err error
		if *l.to, err = net.Listen("tcp", l.address); err != nil {
			return fmt.Errorf("listening on --%s %s: %w", l.flag, l.address, err)
		}
	}
	return nil
}

// certificates makes those of the listeners and writes down how they are reached.
func (a *App) certificates(ctx context.Context) error {
	dial := a.cfg.Addresses
	if len(dial) == 0 {
		dial = []string{reachable(a.agents.Addr())}
	}
	known, err := a.desk.changeAddresses(ctx, func(known *addresses) {
		if a.cfg.DatabaseURL != "" && len(a.cfg.Addresses) == 0 { // other collectors are reached beside this one
			dial = append(dial, slices.DeleteFunc(known.Agents, func(x string) bool { return slices.Contains(dial, x) })...)
		}
		known.Agents, known.Web = dial[:min(len(dial), 8)], reachable(a.web.Addr())
		known.Mail = a.cfg.SMTPURL != ""
		known.addNames(known.Agents...)
		known.addNames(known.Web, a.agents.Addr().String(), a.web.Addr().String())
	})
	if err != nil {
		return err
	}
	shown, also := a.desk.authority.Now().Shown()
	if a.agentCert, err = pki.NewServerCertificate(shown, pki.UseAgents, known.Names, a.cfg.Wall); err != nil {
		return err
	}
	a.agentCert.Set(shown, known.Names, also...)
	a.webCert, err = pki.NewServerCertificate(shown, pki.UseWeb, known.Names, a.cfg.Wall)
	return err
}

// newNames gives the certificates the names and the CA that are stored now.
func (a *App) newNames(ctx context.Context) error {
	known, err := a.desk.addresses(ctx)
	if err != nil {
		return err
	}
	shown, also := a.desk.authority.Now().Shown()
	a.agentCert.Set(shown, known.Names, also...)
	a.webCert.Set(shown, known.Names)
	return nil
}

// catchUp returns the number of the newest change, and notes that of the newest one of
// the policy.
func (a *App) catchUp(ctx context.Context) (int64, error) {
	for from := int64(0); ; {
		changes, newest, err := a.desk.store.Since(ctx, from)
		if err != nil || len(changes) == 0 {
			return from, err
		}
		from = newest
		for _, c := range changes {
			if c.Kind == fleet.ChangePolicy {
				a.fromRules = c.Seq
			}
		}
	}
}

func (a *App) serveAgents(ctx context.Context, presence *fleet.Presence) error {
	revocations, err := fleet.NewRevocations(ctx, a.desk.store, a.cfg.Wall)
	if err != nil {
		return err
	}
	a.registry = prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildMetric(), ingestMetrics{a.ingester}, updateMetrics{a.desk.store.Updates(), a.cfg.Log}} {
		if err := a.registry.Register(c); err != nil {
			return err
		}
	}
	codec := wire.NewCodec(wire.Limits{})
	a.rpc, err = rpcapi.New(rpcapi.Deps{
		Fleet: a.desk.fleet, Presence: presence, Revocations: revocations, Certificate: a.agentCert,
		Ingest:  a.reports,
		Updates: a.desk.updates(), Policies: newPolicies(a.desk, a.ingester, codec),
		Codec: codec, Describe: func(err error) string { return sentence(err) }, Log: a.cfg.Log, Metrics: a.registry, Now: a.cfg.Now,
		Name: a.name, Shared: a.desk.store.Engine() != "sqlite", Limits: a.cfg.Limits, NewNames: a.newNames, Observe: a.observe,
		Self: fleet.Collector{Host: hostName(), Listens: a.agents.Addr().String(), Version: buildinfo.Get().Version, StartedAt: a.cfg.Now().UTC()},
	})
	return err
}

func (a *App) observe(ctx context.Context, changes []fleet.Change) {
	if err := a.reports.observe(ctx, changes); err != nil && ctx.Err() == nil {
		a.cfg.Log.ErrorContext(ctx, "change not taken over", "err", err)
	}
}

// ready reports why the collector cannot do its work, nil when it can.
func (a *App) ready(ctx context.Context) error {
	if err := a.desk.store.Ping(ctx); err != nil {
		return err
	}
	return a.ingester.Ready(0)
}

// Addrs is where a running collector listens. Metrics is empty when there is none.
type Addrs struct{ Agents, Web, Metrics string }

// Addrs returns where a listens, with the ports that port 0 became.
func (a *App) Addrs() Addrs {
	addrs := Addrs{Agents: a.agents.Addr().String(), Web: a.web.Addr().String()}
	if a.metrics != nil {
		addrs.Metrics = a.metrics.Addr().String()
	}
	return addrs
}

// Run serves until ctx ends or a part fails. The name of a part that does not stop in
// time is in the error.
func (a *App) Run(ctx context.Context) error {
	a.cfg.Log.Info("collector started", "agents", a.Addrs().Agents, "web", a.Addrs().Web, "metrics", a.Addrs().Metrics,
		"engine", a.desk.store.Engine(), "ca", a.desk.authority.CA().Fingerprint().String())
	consoleServer := httpServer(health{ready: a.ready, log: a.cfg.Log}.routes(a.console), a.cfg.Log)
	consoleServer.TLSConfig = pki.WebTLS(a.webCert, a.cfg.Wall)
	tasks := []runner.Task{
		{Name: "ingest", Run: a.ingester.Run},
		{Name: "agents", Run: a.runAgents},
		{Name: "changes", Run: func(ctx context.Context) error { return a.rpc.Watch(ctx, a.from) }},
		{Name: "policies", Run: a.rpc.PushPolicies},
		{Name: "web", Run: func(ctx context.Context) error { return serveHTTPS(ctx, consoleServer, a.web) }},
		{Name: "jobs", Run: a.runJobs},
		{Name: "backups", Run: a.backups.Run},
		{Name: "records", Run: a.runRecords},
		{Name: "mail", Run: a.desk.newSender(a.name).Run},
		{Name: "inbox", Run: a.runInbox},
		{Name: "webhooks", Run: a.desk.newWebhookRunner(a.name).Run},
		{Name: "alive", Run: func(ctx context.Context) error { return a.signsOfLife(ctx, consoleServer.Handler) }},
	}
	if a.metrics != nil {
		server := httpServer(metricsHandler(a.registry), a.cfg.Log)
		tasks = append(tasks, runner.Task{Name: "metrics", Run: func(ctx context.Context) error { return serveHTTP(ctx, server, a.metrics) }})
	}
	err := runner.Run(ctx, a.cfg.Log, stopWithin, tasks...)
	a.cfg.Log.Info("collector stopped", "err", err)
	return err
}

func (a *App) runAgents(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- a.rpc.Serve(a.agents) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		a.rpc.Stop()
		return <-failed
	}
}

// Close lets go of everything New took. It may be called after New failed, after Run
// returned, or without Run.
func (a *App) Close() error {
	var errs []error
	for _, l := range []net.Listener{a.agents, a.web, a.metrics} {
		if l != nil {
			if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	if a.desk != nil {
		errs = append(errs, a.desk.close())
	}
	if a.unlock != nil {
		errs = append(errs, a.unlock())
	}
	return errors.Join(errs...)
}
