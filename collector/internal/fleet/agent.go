package fleet

import (
	"context"
	"time"

	"vigia/collector/internal/paging"
)

// Agent is the newest connection of a machine's agent. The zero value is one that has
// never connected.
type Agent struct {
	Machine     string    // id
	Certificate string    // serial number of the one that it showed
	Issuer      string    // fingerprint of the CA that signed it
	EndsAt      time.Time // of the certificate
	Trusts      []string  // fingerprints of the CAs that it trusts, newest first; empty: not told
	Protocol    int
	Collector   string // id of the collector's process
	ConnectedAt time.Time
	EndedAt     time.Time // zero while it lasts
	SpoolBytes  int64
	SpoolOldest time.Time     // of the oldest report that waits there; zero: none
	ClockBehind time.Duration // collector's clock less the machine's when it connected

	Host      string // of the collector; set on reading
	Connected bool   // now; set on reading
}

// AgentRow is a machine with its agent.
type AgentRow struct {
	Machine
	Link Agent
}

// AgentFilter narrows a list of agents. Zero means "any".
type AgentFilter struct {
	MachineFilter
	Version    string    // of the agent, exactly
	NotVersion string    // any other version than this, of those that told one
	EndsBefore time.Time // the certificate in use ends before
	Spooled    bool      // reports wait on the machine
	Connection string    // "now": connected; "not": not connected; "never": has never been
	Collector  string    // id of the collector's process that it reached last
	Behind     string    // fingerprint of the CA that signs: those that would be cut off without every other
	Renewed    string    // fingerprint: those whose certificate in use is of this CA
	Trusting   string    // fingerprint: those that trust this CA
	Certified  bool      // in service with a certificate that is good now
	Now        time.Time // for Connection, Behind and Certified
}

// Collector is one process that serves agents.
type Collector struct {
	ID        string
	Host      string
	Listens   string // where agents connect
	Version   string
	StartedAt time.Time
	AliveAt   time.Time // zero where it stopped as it should
	Connected int       // agents; set on reading
}

// CollectorGone is how long after its last sign of life a collector is taken for dead.
const CollectorGone = 45 * time.Second

// Alive reports whether the collector runs.
func (c Collector) Alive(now time.Time) bool { return now.Sub(c.AliveAt) < CollectorGone }

// AgentStore keeps what is known of agents.
type AgentStore interface {
	// SaveAgents keeps each unless a newer connection of the machine is known; machines
	// that are not known are passed over.
	SaveAgents(ctx context.Context, list []Agent) error
	SaveCollector(ctx context.Context, c Collector) error // and forgets those long gone
	Collectors(ctx context.Context) ([]Collector, error)
	Agent(ctx context.Context, machine string, now time.Time) (Agent, error) // the zero Agent where it never connected
	AgentPage(ctx context.Context, f AgentFilter, o paging.Order) (paging.Page[AgentRow], error)
	CountAgents(ctx context.Context, f AgentFilter, most int) (int, error)
	AgentVersions(ctx context.Context) ([]AgentVersion, error) // of machines in service, most frequent first
}

// AgentVersion is a version of the agent with how many machines in service have it.
type AgentVersion struct {
	Version  string
	Machines int
}
