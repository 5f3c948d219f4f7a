// Package fleetsim owns simulated fleets for load and fault work, and for the demo:
// inventories of a company's machines made from a real one, and many agents that send
// them on the real way (enrollment, spool, uplink) to a collector on this host.
//
// It refuses to speak to anything but 127.0.0.0/8, and to take an acknowledgement for
// proof: Verify compares what the collector has stored with what was acknowledged.
package fleetsim

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"vigia/agent/app"
	"vigia/internal/fsatomic"
	"vigia/internal/inventory"
	"vigia/internal/pki"
	"vigia/internal/wire"
)

// MaxAgents is how many agents one process simulates; each takes three open files.
const MaxAgents = 6000

// Options is what a Fleet needs. All fields are required except Log.
type Options struct {
	Dir       string // keeps identities, spools and what was sent; a later Fleet goes on with it
	Agents    int    // 1 to MaxAgents
	Generator *Generator
	Now       func() time.Time
	Random    func() float64 // uniform in [0, 1), for the agents' jitter; used by many goroutines
	Entropy   io.Reader      // for ids and nonces; used by many goroutines
	Log       *slog.Logger   // of the agents; nothing is logged unless set
}

// Fleet is a number of simulated agents. Its methods are called one at a time, except
// Counts.
type Fleet struct {
	o       Options
	codec   *wire.Codec
	members []*member
	beyond  []known // kept for a larger fleet in the same folder
	counts  counters

	connected context.CancelFunc // ends the connections; nil while there are none
	running   sync.WaitGroup
}

// member is one simulated machine.
type member struct {
	n     int
	agent *app.Simulated
	known
}

// known is what is kept of a machine between runs.
type known struct {
	ID       string `json:"id"`       // minted by the collector
	Serial   string `json:"serial"`   // tells whether Dir is of this generator
	Rounds   int    `json:"rounds"`   // inventories made reports of
	Programs int    `json:"programs"` // in the last of them
	Digest   string `json:"digest"`   // of the last of them, hex
}

// Counts tells what a fleet has done.
type Counts struct {
	Agents       int   `json:"agents"`
	Enrolled     int64 `json:"enrolled"`     // by this process
	Queued       int64 `json:"queued"`       // reports made by this process
	QueuedBytes  int64 `json:"queued_bytes"` // of them, compressed
	Acknowledged int64 `json:"acknowledged"` // of all that waited or was queued
	Unchanged    int64 `json:"unchanged"`    // signs of life that were acknowledged
	Retries      int64 `json:"retries"`      // connections that ended or were not made, and were tried again
	Needs        int64 `json:"needs"`        // times that the collector did not hold what it had acknowledged
}

type counters struct {
	enrolled, queued, queuedBytes, unchanged, retries, found atomic.Int64
}

// Open opens a fleet in o.Dir. Agents that were enrolled there go on as they are.
func Open(o Options) (*Fleet, error) {
	if o.Agents < 1 || o.Agents > MaxAgents {
		return nil, fmt.Errorf("%d agents: must be 1 to %d", o.Agents, MaxAgents)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := &Fleet{o: o, codec: wire.NewCodec(wire.Limits{}), members: make([]*member, o.Agents)}
	before, err := f.load()
	if err != nil {
		return nil, err
	}
	err = f.each(func(n int) error {
		agent, err := app.OpenSimulated(f.agentOptions(f.folder(n)))
		if err != nil {
			return err
		}
		f.members[n] = &member{n: n, agent: agent, known: before[n]}
		f.counts.found.Add(int64(agent.Waiting()))
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *Fleet) agentOptions(dir string) app.SimulatedOptions {
	return app.SimulatedOptions{State: dir, Codec: f.codec, Log: f.o.Log, Now: f.o.Now, Random: f.o.Random, Entropy: f.o.Entropy,
		Retrying: func() { f.counts.retries.Add(1) }}
}

func (f *Fleet) folder(n int) string { return filepath.Join(f.o.Dir, fmt.Sprintf("%05d", n)) }

func (f *Fleet) statePath() string { return filepath.Join(f.o.Dir, "fleet.json") }

// load reads what an earlier fleet left in Dir.
func (f *Fleet) load() ([]known, error) {
	all := make([]known, f.o.Agents)
	data, err := os.ReadFile(f.statePath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return all, os.MkdirAll(f.o.Dir, 0o700)
	case err != nil:
		return nil, fmt.Errorf("reading the fleet's folder: %w", err)
	}
	var found []known
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.statePath(), err)
	}
	if n := copy(all, found); n < len(found) {
		f.beyond = found[n:]
	}
	if first := f.o.Generator.Machine(0).Machine.Serial; all[0].Serial != "" && all[0].Serial != first {
		return nil, fmt.Errorf("%s holds the fleet of another seed (machine %s, want %s): use another folder", f.o.Dir, all[0].Serial, first)
	}
	return all, nil
}

func (f *Fleet) save() error {
	all := make([]known, len(f.members))
	for i, m := range f.members {
		all[i] = m.known
	}
	data, err := json.Marshal(append(all, f.beyond...))
	if err != nil {
		return err
	}
	return fsatomic.WriteFile(f.statePath(), data, 0o600)
}

// each calls do for every number of an agent, as many at a time as there are
// processors, and returns the first error.
func (f *Fleet) each(do func(n int) error) error {
	var next atomic.Int64
	var first error
	var once sync.Once
	var all sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < f.o.Agents; n = int(next.Add(1)) - 1 {
				if err := do(n); err != nil {
					once.Do(func() { first = fmt.Errorf("agent %d: %w", n, err) })
					next.Store(int64(f.o.Agents))
				}
			}
		})
	}
	all.Wait()
	return first
}

// Enroll gives an identity to each agent that has none. The token must let in as many,
// and its collector must be on this host.
func (f *Fleet) Enroll(ctx context.Context, token string) error {
	if err := onlyLoopback(token); err != nil {
		return err
	}
	err := f.each(func(n int) error {
		m := f.members[n]
		if m.ID != "" {
			return nil
		}
		facts := f.o.Generator.Machine(n).Machine
		id, err := m.agent.Enroll(ctx, token, facts)
		if err != nil {
			return fmt.Errorf("enrolling: %w", err)
		}
		m.ID, m.Serial = id, facts.Serial
		f.counts.enrolled.Add(1)
		return nil
	})
	return errors.Join(err, f.save())
}

// onlyLoopback refuses a token of a collector on another host.
func onlyLoopback(token string) error {
	t, err := pki.ParseToken(token)
	if err != nil {
		return err
	}
	for _, a := range t.Addresses {
		host, _, err := net.SplitHostPort(a)
		if err != nil {
			return fmt.Errorf("address %q in the token: %w", a, err)
		}
		if ip, err := netip.ParseAddr(host); err != nil || !ip.Is4() || !ip.IsLoopback() {
			return fmt.Errorf("the token's collector is at %s: simulated fleets speak to 127.0.0.0/8 only", a)
		}
	}
	return nil
}

// Counts returns what was done so far.
func (f *Fleet) Counts() Counts {
	c := Counts{Agents: len(f.members), Enrolled: f.counts.enrolled.Load(), Queued: f.counts.queued.Load(), QueuedBytes: f.counts.queuedBytes.Load(),
		Unchanged: f.counts.unchanged.Load(), Retries: f.counts.retries.Load()}
	c.Acknowledged = f.counts.found.Load() + c.Queued
	for _, m := range f.members {
		c.Acknowledged -= int64(m.agent.Waiting())
		c.Needs += int64(m.agent.Needs())
	}
	return c
}

// Close ends all connections and gives the folder free.
func (f *Fleet) Close() error {
	f.Disconnect()
	var errs []error
	for _, m := range f.members {
		if m != nil {
			errs = append(errs, m.agent.Close())
		}
	}
	return errors.Join(errs...)
}

func digestOf(s *inventory.Snapshot) string {
	d := inventory.CombineDigests(s.Digests())
	return hex.EncodeToString(d[:])
}
