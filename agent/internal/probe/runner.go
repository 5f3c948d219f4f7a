package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"vigia/internal/inventory"
)

// Defaults of Options, and of a Probe without a Timeout.
const (
	DefaultTimeout = 30 * time.Second
	DefaultGrace   = 500 * time.Millisecond
	DefaultRest    = 24 * time.Hour
)

// errDeadline tells a probe's own deadline from the end of the whole inventory.
var errDeadline = errors.New("the probe's deadline is over")

// Options are the knobs of a Runner. The zero value takes the defaults.
type Options struct {
	Log   *slog.Logger  // where crashes are told with their stack; nil means nowhere
	Grace time.Duration // how long past its deadline a probe may take to notice it
	Rest  time.Duration // how long a probe rests that crashed or hung
}

// Filter chooses probes: those whose source is among Sources or whose section is among
// Sections. The zero Filter chooses all.
type Filter struct {
	Sections []inventory.Section
	Sources  []string
}

func (f Filter) takes(p *Probe) bool {
	if len(f.Sections) == 0 && len(f.Sources) == 0 {
		return true
	}
	return slices.Contains(f.Sections, p.Section) || slices.Contains(f.Sources, p.Source)
}

// Runner runs probes, one after another so that an inventory never takes more than
// one core, and keeps apart what misbehaves. It is safe for concurrent use; two runs
// wait for one another.
type Runner struct {
	probes []Probe
	opts   Options
	turn   chan struct{} // holds one token: the right to run

	mu      sync.Mutex
	rests   map[string]Rest
	running map[string]bool // abandoned probes that have not come back
}

// NewRunner returns a Runner of probes, each with a Source of its own; they run in the
// order given.
func NewRunner(probes []Probe, opts Options) *Runner {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Grace <= 0 {
		opts.Grace = DefaultGrace
	}
	if opts.Rest <= 0 {
		opts.Rest = DefaultRest
	}
	r := &Runner{
		probes: slices.Clone(probes), opts: opts, turn: make(chan struct{}, 1),
		rests: map[string]Rest{}, running: map[string]bool{},
	}
	r.turn <- struct{}{}
	return r
}

// Probes returns the probes of r, for those who watch their files.
func (r *Runner) Probes() []Probe { return slices.Clone(r.probes) }

// Run asks the chosen probes and returns what they told as one normalized snapshot,
// with one Source for each of them; other sections stay empty. It never fails: a probe
// that cannot answer, also because ctx ended, stands in Sources as failed. Run uses
// env.Now as the time from which a rest counts.
func (r *Runner) Run(ctx context.Context, env *Env, f Filter) *inventory.Snapshot {
	e := *env                                                                    // a probe that was abandoned must not see the caller's later changes
	snap := &inventory.Snapshot{TakenAt: e.Now, Software: []inventory.Program{}} // a list in JSON, also when empty
	waited := ctx.Err()
	if waited == nil {
		select {
		case <-r.turn:
			defer func() { r.turn <- struct{}{} }()
		case <-ctx.Done():
			waited = ctx.Err()
		}
	}
	for i := range r.probes {
		p := &r.probes[i]
		if !f.takes(p) {
			continue
		}
		a := answer{err: waited}
		began := time.Now()
		if waited == nil {
			a = r.ask(ctx, &e, p)
		}
		merge(snap, p, a, time.Since(began))
	}
	for _, m := range snap.Normalize() {
		r.opts.Log.Debug("inventory entry changed by normalizing", "section", m.Section,
			"field", m.Field, "problem", m.Problem, "entry", m.Entry)
	}
	return snap
}

// answer is how one probe came back.
type answer struct {
	part    *inventory.Snapshot
	entries int
	err     error
	crashed bool
}

// ask runs one probe under its deadline, unless it rests.
func (r *Runner) ask(ctx context.Context, env *Env, p *Probe) answer {
	if err := ctx.Err(); err != nil {
		return answer{err: fmt.Errorf("inventory ended early: %w", err)}
	}
	if p.LiveOnly && !env.Live() {
		return answer{err: fmt.Errorf("only on the running system: %w", ErrAbsent)}
	}
	if err := r.mayRun(p.Source, env.Now); err != nil {
		return answer{err: err}
	}
	timeout := p.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errDeadline)
	defer cancel()
	done := make(chan answer, 1)
	go r.collect(ctx, env, p, done)

	var a answer
	select {
	case a = <-done:
	case <-ctx.Done(): // its deadline, or the end of the whole inventory
		giveUp := time.NewTimer(r.opts.Grace)
		defer giveUp.Stop()
		select {
		case a = <-done:
		case <-giveUp.C:
			return r.abandon(ctx, p.Source, env.Now, timeout, done)
		}
	}
	if a.crashed {
		r.rest(p.Source, env.Now, a.err)
	}
	return a
}

// collect runs p where a crash harms nobody else.
func (r *Runner) collect(ctx context.Context, env *Env, p *Probe, done chan<- answer) {
	a := answer{part: &inventory.Snapshot{}, crashed: true, err: errors.New("crashed: the probe ended its goroutine")}
	defer func() {
		if v := recover(); v != nil {
			a.err = fmt.Errorf("crashed: %v", v)
			r.opts.Log.Error("probe crashed", "source", p.Source, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
		}
		done <- a
	}()
	a.entries, a.err = p.Collect(ctx, env, a.part)
	a.crashed = false
}

// abandon leaves a probe that hangs to itself and remembers that it still runs. One
// that was only told to stop early does not rest.
func (r *Runner) abandon(ctx context.Context, source string, now time.Time, timeout time.Duration, done <-chan answer) answer {
	err := fmt.Errorf("hung: no answer within %v", timeout)
	if errors.Is(context.Cause(ctx), errDeadline) {
		r.opts.Log.Error("probe hung", "source", source, "timeout", timeout)
		r.rest(source, now, err)
	} else {
		err = fmt.Errorf("inventory ended early: %w", ctx.Err())
	}
	r.mu.Lock()
	r.running[source] = true
	r.mu.Unlock()
	go func() {
		<-done
		r.mu.Lock()
		delete(r.running, source)
		r.mu.Unlock()
	}()
	return answer{err: err}
}

// merge adds one answer to snap. Machine, Hardware and System are told by the source
// that bears the section's name; another source of these sections ("smbios") tells its
// health only.
func merge(snap *inventory.Snapshot, p *Probe, a answer, took time.Duration) {
	s := inventory.Source{Source: p.Source, Outcome: inventory.OutcomeOK, Entries: a.entries, DurationMS: took.Milliseconds()}
	switch {
	case a.err == nil:
	case errors.Is(a.err, ErrAbsent) && !a.crashed:
		s.Outcome, s.Entries = inventory.OutcomeAbsent, 0
	default:
		s.Outcome, s.Entries, s.Error = inventory.OutcomeFailed, 0, a.err.Error()
	}
	snap.Sources = append(snap.Sources, s)
	if a.err != nil && (a.part == nil || a.crashed || !errors.Is(a.err, ErrPartial)) {
		return
	}
	switch p.Section {
	case inventory.SectionSoftware:
		snap.Software = append(snap.Software, a.part.Software...)
	case inventory.SectionAntivirus:
		snap.Antivirus = append(snap.Antivirus, a.part.Antivirus...)
	case inventory.Section(p.Source):
		assign(snap, a.part, p.Section)
	}
}

// assign copies one of the sections that have a single source.
func assign(to, from *inventory.Snapshot, section inventory.Section) {
	switch section {
	case inventory.SectionMachine:
		to.Machine = from.Machine
	case inventory.SectionHardware:
		to.Hardware = from.Hardware
	case inventory.SectionSystem:
		to.System = from.System
	}
}
