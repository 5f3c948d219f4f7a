// Package jobs owns named periodic work that happens once across all collectors of one
// database, whichever of them does it. A lease in the database decides: it is taken for
// one run, and who holds it past its time has lost it. It refuses to know what the work
// is, to keep a history of runs, and to queue work: nothing here needs more yet, and
// riverqueue (see libraries.md) is to take its place when something does.
package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"vigia/collector/internal/apperr"
)

// Job is one piece of periodic work. Run must be safe to happen twice: a collector that
// hangs past the lease does not know that it lost it.
type Job struct {
	Name  string
	Every time.Duration // from one run's beginning to the next
	Lease time.Duration // longer than any run takes; 0 means a minute
	Run   func(ctx context.Context) error
}

// Store is where leases are kept.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	Blob(ctx context.Context, name string) ([]byte, error) // NotFound
	SetBlob(ctx context.Context, name string, value []byte) error
	// Turn makes the transaction in ctx the only one that looks at leases.
	Turn(ctx context.Context) error
}

// Runner runs jobs. All fields are required.
type Runner struct {
	Store Store
	Name  string // of this collector, unique on the database
	Now   func() time.Time
	Log   *slog.Logger
	Tick  time.Duration // how often it looks whether something is due
}

// lease is what is stored of a job.
type lease struct {
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"` // of the holder
	Due    time.Time `json:"due"`            // the next run
}

// Run does the jobs when they are due, until ctx ends. A job that fails is logged and
// due again at its next time.
func (r *Runner) Run(ctx context.Context, jobs []Job) error {
	tick := time.NewTicker(r.Tick)
	defer tick.Stop()
	for {
		for _, j := range jobs {
			if err := r.once(ctx, j); err != nil && ctx.Err() == nil {
				r.Log.ErrorContext(ctx, "periodic work failed", "job", j.Name, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// once runs j where it is due and nobody else does it.
func (r *Runner) once(ctx context.Context, j Job) error {
	if l, err := r.read(ctx, j); err != nil || !l.free(r.Now()) {
		return err // most looks end here and write nothing
	}
	mine := false
	err := r.change(ctx, j, func(l *lease, now time.Time) bool {
		if mine = l.free(now); mine {
			length := j.Lease
			if length <= 0 {
				length = time.Minute
			}
			*l = lease{Holder: r.Name, Until: now.Add(length), Due: now.Add(j.Every)}
		}
		return mine
	})
	if err != nil || !mine {
		return err
	}
	began := r.Now()
	err = j.Run(ctx)
	r.Log.DebugContext(ctx, "periodic work done", "job", j.Name, "took", r.Now().Sub(began), "err", err)
	released := r.change(context.WithoutCancel(ctx), j, func(l *lease, _ time.Time) bool {
		held := l.Holder == r.Name
		l.Holder, l.Until = "", time.Time{}
		return held
	})
	if err == nil {
		err = released
	}
	return err
}

// free reports whether the job is due and nobody does it now.
func (l lease) free(now time.Time) bool {
	return !now.Before(l.Due) && (l.Holder == "" || !now.Before(l.Until))
}

func (r *Runner) change(ctx context.Context, j Job, change func(*lease, time.Time) bool) error {
	return r.Store.InTx(ctx, func(ctx context.Context) error {
		if err := r.Store.Turn(ctx); err != nil {
			return err
		}
		l, err := r.read(ctx, j)
		if err != nil || !change(&l, r.Now().UTC()) {
			return err
		}
		raw, err := json.Marshal(l)
		if err != nil {
			return err
		}
		return r.Store.SetBlob(ctx, blobName(j), raw)
	})
}

func (r *Runner) read(ctx context.Context, j Job) (lease, error) {
	var l lease
	raw, err := r.Store.Blob(ctx, blobName(j))
	if apperr.Is(err, apperr.NotFound) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return lease{}, fmt.Errorf("lease of %s: %w", j.Name, err)
	}
	return l, nil
}

func blobName(j Job) string { return "job/" + j.Name }
