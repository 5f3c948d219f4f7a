// Package rpcapi owns the collector's side of the protocol: it translates between
// protobuf and the use-cases, keeps the state machine of each agent's stream, and
// guards the process: bounded messages, bounded memory per peer, a panic in one stream
// ends that stream only. It refuses to decide anything about what agents report.
package rpcapi

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/rollout"
	"vigia/internal/inventory"
	"vigia/internal/pki"
	"vigia/internal/wire"
)

// Ingest takes what agents report.
type Ingest interface {
	// Open returns the session of a connected machine, which its stream closes.
	Open(ctx context.Context, machine string) (Session, error)
}

// Session takes what one connected machine reports. Errors: Unavailable asks the agent
// to come later (Args "reason": "busy", "disk-full"; "retry_after" a time.Duration).
// Calls for one session do not overlap.
type Session interface {
	// Digests are those of the sections that the collector holds.
	Digests() map[inventory.Section]inventory.Digest
	// Submit takes a report that had size bytes as it travelled, and returns after
	// commit. It uses r up.
	Submit(ctx context.Context, r *wire.Report, size int) (Outcome, error)
	// Unchanged notes that a whole inventory found nothing new.
	Unchanged(ctx context.Context, takenAt time.Time, digest inventory.Digest) (Outcome, error)
	// Seen notes a sign of life and what the agent told of itself: its version, and how
	// many reports wait in its spool.
	Seen(ctx context.Context, agentVersion string, spooled int) error
	Close()
}

// Outcome is what became of a report.
type Outcome struct {
	Remarks []inventory.Remark
	Need    []inventory.Section // not stored: these are wanted in full
}

// Policies says which allowlist an agent is to have.
type Policies interface {
	// For returns the version that the machine is to have and, when it is not have,
	// the body as it travels (zstd of policy.Document).
	For(ctx context.Context, machine, have string) (version string, body []byte, err error)
	// Changed tells that rules or the organisation are not what they were.
	Changed()
}

// Limits bounds what the listener takes on. The zero value of a field means its default.
type Limits struct {
	Connections int           // open at once; default 20,000
	Handshakes  int           // under way at once; default 64
	Handshake   time.Duration // how long one may take; default 15 s
	Unknown     time.Duration // how long a peer without certificate may stay; default 1 min
	Keepalive   time.Duration // how often a silent connection is asked for a sign of life; default 20 s, at least 1 s
	Pending     int64         // bytes of unfinished reports over all connections; default 256 MiB
	FirstHello  time.Duration // how long a stream may stay without Hello; default 20 s
}

func (l Limits) orDefault() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Connections, 20_000)
	set(&l.Handshakes, 64)
	wait := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	wait(&l.Handshake, 15*time.Second)
	wait(&l.Unknown, time.Minute)
	wait(&l.Keepalive, 20*time.Second)
	wait(&l.FirstHello, 20*time.Second)
	if l.Pending <= 0 {
		l.Pending = 256 << 20
	}
	return l
}

// Deps is what the service stands on. All fields but Limits and Shared are required.
type Deps struct {
	Fleet       *fleet.Service
	Presence    *fleet.Presence
	Revocations *fleet.Revocations
	Certificate *pki.ServerCertificate
	Ingest      Ingest
	Policies    Policies
	Updates     *rollout.Service // nil: none
	Codec       *wire.Codec
	Describe    func(error) string // the sentence for a person at the agent
	Log         *slog.Logger
	Metrics     prometheus.Registerer
	NewNames    func(context.Context) error           // called after a ChangeTrust: certificates may need other names
	Observe     func(context.Context, []fleet.Change) // told of every change, after the server has acted on it
	Now         func() time.Time
	Name        string          // of this collector among several on one database
	Self        fleet.Collector // how it is shown to people; ID is Name
	Shared      bool            // several collectors may be on the database: connections are announced
	Limits      Limits
}
