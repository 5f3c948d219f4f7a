package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"vigia/agent/internal/service"
	"vigia/agent/internal/spool"
	"vigia/agent/internal/updater"
	"vigia/agent/internal/uplink"
	"vigia/internal/sdnotify"
)

type runCmd struct {
	State          string        `help:"Folder that keeps the agent's identity and spool." default:"${state}" type:"path" env:"VIGIA_STATE"`
	Interval       time.Duration `help:"How often a whole inventory is taken, give or take a tenth; the collector may ask for another." default:"4h" env:"VIGIA_INTERVAL"`
	Once           bool          `help:"Take one inventory, report it, and end with 0 when the collector has acknowledged it."`
	UpdateInterval time.Duration `help:"How often a newer version of the agent is looked for, give or take a half; 0 never." default:"30m" env:"VIGIA_UPDATE_INTERVAL"`
	Timeout        time.Duration `help:"With --once: how long to try." default:"5m" env:"VIGIA_TIMEOUT"`
}

// Bounds of --interval.
const (
	minInterval = time.Minute
	maxInterval = 7 * 24 * time.Hour
)

func (*runCmd) Help() string {
	return `Runs until it is stopped; the service does the same. Whatever happens while the collector
cannot be reached is kept and reported later.

Examples:
  vigia-agent run
  vigia-agent run --once
  vigia-agent run --state /srv/vigia-agent --interval 8h`
}

// Validate is called by kong.
func (c *runCmd) Validate() error {
	if err := checkInterval(c.Interval.String()); err != nil {
		return fmt.Errorf("--interval %w", err)
	}
	if c.UpdateInterval != 0 && c.UpdateInterval < time.Second {
		return fmt.Errorf("--update-interval %s: must be 0 or at least 1s", c.UpdateInterval)
	}
	if c.Timeout <= 0 {
		return fmt.Errorf("--timeout %s: must be more than 0", c.Timeout)
	}
	return nil
}

// checkInterval tells what is wrong with a value of --interval, wherever it comes from.
func checkInterval(text string) error {
	if d, err := time.ParseDuration(text); err != nil || d < minInterval || d > maxInterval {
		return fmt.Errorf("%s: must be from %s to %s", text, minInterval, maxInterval)
	}
	return nil
}

func (c *runCmd) Run(s *session) error {
	if _, err := uplink.LoadIdentity(c.State); errors.Is(err, uplink.ErrNotEnrolled) && c.Once {
		return &exitError{ExitNotEnrolled, err}
	}
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(64 << 20) // collect harder from here on; no bound
	manager := sdnotify.FromEnvironment()
	if err := c.launch(s, manager); err != nil {
		return err
	}
	if c.Once {
		return c.withAgent(s, manager, func(a *agent) error { return c.once(s, a) })
	}
	err := service.Run(s.ctx, s.log, s.sink, c.supervised(s, func(ctx context.Context) error {
		return c.withAgent(s, manager, func(a *agent) error { return a.Run(ctx) })
	}))
	if errors.Is(err, updater.ErrRestart) {
		return relaunch(s, manager)
	}
	return err
}

// withAgent opens the state folder for some work.
func (c *runCmd) withAgent(s *session, manager *sdnotify.Notifier, work func(*agent) error) error {
	tokens := []string{tokenFile(c.State)}
	if c.State == defaultState() && defaultToken != "" {
		tokens = append(tokens, defaultToken)
	}
	a, err := newAgent(agentConfig{State: c.State, Interval: c.Interval, Log: s.log, Now: s.now, Manager: manager, Tokens: tokens, UpdateEvery: c.UpdateInterval})
	if err != nil {
		if errors.Is(err, spool.ErrInUse) {
			return fmt.Errorf("another agent runs on %s: %w", c.State, err)
		}
		return err
	}
	return errors.Join(work(a), a.Close())
}

func (c *runCmd) once(s *session, a *agent) error {
	ctx, cancel := context.WithTimeout(s.ctx, c.Timeout)
	defer cancel()
	if err := a.Once(ctx); err != nil {
		return &exitError{ExitNotReported, fmt.Errorf("the report is kept and not acknowledged yet: %w", err)}
	}
	fmt.Fprintln(s.out, "reported and acknowledged")
	return nil
}
