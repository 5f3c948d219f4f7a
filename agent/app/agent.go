package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"path/filepath"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/service"
	"vigia/agent/internal/spool"
	"vigia/agent/internal/uplink"
	"vigia/internal/buildinfo"
	"vigia/internal/runner"
	"vigia/internal/sdnotify"
	"vigia/internal/wire"
)

// agentConfig is what an agent needs to run.
type agentConfig struct {
	State       string        // folder of identity, spool, cache and status
	Interval    time.Duration // between whole inventories
	Log         *slog.Logger
	Now         func() time.Time
	Manager     *sdnotify.Notifier // that started the program; nil: none
	UpdateEvery time.Duration      // between looks for a newer version; 0 never
	Tokens      []string           // files where a token to enroll with may be left
}

// agent is the whole running program: make it with newAgent, Run it, Close it.
type agent struct {
	cfg      agentConfig
	started  time.Time
	spool    *spool.Spool
	client   *uplink.Client
	tracker  *uplink.Tracker
	runner   *probe.Runner
	wishes   *wishes
	schedule chan time.Duration // a new interval, from the collector
	flags    *flags
	latest   *latest
}

func spoolDir(state string) string { return filepath.Join(state, "spool") }

// newAgent opens the state folder. It fails where another agent has it open.
func newAgent(cfg agentConfig) (*agent, error) {
	for _, dir := range []string{cfg.State, filepath.Join(cfg.State, "cache")} {
		if err := service.ProtectFolder(dir); err != nil {
			return nil, fmt.Errorf("--state: %w", err)
		}
	}
	queue, err := openSpool(spoolDir(cfg.State), cfg.Now)
	if err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	a := &agent{cfg: cfg, started: cfg.Now(), spool: queue, wishes: newWishes(), schedule: make(chan time.Duration, 1),
		flags: newFlags(cfg.Log, cfg.Now), latest: &latest{}}
	a.runner = probe.NewRunner(probes(), probe.Options{Log: cfg.Log})
	a.runner.SetRests(loadRests(cfg.State, cfg.Log))
	if err := a.openUplink(); err != nil {
		return nil, errors.Join(err, queue.Close())
	}
	return a, nil
}

// openSpool waits a moment for another process to let go: `status` looks at the lock
// by taking it.
func openSpool(dir string, now func() time.Time) (*spool.Spool, error) {
	for try := 0; ; try++ {
		queue, err := spool.Open(dir, spool.Options{Now: now})
		if err == nil || !errors.Is(err, spool.ErrInUse) || try == 10 {
			return queue, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (a *agent) openUplink() error {
	codec := wire.NewCodec(wire.Limits{})
	version := buildinfo.Get().Version
	var err error
	a.tracker, err = uplink.OpenTracker(uplink.TrackerOptions{StateDir: a.cfg.State, Spool: a.spool, Codec: codec,
		Version: version, Now: a.cfg.Now, Random: rand.Reader})
	if err != nil {
		return err
	}
	if _, document, err := uplink.LoadPolicy(a.cfg.State); err != nil {
		return err
	} else if document != nil {
		if err := a.flags.setPolicy(document); err != nil {
			a.cfg.Log.Warn("the kept policy is not used; the collector sends it again", "error", err)
		}
	}
	a.client, err = uplink.New(uplink.Options{
		StateDir: a.cfg.State, Spool: a.spool, Tracker: a.tracker, Codec: codec, Version: version, Log: a.cfg.Log,
		Now: a.cfg.Now, Random: mathrand.Float64, Entropy: rand.Reader,
		OnPolicy:   func(_ string, document []byte) error { return a.flags.setPolicy(document) },
		OnCommand:  a.command,
		OnSchedule: a.reschedule,
		OnNeed:     func() { a.wishes.whole(wire.CauseNeed) },
	})
	return err
}

// command runs what the collector asks for.
func (a *agent) command(ctx context.Context, c uplink.Command) error {
	switch c.Kind {
	case "report-now":
		return a.wishes.wholeAndWait(ctx, wire.CauseCommand)
	}
	return fmt.Errorf("this agent knows no command %q; update it", c.Kind)
}

// reschedule keeps the newest wish of the collector.
func (a *agent) reschedule(every time.Duration) {
	select {
	case <-a.schedule:
	default:
	}
	a.schedule <- every
}

// Run watches, takes inventories and reports until ctx ends.
func (a *agent) Run(ctx context.Context) error {
	if err := service.LowPriority(); err != nil {
		a.cfg.Log.Debug("priority could not be lowered", "error", err)
	}
	a.cfg.Log.Info("vigia-agent runs", "version", buildinfo.Get().Version, "state", a.cfg.State)
	a.tellManager(a.cfg.Manager.Ready)
	defer a.tellManager(a.cfg.Manager.Stopping)
	err := runner.Run(ctx, a.cfg.Log, 10*time.Second,
		runner.Task{Name: "uplink", Run: a.client.Run},
		runner.Task{Name: "watch", Run: a.watch},
		runner.Task{Name: "inventory", Run: a.inventories},
		runner.Task{Name: "status", Run: a.keepStatus},
		runner.Task{Name: "token", Run: a.enrollByToken},
		runner.Task{Name: "updates", Run: a.updates},
	)
	a.cfg.Log.Info("vigia-agent stops")
	return err
}

// tellManager tells the service manager something. A failure is noted and no more: the
// manager has its own ways to find out.
func (a *agent) tellManager(tell func() error) {
	if err := tell(); err != nil {
		a.cfg.Log.Debug("the service manager was not told", "error", err)
	}
}

// Once takes one inventory, reports it, and returns when the collector has
// acknowledged it.
func (a *agent) Once(ctx context.Context) error {
	within, done := context.WithCancel(ctx)
	defer done()
	var reported error
	err := runner.Run(within, a.cfg.Log, 10*time.Second,
		runner.Task{Name: "uplink", Run: a.client.Run},
		runner.Task{Name: "report", Run: func(ctx context.Context) error {
			defer done()
			if reported = a.takeWhole(ctx, wire.CauseStart); reported == nil {
				reported = a.client.WaitDrained(ctx)
			}
			return nil
		}},
	)
	if writeErr := a.writeStatus(); writeErr != nil {
		a.cfg.Log.Warn("writing the status", "error", writeErr)
	}
	return errors.Join(reported, err)
}

// Close gives the state folder free.
func (a *agent) Close() error { return a.spool.Close() }
