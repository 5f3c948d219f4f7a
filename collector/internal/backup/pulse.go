package backup

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"
)

// errLost tells that another collector took this one for dead.
var errLost = errors.New("another collector took over")

// pulse tells the database how far a copy is, at each step and in between.
type pulse struct {
	mu    sync.Mutex
	step  Step
	moved chan struct{}
	done  chan struct{}
}

func (p *pulse) set(s Step) {
	p.mu.Lock()
	p.step = s
	p.mu.Unlock()
	select {
	case p.moved <- struct{}{}:
	default:
	}
}

func (p *pulse) wait() { <-p.done }

// pulse begins to tell; it stops the work when the record is no longer ours.
func (r *Runner) pulse(ctx context.Context, stop context.CancelCauseFunc, rec Record, path string) *pulse {
	p := &pulse{step: Waits, moved: make(chan struct{}, 1), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		tick := time.NewTicker(beat)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			case <-p.moved:
			}
			p.mu.Lock()
			rec.Step = p.step
			p.mu.Unlock()
			if info, err := os.Stat(path); err == nil {
				rec.Bytes = info.Size()
			}
			mine, err := r.Store.StepBackup(ctx, r.holder(), rec, r.now().Add(lease))
			switch {
			case err != nil && ctx.Err() == nil:
				r.Log.WarnContext(ctx, "progress of the backup is not told", "err", err)
			case err == nil && !mine:
				stop(errLost)
			}
		}
	}()
	return p
}
