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
	"vigia/internal/settings"
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
	IMAPURL   string         // imap://…: where replies and bounces are fetched; empty: nowhere
	Log       *slog.Logger   // nil: nothing is logged
	Now       func() time.Time
	Wall      func() time.Time // by which certificates and tokens are judged; nil: Now
	Limits    rpcapi.Limits
	Proxies   []netip.Prefix // peers whose X-Forwarded-For is believed

	Manager *sdnotify.Notifier // the service manager that started the program; nil: none

	// Synchronous is for tests and trials: see store.Config.
	Synchronous string
}

// rules tell what is wrong with the values of settings, wherever they come from.
func rules() settings.Rules {
	want := func(value, what string) error { return fmt.Errorf("%q: want %s", value, what) }
	listen := func(v string) error {
		if _, port, err := net.SplitHostPort(v); err != nil || !validPort(port) {
			return want(v, "host:port, such as 0.0.0.0:7443")
		}
		return nil
	}
	return settings.Rules{
		"agents": listen, "web": listen, "metrics": listen,
		"database-url": func(v string) error {
			if !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") {
				return want(redactURL(v), "postgres://user@host/database")
			}
			return nil
		},
		"collector-address": func(v string) error {
			if pki.CheckAddress(v) != nil {
				return want(v, "host:port as agents dial it")
			}
			return nil
		},
		"smtp-url": func(v string) error {
			if _, err := parseSMTP(v); err != nil {
				return want(redactURL(v), "smtp://host:port or smtps://user:password@host")
			}
			return nil
		},
		"imap-url": func(v string) error {
			if _, err := parseIMAP(v); err != nil {
				return want(redactURL(v), "imap://user:password@host[:port][/mailbox] or imaps://…")
			}
			return nil
		},
		"time-zone": func(v string) error {
			if _, err := zone(v); err != nil {
				return want(v, "a name such as America/Mexico_City")
			}
			return nil
		},
		"trusted-proxy": func(v string) error {
			if _, err := network(v); err != nil {
				return want(v, "an address or a network, such as 10.0.0.0/8")
			}
			return nil
		},
	}
}

// check returns everything that is wrong, joined.
func (c *Config) check() error {
	var errs []error
	if c.Data == "" && c.DatabaseURL == "" {
		errs = append(errs, errors.New(`--data "": want a folder, or --database-url postgres://…`))
	}
	if len(c.Addresses) > 8 {
		errs = append(errs, fmt.Errorf("--collector-address %q: want at most 8", strings.Join(c.Addresses, ",")))
	}
	rules := rules()
	hold := func(flag, value string) {
		if err := rules[flag](value); err != nil {
			errs = append(errs, fmt.Errorf("--%s %w", flag, err))
		}
	}
	hold("agents", c.Agents)
	hold("web", c.Web)
	for _, optional := range []struct{ flag, value string }{{"metrics", c.Metrics}, {"database-url", c.DatabaseURL}, {"smtp-url", c.SMTPURL}, {"imap-url", c.IMAPURL}} {
		if optional.value != "" {
			hold(optional.flag, optional.value)
		}
	}
	for _, a := range c.Addresses {
		hold("collector-address", a)
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
	if c.Wall == nil {
		c.Wall = c.Now
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
