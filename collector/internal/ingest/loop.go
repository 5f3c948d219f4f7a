package ingest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// job is one report on its way through the loop. done is closed when result, err and
// digests are set.
type job struct {
	session *Session
	p       *prepared
	weight  int64
	done    chan struct{}
	result  Result
	err     error
	digests map[inventory.Section]inventory.Digest
}

// Ready reports whether a report of the given weight (one per program) would be taken
// now; a caller asks before it decodes. The error is the one of Submit.
func (in *Ingester) Ready(weight int) error {
	if in.pending.Load()+in.weight(weight) > int64(in.cfg.Pending) {
		in.counts.refused.Add(1)
		return busy("busy", 5*time.Second)
	}
	return nil
}

// weight bounds what one report counts, so that the largest is taken as well.
func (in *Ingester) weight(programs int) int64 {
	return int64(min(programs+8, in.cfg.Pending/4))
}

// submit prepares a report, queues it and waits for it.
func (in *Ingester) submit(ctx context.Context, s *Session, r *wire.Report, size int, live bool) (*job, error) {
	n := 0
	for i := range r.Sections {
		n += len(r.Sections[i].Software)
		if d := r.Sections[i].Delta; d != nil {
			n += len(d.Set) + len(d.Removed)
		}
	}
	if err := in.Ready(n); err != nil {
		return nil, err
	}
	j := &job{session: s, weight: in.weight(n), done: make(chan struct{})}
	in.pending.Add(j.weight)
	release := func() { in.pending.Add(-j.weight) }
	select {
	case in.prep <- struct{}{}:
	case <-ctx.Done():
		release()
		return nil, apperr.Wrap(ctx.Err(), apperr.Unavailable, "ingest.cancelled", nil)
	}
	p, err := in.prepare(r, size)
	<-in.prep
	if err != nil {
		release()
		return nil, apperr.Wrap(err, apperr.Internal, "ingest.prepare", nil)
	}
	p.live = live
	j.p = p
	select {
	case in.queue <- j:
	default:
		release()
		in.counts.refused.Add(1)
		return nil, busy("busy", 5*time.Second)
	}
	select {
	case <-j.done: // also where the caller has gone: what is queued is written
		return j, nil
	case <-ctx.Done():
		return nil, apperr.Wrap(ctx.Err(), apperr.Unavailable, "ingest.cancelled", nil)
	case <-in.stopped:
		return nil, busy("shutting-down", time.Second)
	}
}

// writeLoop writes batches until ctx ends, then those that wait.
func (in *Ingester) writeLoop(ctx context.Context) {
	for {
		select {
		case j := <-in.queue:
			in.writeBatch(ctx, in.gather(ctx, j))
		case <-ctx.Done():
			for {
				select {
				case j := <-in.queue:
					in.finish(j, busy("shutting-down", time.Second))
				default:
					return
				}
			}
		}
	}
}

// gather takes what waits, and lingers for more where it is little.
func (in *Ingester) gather(ctx context.Context, first *job) []*job {
	batch := append(make([]*job, 0, in.cfg.Batch), first)
	weight := first.weight
	var linger <-chan time.Time
	for len(batch) < in.cfg.Batch && weight < int64(in.cfg.Pending) {
		select {
		case j := <-in.queue:
			batch, weight = append(batch, j), weight+j.weight
			continue
		default:
		}
		if len(batch) >= in.cfg.Batch/2 {
			return batch
		}
		if linger == nil {
			linger = time.After(in.cfg.Linger)
		}
		select {
		case j := <-in.queue:
			batch, weight = append(batch, j), weight+j.weight
		case <-linger:
			return batch
		case <-ctx.Done():
			return batch
		}
	}
	return batch
}

// writeBatch writes jobs together, or one by one where together they fail.
func (in *Ingester) writeBatch(ctx context.Context, jobs []*job) {
	ctx = context.WithoutCancel(ctx) // a batch that began is finished
	err := in.write(ctx, jobs)
	if err != nil && len(jobs) > 1 && !outage(err) {
		in.cfg.Log.WarnContext(ctx, "a batch of reports failed; trying one by one", "reports", len(jobs), "cause", err)
		for _, j := range jobs {
			in.counts.retried.Add(1)
			in.finish(j, in.write(ctx, []*job{j}))
		}
		return
	}
	if err != nil {
		in.cfg.Log.ErrorContext(ctx, "reports were not stored", "reports", len(jobs), "cause", err)
	}
	for _, j := range jobs {
		in.finish(j, err)
	}
}

// outage reports whether the database takes nothing at all: trying again one by one
// would only make it worse.
func outage(err error) bool { return apperr.Is(err, apperr.Unavailable) }

// finish answers a job. What could not be stored now is wanted later.
func (in *Ingester) finish(j *job, err error) {
	if err != nil {
		j.err, j.result, j.digests = later(err), Result{}, nil
	}
	in.pending.Add(-j.weight)
	close(j.done)
}

// later adds to an outage when to come back.
func later(err error) error {
	var e *apperr.Error
	if !outage(err) || !errors.As(err, &e) || e.Args["retry_after"] != nil {
		return err
	}
	reason := "busy"
	if e.Key == "store.disk-full" {
		reason = "disk-full"
	}
	return apperr.Wrap(err, apperr.Unavailable, "ingest."+reason, apperr.Args{"retry_after": 15 * time.Second, "reason": reason})
}

// flushLoop writes signs of life until ctx ends, then those that wait.
func (in *Ingester) flushLoop(ctx context.Context) {
	for {
		select {
		case <-in.seen.wake:
			in.rest(ctx)
			in.flushSeen(context.WithoutCancel(ctx))
		case <-ctx.Done():
			in.flushSeen(context.WithoutCancel(ctx))
			return
		}
	}
}

// rest lets signs of life gather, unless there are enough.
func (in *Ingester) rest(ctx context.Context) {
	t := time.NewTimer(in.cfg.Flush)
	defer t.Stop()
	for !in.seen.full(in.cfg.FlushMax) {
		select {
		case <-t.C:
			return
		case <-ctx.Done():
			return
		case <-in.seen.wake:
		}
	}
}

func (in *Ingester) flushSeen(ctx context.Context) {
	gathered, n, f := in.seen.take()
	if f == nil {
		return
	}
	list := make([]Seen, 0, len(gathered))
	for _, s := range gathered {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Seen) int { return cmp.Compare(a.Machine, b.Machine) })
	f.err = in.cfg.Store.InTx(ctx, func(ctx context.Context) error { return in.cfg.Store.SaveSeen(ctx, list) })
	if f.err != nil {
		in.cfg.Log.ErrorContext(ctx, "signs of life were not stored", "machines", len(list), "cause", f.err)
		f.err = later(f.err)
	}
	in.counts.unchanged.Add(int64(n))
	close(f.done)
}
