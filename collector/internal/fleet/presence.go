package fleet

import (
	"slices"
	"sync"
	"time"
)

// Nonce tells one run of an agent from another: a reconnect has the same one, a clone
// another.
type Nonce [16]byte

// Connection is one live connection of a machine, as Presence sees it.
type Connection interface {
	Nonce() Nonce
	// Heard is when the last byte came from the other side: keepalive answers count.
	Heard() time.Time
	// Close ends the connection soon and does not wait. The reason is one of Later's,
	// or "" for none.
	Close(reason string)
}

// Reasons given to Close.
const (
	ReasonReplaced     = "" // the same agent has connected again
	ReasonQuarantined  = "quarantined"
	ReasonShuttingDown = "shutting-down"
	ReasonRevoked      = "revoked"
	ReasonTrustChanged = "trust-changed" // a CA was retired: come back and be shown another certificate
)

const (
	// contestGrace lets what was already under way arrive before a sign of life of an
	// older connection counts against a newer one.
	contestGrace = 2 * time.Second
	// contestLife ends a contest that nothing decided; keepalive has closed dead
	// connections long before.
	contestLife = 5 * time.Minute
)

// Presence knows which machines are connected here, and finds identities that are
// used twice. An agent that starts anew while its old connection is still thought
// alive (power loss, suspended laptop) is no clone: only when the older connection
// gives a sign of life after the newer one came, the identity is in two places.
// Presence is safe for concurrent use.
type Presence struct {
	mu       sync.Mutex
	machines map[string]*present
	contests map[string]time.Time // machines with a contest, and since when
}

type present struct {
	current   Connection
	older     []Connection
	announced bool      // our notice of current was read back from the log of changes
	elsewhere bool      // another collector told of a newer connection with another nonce
	since     time.Time // when the contest began
}

// NewPresence returns an empty one.
func NewPresence() *Presence {
	return &Presence{machines: map[string]*present{}, contests: map[string]time.Time{}}
}

// Join takes a connection that has said Hello. An older one of the same run is closed;
// one of another run is watched.
func (p *Presence) Join(machine string, c Connection, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.machines[machine]
	if m == nil {
		p.machines[machine] = &present{current: c}
		return
	}
	before := append(m.older, m.current)
	next := &present{current: c}
	for _, old := range before {
		if old.Nonce() == c.Nonce() {
			old.Close(ReasonReplaced)
			continue
		}
		next.older = append(next.older, old)
	}
	if len(next.older) > 0 {
		next.since, p.contests[machine] = now, now
	} else {
		delete(p.contests, machine)
	}
	p.machines[machine] = next
}

// Leave takes a connection out that has ended.
func (p *Presence) Leave(machine string, c Connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.machines[machine]
	if m == nil {
		return
	}
	m.older = slices.DeleteFunc(m.older, func(x Connection) bool { return x == c })
	if m.current == c {
		if len(m.older) == 0 {
			delete(p.machines, machine)
			delete(p.contests, machine)
			return
		}
		m.current, m.older = m.older[len(m.older)-1], m.older[:len(m.older)-1]
	}
	if len(m.older) == 0 && !m.elsewhere {
		delete(p.contests, machine)
	}
}

// Announced tells that this collector's own notice of a connection came back from the
// log of changes: notices that come after it tell of newer connections.
func (p *Presence) Announced(machine string, nonce Nonce) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.machines[machine]; m != nil && m.current.Nonce() == nonce {
		m.announced = true
	}
}

// Elsewhere tells that the machine has connected to another collector after it had
// connected here.
func (p *Presence) Elsewhere(machine string, nonce Nonce, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.machines[machine]
	switch {
	case m == nil || !m.announced: // ours is the newer one: the other collector will judge
	case m.current.Nonce() == nonce:
		m.current.Close(ReasonReplaced)
	default:
		m.elsewhere, m.since, p.contests[machine] = true, now, now
	}
}

// Clones returns the machines whose identity is in two places at once, and ends their
// contests. It is to be called every second or so; it costs as much as there are contests.
func (p *Presence) Clones(now time.Time) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []string
	for id, began := range p.contests {
		m := p.machines[id]
		if m == nil || now.Sub(began) > contestLife {
			delete(p.contests, id)
			continue
		}
		watched := m.older
		if m.elsewhere {
			watched = append(slices.Clone(watched), m.current)
		}
		if slices.ContainsFunc(watched, func(c Connection) bool { return c.Heard().After(m.since.Add(contestGrace)) }) {
			found = append(found, id)
			delete(p.contests, id)
		}
	}
	return found
}

// Close closes every connection of a machine.
func (p *Presence) Close(machine, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.machines[machine]; m != nil {
		m.current.Close(reason)
		for _, c := range m.older {
			c.Close(reason)
		}
	}
}

// Live reports whether the machine is connected here.
func (p *Presence) Live(machine string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.machines[machine] != nil
}

// Current returns the machine's newest connection, nil when there is none.
func (p *Presence) Current(machine string) Connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.machines[machine]; m != nil {
		return m.current
	}
	return nil
}

// All returns every newest connection.
func (p *Presence) All() []Connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]Connection, 0, len(p.machines))
	for _, m := range p.machines {
		all = append(all, m.current)
	}
	return all
}
