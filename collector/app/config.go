// Package app wires the collector: configuration in, a running program or one command
// out. It is the only room that knows all others, and it refuses to hold rules of its
// own: what it decides is how the parts are put together and how a person at a
// terminal asks and is answered.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/rpcapi"
	"vigia/collector/internal/store"
	"vigia/internal/pki"
	"vigia/internal/sdnotify"
)

// Config is what a collector needs to know. Exactly one of Data and DatabaseURL names
// where everything is kept. Addresses are "host:port"; port 0 takes a free one.
type Config struct {
	Data        string // folder of the SQLite database; made when absent
	DatabaseURL string // postgres://…; stronger than Data
	Agents      string // where agents connect
	Web         string // console, /healthz and /readyz, by HTTPS
	Metrics     string // Prometheus, by HTTP; empty: none

	Addresses []string       // what agents dial, put into tokens; empty: made from Agents
	Zone      *time.Location // of times on pages and in mail; nil: the setting's, else time.Local
	SMTPURL   string         // smtp://…: where mail is handed over; empty: as the settings say
	Log       *slog.Logger   // nil: nothing is logged
	Now       func() time.Time
	Limits    rpcapi.Limits
	Proxies   []netip.Prefix // peers whose X-Forwarded-For is believed

	Manager *sdnotify.Notifier // the service manager that started the program; nil: none

	// Synchronous is for tests and trials: see store.Config.
	Synchronous string
}

// check returns everything that is wrong, joined.
func (c *Config) check() error {
	var errs []error
	bad := func(flag, value, want string) {
		errs = append(errs, fmt.Errorf("--%s %q: want %s", flag, value, want))
	}
	if c.Data == "" && c.DatabaseURL == "" {
		bad("data", "", "a folder, or --database-url postgres://…")
	}
	if c.DatabaseURL != "" && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		bad("database-url", redactURL(c.DatabaseURL), "postgres://user@host/database")
	}
	for _, a := range []struct{ flag, value string }{{"agents", c.Agents}, {"web", c.Web}, {"metrics", c.Metrics}} {
		if a.value == "" && a.flag == "metrics" {
			continue
		}
		if _, port, err := net.SplitHostPort(a.value); err != nil || !validPort(port) {
			bad(a.flag, a.value, "host:port, such as 0.0.0.0:7443")
		}
	}
	for _, a := range c.Addresses {
		if err := pki.CheckAddress(a); err != nil {
			bad("collector-address", a, "host:port as agents dial it")
		}
	}
	if len(c.Addresses) > 8 {
		bad("collector-address", strings.Join(c.Addresses, ","), "at most 8")
	}
	if c.SMTPURL != "" {
		if _, err := parseSMTP(c.SMTPURL); err != nil {
			bad("smtp-url", redactURL(c.SMTPURL), "smtp://host:port or smtps://user:password@host")
		}
	}
	return errors.Join(errs...)
}

func (c *Config) fill() {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

func validPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// redactURL keeps passwords out of messages.
func redactURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "(not a URL)"
	}
	return u.Redacted()
}

// openStore opens the database that cfg names.
func openStore(ctx context.Context, cfg Config) (*store.Store, error) {
	sc := store.Config{DatabaseURL: cfg.DatabaseURL, Logger: cfg.Log, Now: cfg.Now, Synchronous: cfg.Synchronous}
	if cfg.DatabaseURL == "" {
		sc.Path = databaseFile(cfg.Data)
	}
	return store.Open(ctx, sc)
}
