package rpcapi

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/rollout"
	vigiav1 "vigia/proto/vigia/v1"
)

// Update notes what an agent tells of its version, and answers whether another is meant
// for it.
func (s *Server) Update(ctx context.Context, req *vigiav1.UpdateRequest) (*vigiav1.UpdateOffer, error) {
	r, err := s.enrolled(ctx)
	if err != nil {
		return nil, err
	}
	st, ok, err := s.Updates.Offer(ctx, rollout.Progress{Machine: r.identity.MachineID, Version: cleanText(req.GetVersion(), 60),
		System: cleanText(req.GetOs()+"/"+req.GetArch(), 40), Target: cleanText(req.GetTarget(), 60), Phase: cleanText(req.GetPhase(), 20), Problem: cleanText(req.GetProblem(), 500)})
	if err != nil {
		return nil, s.status(ctx, "looking for an update", err)
	}
	if !ok {
		return &vigiav1.UpdateOffer{}, nil
	}
	return &vigiav1.UpdateOffer{Version: st.Version, Attempt: st.Row, GraceSeconds: uint32(st.Grace.Seconds())}, nil
}

// Fetch gives one piece of a file of the signed releases. They are no secret, and agents
// alone may have them.
func (s *Server) Fetch(ctx context.Context, req *vigiav1.FetchRequest) (*vigiav1.FetchResponse, error) {
	if _, err := s.enrolled(ctx); err != nil {
		return nil, err
	}
	data, size, err := s.Updates.Read(ctx, req.GetName(), int64(req.GetOffset()), rollout.PartSize)
	if err != nil {
		return nil, s.status(ctx, "reading a file of a release", err)
	}
	return &vigiav1.FetchResponse{Data: data, Size: uint64(size)}, nil
}

// enrolled returns the peer when it is a machine that may speak.
func (s *Server) enrolled(ctx context.Context) (remote, error) {
	r, err := peerOf(ctx)
	switch {
	case err != nil:
		return r, status.Error(codes.Unauthenticated, err.Error())
	case s.Revocations.Revoked(r.identity.Serial):
		return r, status.Error(codes.PermissionDenied, "the machine's certificate was revoked; enroll it again with a token")
	case s.Updates == nil:
		return r, status.Error(codes.Unimplemented, "this collector has no updates")
	}
	return r, nil
}
