package app

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"runtime/debug"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/watch"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// watchReady bounds how long the first inventory waits for the watches, without which
// it could miss a change made while it is taken.
const watchReady = 5 * time.Second

func (a *agent) watch(ctx context.Context) error {
	w := watch.New(a.runner.Probes(), watch.Options{Log: a.cfg.Log, Ready: a.wishes.watching})
	return w.Run(ctx, a.wishes.sources)
}

// inventories takes a whole inventory at the start, at every interval and when one is
// wished for, and asks single sources again when something changed.
func (a *agent) inventories(ctx context.Context) error {
	a.wishes.awaitWatching(ctx, watchReady)
	a.wishes.whole(wire.CauseStart)
	interval := a.cfg.Interval
	timer := time.NewTimer(jittered(interval))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case every := <-a.schedule:
			if every != interval {
				interval = every
				timer.Reset(jittered(interval))
			}
			continue
		case <-timer.C:
			a.wishes.whole(wire.CauseSchedule)
			timer.Reset(jittered(interval))
		case <-a.wishes.some:
		}
		a.grant(ctx, a.wishes.take())
	}
}

// jittered spreads the whole inventories of a fleet: between 90 and 110 %.
func jittered(every time.Duration) time.Duration {
	return time.Duration(float64(every) * (0.9 + 0.2*mathrand.Float64()))
}

// grant takes the inventory that was wished for. What fails is told in the log and
// status, and tried again at the next.
func (a *agent) grant(ctx context.Context, w wish) {
	if w.cause == "" && len(w.sources) == 0 {
		return
	}
	var err error
	if w.cause != "" {
		err = a.takeWhole(ctx, w.cause)
	} else {
		err = a.takePart(ctx, w.sources)
	}
	if err != nil && ctx.Err() == nil {
		a.cfg.Log.Error("an inventory could not be kept for reporting", "error", err)
	}
	w.answer(err)
	debug.FreeOSMemory() // hours may pass until the next
}

func (a *agent) env() *probe.Env {
	return &probe.Env{Root: "/", Now: a.cfg.Now(), CacheDir: filepath.Join(a.cfg.State, "cache"), Hash: true}
}

// takeWhole asks every source.
func (a *agent) takeWhole(ctx context.Context, cause string) error {
	return a.report(ctx, cause, a.runner.Run(ctx, a.env(), probe.Filter{}))
}

// takePart asks some sources, and takes the rest from the inventory before. Without
// one it asks all.
func (a *agent) takePart(ctx context.Context, sources []string) error {
	last := a.tracker.Last()
	if last == nil {
		return a.takeWhole(ctx, wire.CauseNoticed)
	}
	part := a.runner.Run(ctx, a.env(), probe.Filter{Sources: sources})
	return a.report(ctx, wire.CauseNoticed, a.runner.Overlay(last, part))
}

// report hands an inventory over to the uplink, by way of the spool.
func (a *agent) report(ctx context.Context, cause string, next *inventory.Snapshot) error {
	if ctx.Err() != nil {
		return ctx.Err() // sources that were cut off are no news
	}
	if last := a.tracker.Last(); last != nil {
		inventory.Carry(last, next)
	}
	for _, r := range next.Normalize() {
		a.cfg.Log.Debug("a value was corrected", "remark", r)
	}
	spooled, err := a.tracker.Report(next, cause)
	if err != nil {
		return fmt.Errorf("keeping the report: %w", err)
	}
	a.cfg.Log.Info("inventory taken", "cause", cause, "programs", len(next.Software), "changed", spooled)
	a.flags.see(next)
	a.latest.set(next, cause)
	if err := saveRests(a.cfg.State, a.runner.Rests()); err != nil {
		a.cfg.Log.Warn("which sources rest could not be saved", "error", err)
	}
	return nil
}
