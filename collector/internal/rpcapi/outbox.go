package rpcapi

import (
	"sync"
	"time"

	vigiav1 "vigia/proto/vigia/v1"
)

// maxQueued is how many messages may wait for one agent; one that reads so slowly is cut off.
const maxQueued = 512

// outbox sends to one agent. Who answers the agent sends directly; who acts from
// outside (a new policy, a command) queues, and a goroutine lives only while something
// waits, so that an idle agent costs none.
type outbox struct {
	send func(*vigiav1.FromCollector) error
	sent sync.Mutex // held while sending: a stream takes one at a time

	mu      sync.Mutex
	queue   []*vigiav1.FromCollector
	running bool
	closed  bool
	pending sync.WaitGroup
}

// now sends m from the stream's own goroutine.
func (o *outbox) now(m *vigiav1.FromCollector) error {
	o.sent.Lock()
	defer o.sent.Unlock()
	return o.send(m)
}

// later queues messages without waiting and reports whether there was room.
func (o *outbox) later(ms ...*vigiav1.FromCollector) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return true
	}
	if len(o.queue)+len(ms) > maxQueued {
		return false
	}
	o.queue = append(o.queue, ms...)
	if !o.running {
		o.running = true
		o.pending.Add(1)
		go o.drain()
	}
	return true
}

func (o *outbox) drain() {
	defer o.pending.Done()
	for {
		o.mu.Lock()
		if len(o.queue) == 0 || o.closed {
			o.running, o.queue = false, nil
			o.mu.Unlock()
			return
		}
		m := o.queue[0]
		o.queue = o.queue[1:]
		o.mu.Unlock()
		if o.now(m) != nil { // the stream has ended; its own goroutine tells why
			o.mu.Lock()
			o.closed = true
			o.mu.Unlock()
		}
	}
}

// close drops what waits and returns when nothing is being sent any more: the stream
// must not be used after its handler has returned. A peer that does not read is cut
// off, which ends the sending.
func (o *outbox) close(cut func()) {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	timer := time.AfterFunc(time.Second, cut)
	defer timer.Stop()
	o.pending.Wait()
}

func msgLater(reason string, wait time.Duration, report []byte) *vigiav1.FromCollector {
	return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Later{Later: &vigiav1.Later{
		RetryAfterMs: uint32(min(wait, time.Hour).Milliseconds()), Reason: reason, ReportId: report,
	}}}
}
