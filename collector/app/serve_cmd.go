package app

import (
	"errors"
	"fmt"
	"time"

	"vigia/collector/internal/rpcapi"
	"vigia/internal/sdnotify"
)

type serveCmd struct {
	dataFlags        `embed:""`
	logFlags         `embed:""`
	clockFlags       `embed:""`
	Agents           string   `help:"Where agents connect; 0.0.0.0:7443 unless given." default:"0.0.0.0:7443" env:"VIGIA_AGENTS" placeholder:"ADDR"`
	Web              string   `help:"Console, /healthz and /readyz, by HTTPS; 0.0.0.0:7080 unless given." default:"0.0.0.0:7080" env:"VIGIA_WEB" placeholder:"ADDR"`
	Metrics          string   `help:"Prometheus metrics by HTTP, such as 127.0.0.1:9184; none unless given." env:"VIGIA_METRICS" placeholder:"ADDR"`
	CollectorAddress []string `help:"What agents dial, host:port, put into tokens; made from --agents unless given." env:"VIGIA_COLLECTOR_ADDRESS" placeholder:"ADDR"`
	TimeZone         string   `help:"Of times on pages and in mail, such as America/Mexico_City; the setting's, else the system's, unless given." env:"VIGIA_TIME_ZONE" placeholder:"ZONE"`
	TrustedProxy     []string `help:"Address or network of reverse proxies before the console, whose X-Forwarded-For is believed." env:"VIGIA_TRUSTED_PROXY" placeholder:"NET"`
	MaxConnections   int      `help:"Agents connected at once, at most." default:"20000" env:"VIGIA_MAX_CONNECTIONS"`
}

// Help implements kong.HelpProvider.
func (serveCmd) Help() string {
	return examples("serve --data /var/lib/vigia-collector",
		"serve --data ./data --agents 127.0.0.1:7443 --web 127.0.0.1:7080",
		"serve --database-url postgres://vigia@db.example.com/vigia --collector-address vigia.example.com:7443")
}

// Run implements the command.
func (c *serveCmd) Run(s *streams) error {
	log, logErr := c.logger(s.errOut)
	where, zoneErr := zone(c.TimeZone)
	if zoneErr != nil {
		zoneErr = fmt.Errorf("--time-zone %q: want a name such as America/Mexico_City", c.TimeZone)
	}
	cfg := c.config()
	cfg.Agents, cfg.Web, cfg.Metrics, cfg.Addresses = c.Agents, c.Web, c.Metrics, c.CollectorAddress
	var proxyErr error
	cfg.Proxies, proxyErr = networks(c.TrustedProxy)
	cfg.Limits = rpcapi.Limits{Connections: c.MaxConnections}
	if err := errors.Join(logErr, zoneErr, proxyErr, cfg.check()); err != nil {
		return usageError{err}
	}
	cfg.Log, cfg.Manager = log, sdnotify.FromEnvironment()
	if now := c.clockFlags.now(); now != nil {
		cfg.Now, cfg.Wall = now, time.Now
	}
	if c.TimeZone != "" {
		cfg.Zone = where
	}
	a, err := New(s.ctx, cfg)
	if err != nil {
		return err
	}
	return errors.Join(a.Run(s.ctx), a.Close())
}
