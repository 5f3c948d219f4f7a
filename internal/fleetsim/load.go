package fleetsim

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"vigia/agent/app"
	"vigia/internal/inventory"
)

// Batch is reports that were made and not yet given to the agents.
type Batch struct {
	reports [][]app.SimulatedReport // by agent
	next    []known
}

// First makes the first whole report of every agent that has sent none.
func (f *Fleet) First() (*Batch, error) {
	return f.make(func(m *member) []*inventory.Snapshot {
		if m.Rounds > 0 {
			return nil
		}
		return []*inventory.Snapshot{f.o.Generator.Machine(m.n)}
	})
}

// Change makes rounds reports of every agent, each with so many programs changed since
// the one before.
func (f *Fleet) Change(rounds, programs int) (*Batch, error) {
	return f.make(func(m *member) []*inventory.Snapshot {
		s := f.o.Generator.Machine(m.n)
		for range m.Rounds - 1 {
			s = f.o.Generator.Change(s, programs)
		}
		list := []*inventory.Snapshot{s}
		for range rounds {
			s = f.o.Generator.Change(s, programs)
			list = append(list, s)
		}
		return list
	})
}

// make makes reports of the inventories that each agent's list names; the first of a
// list was sent already where the agent has sent something.
func (f *Fleet) make(list func(*member) []*inventory.Snapshot) (*Batch, error) {
	b := &Batch{reports: make([][]app.SimulatedReport, len(f.members)), next: make([]known, len(f.members))}
	return b, f.each(func(n int) error {
		m := f.members[n]
		b.next[n] = m.known
		inventories := list(m)
		if len(inventories) == 0 {
			return nil
		}
		dir := filepath.Join(f.folder(n), "making")
		reports, err := app.SimulateReports(f.agentOptions(dir), dir, inventories...)
		if err != nil {
			return fmt.Errorf("making reports: %w", err)
		}
		if m.Rounds > 0 {
			reports = reports[1:]
		}
		last := inventories[len(inventories)-1]
		b.reports[n] = reports
		b.next[n].Rounds += len(reports)
		b.next[n].Programs, b.next[n].Digest = len(last.Software), digestOf(last)
		return nil
	})
}

// Len returns the number of reports in b.
func (b *Batch) Len() int {
	sum := 0
	for _, r := range b.reports {
		sum += len(r)
	}
	return sum
}

// Queue puts the reports of b into the agents' spools, synced to disk. Connected agents
// send them after Send.
func (f *Fleet) Queue(b *Batch) error {
	err := f.each(func(n int) error {
		for _, r := range b.reports[n] {
			if err := f.members[n].agent.Append(r); err != nil {
				return err
			}
			f.counts.queued.Add(1)
			f.counts.queuedBytes.Add(int64(len(r.Payload)))
		}
		f.members[n].known = b.next[n]
		return nil
	})
	return errors.Join(err, f.save())
}

// Start starts every agent's uplink at the same moment and does not wait. Agents go on
// connecting again until Disconnect or the end of ctx.
func (f *Fleet) Start(ctx context.Context) {
	ctx, f.connected = context.WithCancel(ctx)
	for _, m := range f.members {
		f.running.Go(func() { _ = m.agent.Run(ctx) }) // ends with ctx alone
	}
}

// Connect is Start with so many agents at a time that a handshake never waits long for
// its turn: the next one starts when one is connected and has sent what waited. It
// returns when all have, or when wait ends; connections outlive wait.
func (f *Fleet) Connect(wait context.Context) error {
	var ctx context.Context
	ctx, f.connected = context.WithCancel(context.WithoutCancel(wait))
	places := make(chan struct{}, connecting)
	return f.all(func(m *member) error {
		places <- struct{}{}
		defer func() { <-places }()
		f.running.Go(func() { _ = m.agent.Run(ctx) }) // ends with ctx alone
		return m.agent.WaitDrained(wait)
	})
}

// connecting is how many agents of Connect do so at a time.
const connecting = 128

// Disconnect ends all connections and waits for that.
func (f *Fleet) Disconnect() {
	if f.connected != nil {
		f.connected()
		f.running.Wait()
		f.connected = nil
	}
}

// Wait returns after Start when every agent is connected and all it has was acknowledged.
func (f *Fleet) Wait(ctx context.Context) error {
	return f.all(func(m *member) error { return m.agent.WaitDrained(ctx) })
}

// Send lets the connected agents send what Queue gave them, so many agents at a time (0:
// all of them), and returns when all was acknowledged. A collector that is given more
// than it has room for tells agents to come back some seconds later; that is what all
// at once measures, and not how fast it works.
func (f *Fleet) Send(ctx context.Context, atOnce int) error {
	if atOnce <= 0 {
		atOnce = len(f.members)
	}
	places := make(chan struct{}, atOnce)
	return f.all(func(m *member) error {
		places <- struct{}{}
		defer func() { <-places }()
		m.agent.Wake()
		return m.agent.WaitDrained(ctx)
	})
}

// Unchanged lets every connected agent say, so many times, that a whole inventory found
// nothing new, each time when the time before was acknowledged. It fails where the
// collector holds something else than what was sent.
func (f *Fleet) Unchanged(ctx context.Context, times int) error {
	return f.all(func(m *member) error {
		if m.Digest == "" {
			return errors.New("has sent no inventory yet")
		}
		raw, err := hex.DecodeString(m.Digest)
		if err != nil {
			return err
		}
		digest, err := inventory.DigestFromBytes(raw)
		if err != nil {
			return err
		}
		for range times {
			m.agent.Tell(digest)
			if err := m.agent.WaitDrained(ctx); err != nil {
				return err
			}
			if n := m.agent.Needs(); n > 0 {
				return fmt.Errorf("machine %s: the collector asked %d times for sections in full: it does not hold what it acknowledged", m.ID, n)
			}
			f.counts.unchanged.Add(1)
		}
		return nil
	})
}

// all calls do for every agent at the same time and returns the first error.
func (f *Fleet) all(do func(*member) error) error {
	var first error
	var once sync.Once
	var wait sync.WaitGroup
	for _, m := range f.members {
		wait.Go(func() {
			if err := do(m); err != nil {
				once.Do(func() { first = fmt.Errorf("agent %d: %w", m.n, err) })
			}
		})
	}
	wait.Wait()
	return first
}
