// Package ingest owns what happens to one report: it is put in normal form, stored,
// evaluated against the allowlist, and findings and nonconformities are opened or
// closed, in one transaction. It owns as well what must happen when the allowlist
// changes instead of a machine: re-evaluation, and the dry run that shows its impact.
//
// It refuses to know SQL, the wire's bytes and who is connected how: the store's ports
// stand in store.go, a report comes decoded, a Session stands for a connected machine.
//
// # One writer
//
// Callers' goroutines normalize, hash and compress, several at a time. One loop per
// collector takes what waits, up to Config.Batch reports, into one transaction, and
// answers each after the commit. A batch that the database refuses is tried again
// report by report, so that a bad one never costs others. Several collectors on one
// database take turns by a lock (Inventories.Lock).
//
// # Findings
//
// A finding is one program on one machine, through its versions: the item it points to
// changes when the program is upgraded (same name, source, scope, user and path). It is
// open while the installed item is flagged, gone when a report shows it removed, and
// authorized when the policy covers it; in learn mode everything counts as covered. A
// finding that comes back is the same finding, with one recurrence more.
//
// A machine that is archived or revoked reports no more: its open findings become gone,
// with a reason that says so (ReasonArchived, ReasonRevoked) and no report as proof, so
// that the queue holds only what somebody can act on. Archiving takes the machine out of
// use, which contains its records; revoking proves nothing, so its records stay open and
// say what happened. When the machine is enrolled again, its findings follow the
// allowlist as it is then; those that open again are no recurrences. See follow.go.
//
// In enforce, findings that open join a nonconformity; those that were open already
// when enforce was switched on do not, until they come back.
package ingest

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/ingest/pack"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
)

// Config is what an Ingester needs. The zero value of a number means its default.
type Config struct {
	Store      Store
	Allowlists authorization.Store
	Records    nonconformity.Store
	Directory  org.Store
	Now        func() time.Time
	Log        *slog.Logger
	Name       string // of this collector, unique among those on one database

	// Terms tells how long things take at a site, for the deadlines of records; nil: the
	// clock of the records sets them.
	Terms func(ctx context.Context, site string) (nonconformity.Terms, error)

	Batch    int           // reports of one transaction; default 128
	Linger   time.Duration // how long a small batch waits for more; default 2 ms
	Flush    time.Duration // how long signs of life are gathered; default 50 ms
	FlushMax int           // signs of life that are written at once without waiting; default 5,000
	Pending  int           // programs in reports that wait, in all; default 262,144
	Items    int           // items kept in memory; default 100,000
}

func (c *Config) defaults() {
	for _, d := range []struct {
		v *int
		d int
	}{{&c.Batch, 128}, {&c.FlushMax, 5000}, {&c.Pending, 262_144}, {&c.Items, 100_000}} {
		if *d.v <= 0 {
			*d.v = d.d
		}
	}
	if c.Linger <= 0 {
		c.Linger = 2 * time.Millisecond
	}
	if c.Flush <= 0 {
		c.Flush = 50 * time.Millisecond
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Ingester takes reports. Its methods may be called from several goroutines; Run must
// run for Submit and Unchanged to be answered.
type Ingester struct {
	cfg     Config
	items   *itemCache
	docs    *pack.Documents
	prep    chan struct{} // one token for each report being prepared
	queue   chan *job
	pending atomic.Int64
	policy  atomic.Pointer[policyState]
	grader  atomic.Pointer[authorization.Grader]
	seen    seenBuffer
	stopped chan struct{}
	counts  counters
	slab    slab // of the writing loop
	change  atomic.Int64
	kick    chan struct{}

	mu       sync.Mutex
	sessions map[string]map[*Session]struct{}
}

// severityOf is the severity of what a note is about.
func severityOf(n *note) nonconformity.Severity {
	if n.finding.Severity == authorization.Ungraded {
		return nonconformity.DefaultSeverity
	}
	return nonconformity.Severity(n.finding.Severity)
}

// counters are what Stats tells.
type counters struct{ reports, batches, unchanged, refused, retried atomic.Int64 }

// Stats counts since the start.
type Stats struct {
	Reports   int64 // taken, without duplicates
	Batches   int64 // transactions they took
	Unchanged int64
	Refused   int64 // told to come later
	Retried   int64 // reports tried alone after their batch failed
	Waiting   int64 // weight of what waits now, about one per program
}

// New returns an Ingester.
func New(cfg Config) *Ingester {
	cfg.defaults()
	return &Ingester{
		cfg: cfg, items: newItemCache(cfg.Items), docs: &pack.Documents{},
		prep:  make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
		queue: make(chan *job, 16_384), stopped: make(chan struct{}), kick: make(chan struct{}, 1),
		seen:     seenBuffer{wake: make(chan struct{}, 1)},
		sessions: make(map[string]map[*Session]struct{}),
	}
}

// Stats returns the counters.
func (in *Ingester) Stats() Stats {
	c := &in.counts
	return Stats{Reports: c.reports.Load(), Batches: c.batches.Load(), Unchanged: c.unchanged.Load(),
		Refused: c.refused.Load(), Retried: c.retried.Load(), Waiting: in.pending.Load()}
}

// Run answers until ctx ends; what waits then is told to come later. It is called once.
func (in *Ingester) Run(ctx context.Context) error {
	defer close(in.stopped)
	var wg sync.WaitGroup
	wg.Go(func() { in.flushLoop(ctx) })
	wg.Go(func() { in.followLoop(ctx) })
	in.writeLoop(ctx)
	wg.Wait()
	return nil
}

// busy is the answer to what cannot be taken now. Args["retry_after"] is a
// time.Duration, Args["reason"] what wire calls it: "busy", "shutting-down".
func busy(reason string, after time.Duration) error {
	return apperr.New(apperr.Unavailable, "ingest."+reason, apperr.Args{"retry_after": after, "reason": reason})
}
