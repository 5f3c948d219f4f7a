package app

import (
	"context"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/rpcapi"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// reports gives the gRPC adapter the use-case that takes reports.
type reports struct{ in *ingest.Ingester }

var _ rpcapi.Ingest = reports{}

// Open implements rpcapi.Ingest.
func (r reports) Open(ctx context.Context, machine string) (rpcapi.Session, error) {
	s, err := r.in.Open(ctx, machine)
	if err != nil {
		return nil, err
	}
	return session{s}, nil
}

type session struct{ *ingest.Session }

// Submit implements rpcapi.Session.
func (s session) Submit(ctx context.Context, r *wire.Report, size int) (rpcapi.Outcome, error) {
	res, err := s.Session.Submit(ctx, r, size)
	return rpcapi.Outcome{Remarks: res.Remarks, Need: res.Need}, err
}

// Unchanged implements rpcapi.Session.
func (s session) Unchanged(ctx context.Context, _ time.Time, digest inventory.Digest) (rpcapi.Outcome, error) {
	res, err := s.Session.Unchanged(ctx, digest)
	return rpcapi.Outcome{Remarks: res.Remarks, Need: res.Need}, err
}

// Seen implements rpcapi.Session.
func (s session) Seen(ctx context.Context, agentVersion string, spooled int) error {
	return s.Session.Hello(ctx, agentVersion, spooled)
}

// observe tells the use-case of reports what changed beside it.
func (r reports) observe(ctx context.Context, changes []fleet.Change) error {
	for _, c := range changes {
		switch c.Kind {
		case fleet.ChangePolicy:
			r.in.PolicyChanged(c.Seq)
		case fleet.ChangeMachine:
			if err := r.in.MachineChanged(ctx, c.Subject); err != nil {
				return err
			}
		}
	}
	return nil
}
