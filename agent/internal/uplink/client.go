package uplink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"vigia/agent/internal/spool"
	"vigia/internal/wire"
)

// Options is what a Client needs. Callbacks may be nil; they are called one at a time
// from the connection's loop, except OnCommand, and must return soon.
type Options struct {
	StateDir string
	Spool    *spool.Spool
	Tracker  *Tracker
	Codec    *wire.Codec
	Version  string
	Log      *slog.Logger
	Now      func() time.Time
	Random   func() float64 // uniform in [0, 1), for jitter
	Entropy  io.Reader      // for the nonce of this start
	// Sleep waits between connections; nil means real time.
	Sleep func(ctx context.Context, d time.Duration) error
	// OnPolicy is given a policy that was received, checked to be JSON and stored. An
	// error keeps the version from being reported as in use.
	OnPolicy func(version string, document []byte) error
	// OnCommand runs a command ("report-now") in a goroutine of its own.
	OnCommand func(ctx context.Context, c Command) error
	// OnSchedule is told how often a whole inventory is due; zero leaves the agent's own.
	OnSchedule func(every time.Duration)
	// OnNeed asks for a whole inventory soon, because none is known to be sent.
	OnNeed func()
}

// Command is something that the collector asks for.
type Command struct {
	ID   string
	Kind string
	Args map[string]string
}

// Status is what the uplink is doing, for `vigia-agent status` and `doctor`.
type Status struct {
	Connected     bool          `json:"connected"`
	Address       string        `json:"address"`           // in use or last tried
	Since         time.Time     `json:"since,omitzero"`    // of Connected or of its loss
	LastAck       time.Time     `json:"last_ack,omitzero"` // when the collector last acknowledged something
	Problem       string        `json:"problem"`           // why there is no connection; empty while there is one
	Remedy        string        `json:"remedy"`            // what to do about Problem
	RetryAt       time.Time     `json:"retry_at,omitzero"` // when the next attempt is due
	Skew          time.Duration `json:"skew_ns"`           // this clock less the collector's, at the last Welcome
	MachineID     string        `json:"machine_id"`
	NotAfter      time.Time     `json:"not_after,omitzero"` // end of the certificate
	RenewAt       time.Time     `json:"renew_at,omitzero"`
	PolicyVersion string        `json:"policy_version"`
	Spooled       int           `json:"spooled"`
	SpoolBytes    int64         `json:"spool_bytes"`
	Oldest        time.Time     `json:"oldest,omitzero"`
}

// Client is the way to the collector. Make it with New, then Run it.
type Client struct {
	o         Options
	nonce     []byte
	refusedID wire.ID // report that the collector could not read, once; the connection's loop alone uses it

	wake chan struct{} // ends a wait between connections

	mu     sync.Mutex
	status Status
	moved  chan struct{} // closed and replaced when status changes
	idle   bool          // connected, and all that is known was acknowledged
	lost   error         // why there is no connection, nil while there is one
}

// New returns a client. It needs no identity yet.
func New(o Options) (*Client, error) {
	nonce := make([]byte, 16)
	if _, err := io.ReadFull(o.Entropy, nonce); err != nil {
		return nil, fmt.Errorf("making the nonce of this start: %w", err)
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	version, _, err := LoadPolicy(o.StateDir)
	if err != nil {
		return nil, err
	}
	c := &Client{o: o, nonce: nonce, moved: make(chan struct{}), wake: make(chan struct{}, 1)}
	c.status.PolicyVersion = version
	return c, nil
}

// Status returns what the uplink is doing now.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.status
	s.Spooled, s.SpoolBytes, s.Oldest = c.o.Spool.Len(), c.o.Spool.Bytes(), c.o.Spool.Oldest()
	return s
}

// change changes the status and wakes those who wait for that.
func (c *Client) change(f func(*Status)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.status)
	close(c.moved)
	c.moved = make(chan struct{})
}

func (c *Client) setIdle(idle bool) {
	c.mu.Lock()
	was := c.idle
	c.mu.Unlock()
	if was != idle { // only the session's loop calls this
		c.change(func(*Status) { c.idle = idle })
	}
}

// WaitDrained returns when the collector has acknowledged all that was given to the
// tracker. It fails when ctx ends before, and at once for a Problem that waiting does
// not cure (ErrNotEnrolled, ErrExpired, ErrRefused, ErrProtocol, ErrWrongCollector,
// ErrClock); Run goes on trying all the same.
func (c *Client) WaitDrained(ctx context.Context) error {
	for {
		c.mu.Lock()
		moved := c.moved
		done := c.idle && c.o.Spool.Len() == 0 && c.o.Tracker.pendingUnchanged() == nil
		lost := c.lost
		c.mu.Unlock()
		if done {
			return nil
		}
		if needsPerson(lost) {
			return lost
		}
		select {
		case <-moved:
		case <-ctx.Done():
			if lost != nil {
				return fmt.Errorf("waiting for the collector: %w: %w", ctx.Err(), lost)
			}
			return fmt.Errorf("waiting for the collector: %w", ctx.Err())
		}
	}
}

func needsPerson(err error) bool {
	for _, kind := range [...]error{ErrNotEnrolled, ErrExpired, ErrRefused, ErrProtocol, ErrWrongCollector, ErrClock} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// Wake ends the wait between two connections, or the next one: what stood in the way may
// be gone.
func (c *Client) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// rest waits for d, or until Wake. The error is that of ctx.
func (c *Client) rest(ctx context.Context, d time.Duration) error {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.wake:
			cancel()
		case <-within.Done():
		}
	}()
	if err := c.o.Sleep(within, d); err != nil && within.Err() == nil {
		return err
	}
	return ctx.Err()
}

// Run keeps a connection until ctx ends. It never gives up: each failure is told in
// Status and the log, and tried again after a wait. The identity is read again for
// every attempt, so that an enrollment meanwhile takes effect.
func (c *Client) Run(ctx context.Context) error {
	wait := backoff{random: c.o.Random}
	for attempt := 0; ctx.Err() == nil; attempt++ {
		end := c.connect(ctx, attempt)
		if ctx.Err() != nil {
			break
		}
		if end.stable {
			wait.reset()
		}
		if end.worked || end.renewed { // begin with the first address and the newest certificate
			attempt = -1
		}
		pause := c.pause(end, &wait)
		now := c.o.Now()
		c.change(func(s *Status) {
			if s.Connected {
				s.Connected, s.Since = false, now
			}
			s.RetryAt, s.Problem, s.Remedy = now.Add(pause), errorText(end.err), RemedyOf(end.err)
			c.lost = end.err
		})
		if end.err != nil {
			c.o.Log.Warn("no connection to the collector", "err", end.err, "again_in", pause)
		}
		if pause > 0 && c.rest(ctx, pause) != nil {
			break
		}
	}
	c.change(func(s *Status) { s.Connected = false })
	return nil
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// ended tells how a connection ended.
type ended struct {
	err     error
	worked  bool          // the collector took this machine
	stable  bool          // and for some time
	renewed bool          // come back at once, with the new certificate
	later   time.Duration // the collector's wish
}

// pause decides how long to wait. What needs a person waits the longest.
func (c *Client) pause(e ended, wait *backoff) time.Duration {
	switch {
	case e.renewed:
		return 0
	case e.later > 0:
		return e.later
	case needsPerson(e.err) && !errors.Is(e.err, ErrClock): // a clock is set without us being told
		wait.next()
		return backoffCap/2 + time.Duration(c.o.Random()*float64(backoffCap)/2)
	}
	return wait.next()
}

// connect makes one connection and serves it to its end.
func (c *Client) connect(ctx context.Context, attempt int) ended {
	id, err := LoadIdentity(c.o.StateDir)
	if err != nil {
		return ended{err: err}
	}
	use, err := c.choose(id, attempt)
	address := id.Addresses[attempt%len(id.Addresses)]
	c.change(func(s *Status) {
		s.MachineID, s.NotAfter, s.RenewAt, s.Address = id.MachineID, use.Cert.NotAfter, use.RenewAt(), address
	})
	if err != nil {
		return ended{err: err}
	}
	s := &session{Client: c, id: id, use: use, address: address}
	e := s.run(ctx)
	if errors.Is(e.err, ErrRefused) && id.Previous != nil { // there is another certificate to try
		e.err = &Problem{ErrRenewal, "one of two certificates is not accepted, the other is tried next: " + e.err.Error(), "", nil}
	}
	return e
}

// choose picks the certificate for an attempt: the current one, and after a renewal
// that has not worked yet every other time the one before it.
func (c *Client) choose(id *Identity, attempt int) (Credential, error) {
	now := c.o.Now()
	use := id.Current
	if p := id.Previous; p != nil && !p.ExpiredAt(now) && (attempt/len(id.Addresses)%2 == 1 || use.ExpiredAt(now)) {
		use = *p
	}
	switch {
	case use.ExpiredAt(now):
		return use, &Problem{ErrExpired, "this machine's certificate ended on " + use.Cert.NotAfter.Format(time.DateOnly) + ", before it could be renewed",
			enrollRemedy, nil}
	case now.Before(use.Cert.NotBefore):
		return use, &Problem{ErrClock, "this machine's clock (" + now.UTC().Format(time.RFC3339) + ") is before the beginning of its certificate (" +
			use.Cert.NotBefore.Format(time.RFC3339) + ")", "set the clock", nil}
	}
	return use, nil
}
