package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"vigia/agent/internal/spool"
	"vigia/agent/internal/uplink"
	"vigia/internal/buildinfo"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// SimulatedOptions is what an agent without a machine needs. All fields are required
// except Retrying.
type SimulatedOptions struct {
	State   string      // folder of identity and spool
	Codec   *wire.Codec // many agents may share one
	Log     *slog.Logger
	Now     func() time.Time
	Random  func() float64 // uniform in [0, 1), for jitter
	Entropy io.Reader      // for ids and nonces; used by many goroutines

	Retrying func() // a connection ended or was not made; another is tried after a wait
}

// Simulated is an agent on the real way to the collector (enrollment, spool, uplink)
// whose inventories come from elsewhere, for load and fault work: see
// internal/fleetsim. It is safe for concurrent use.
type Simulated struct {
	o       SimulatedOptions
	spool   *spool.Spool
	tracker *uplink.Tracker // knows no inventory, to take little memory
	client  *uplink.Client
	needs   atomic.Int64
}

// SimulatedReport is one report as it waits in a spool.
type SimulatedReport struct {
	ID      [16]byte
	TakenAt time.Time
	Payload []byte // compressed
}

// OpenSimulated opens the state folder, and makes it where it is missing.
func OpenSimulated(o SimulatedOptions) (*Simulated, error) {
	s := &Simulated{o: o}
	var err error
	if s.spool, err = spool.Open(spoolDir(o.State), spool.Options{Now: o.Now}); err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.spool.Close())
	}
	return s, nil
}

func (s *Simulated) open() (err error) {
	if s.tracker, err = uplink.OpenTracker(trackerOptions(s.o, s.o.State, s.spool)); err != nil {
		return err
	}
	s.client, err = uplink.New(uplink.Options{
		StateDir: s.o.State, Spool: s.spool, Tracker: s.tracker, Codec: s.o.Codec, Version: buildinfo.Get().Version, Log: s.o.Log,
		Now: s.o.Now, Random: s.o.Random, Entropy: s.o.Entropy, Sleep: s.sleep,
		OnNeed: func() { // nothing to send in full: a mismatch is a result here
			s.tracker.Tell(time.Time{}, inventory.Digest{})
			s.needs.Add(1)
		},
	})
	return err
}

func trackerOptions(o SimulatedOptions, dir string, queue *spool.Spool) uplink.TrackerOptions {
	return uplink.TrackerOptions{StateDir: dir, Spool: queue, Codec: o.Codec, Version: buildinfo.Get().Version, Now: o.Now, Random: o.Entropy}
}

func (s *Simulated) sleep(ctx context.Context, d time.Duration) error {
	if s.o.Retrying != nil {
		s.o.Retrying()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Enroll trades a token for an identity, unless one is kept already, and returns the
// machine's id.
func (s *Simulated) Enroll(ctx context.Context, token string, facts inventory.Machine) (string, error) {
	if id, err := uplink.LoadIdentity(s.o.State); err == nil {
		return id.MachineID, nil
	} else if !errors.Is(err, uplink.ErrNotEnrolled) {
		return "", err
	}
	got, err := uplink.Enroll(ctx, uplink.EnrollOptions{Token: token, Facts: facts, OS: "linux", StateDir: s.o.State,
		Version: buildinfo.Get().Version, Now: s.o.Now})
	if err != nil {
		return "", err
	}
	return got.MachineID, nil
}

// Append spools a report; Wake sends it.
func (s *Simulated) Append(r SimulatedReport) error {
	return s.spool.Append(spool.ID(r.ID), r.Payload, r.TakenAt)
}

// Wake makes a connected agent look at its spool.
func (s *Simulated) Wake() { s.tracker.Wake() }

// Tell says that the machine is in the state with this digest.
func (s *Simulated) Tell(digest inventory.Digest) { s.tracker.Tell(s.o.Now(), digest) }

// Waiting returns how many reports were not acknowledged yet.
func (s *Simulated) Waiting() int { return s.spool.Len() }

// Needs returns how often the collector asked for sections because what it holds is not
// what the agent told.
func (s *Simulated) Needs() int { return int(s.needs.Load()) }

// Run keeps a connection until ctx ends; it may be called again.
func (s *Simulated) Run(ctx context.Context) error { return s.client.Run(ctx) }

// WaitDrained returns once the agent is connected and all it has was acknowledged.
func (s *Simulated) WaitDrained(ctx context.Context) error { return s.client.WaitDrained(ctx) }

// Close gives the state folder free; Run must have returned.
func (s *Simulated) Close() error { return s.spool.Close() }

// SimulateReports makes the reports of one machine whose inventories follow one
// another, as its tracker does: the first whole, the others as what changed. dir is a
// folder for its files, used by this call alone and emptied.
func SimulateReports(o SimulatedOptions, dir string, inventories ...*inventory.Snapshot) (reports []SimulatedReport, err error) {
	dir = filepath.Clean(dir)
	queue, err := spool.Open(spoolDir(dir), spool.Options{Now: o.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, queue.Close(), os.RemoveAll(dir)) }()
	tracker, err := uplink.OpenTracker(trackerOptions(o, dir, queue))
	if err != nil {
		return nil, err
	}
	for _, s := range inventories {
		spooled, err := tracker.Report(s, wire.CauseSchedule)
		if err != nil {
			return nil, err
		}
		if !spooled {
			return nil, fmt.Errorf("inventory of %s is the same as the one before", s.TakenAt)
		}
		r, err := queue.Peek()
		if err != nil {
			return nil, err
		}
		reports = append(reports, SimulatedReport{ID: r.ID, TakenAt: r.TakenAt, Payload: r.Payload})
		if err := queue.Ack(r.ID); err != nil {
			return nil, err
		}
	}
	return reports, nil
}
