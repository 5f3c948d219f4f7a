package rpcapi

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/fleet"
	"vigia/internal/pki"
	vigiav1 "vigia/proto/vigia/v1"
)

// Enroll implements vigiav1.EnrollmentServer.
func (s *Server) Enroll(ctx context.Context, req *vigiav1.EnrollRequest) (*vigiav1.EnrollResponse, error) {
	r, err := peerOf(ctx)
	if err != nil && !errors.Is(err, pki.ErrNoCertificate) {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	if err := checkProtocol(req.GetProtocol()); err != nil {
		return nil, err
	}
	f := req.GetFacts()
	done, err := s.Fleet.Enroll(ctx, fleet.Enrollment{
		Secret: req.GetTokenSecret(), CSR: req.GetCsrDer(), AgentVersion: cleanText(req.GetAgentVersion(), 60), Address: r.address,
		Facts: fleet.Facts{Hostname: f.GetHostname(), Serial: f.GetSerial(), UUID: f.GetUuid(), MachineID: f.GetMachineId(), OS: f.GetOs()},
	})
	if err != nil {
		s.metrics.enrolled.WithLabelValues("refused").Inc()
		s.Log.WarnContext(ctx, "enrollment refused", "from", r.address, "err", err)
		return nil, s.status(ctx, "enrolling", err)
	}
	s.metrics.enrolled.WithLabelValues("ok").Inc()
	s.Log.InfoContext(ctx, "enrolled", "machine", done.Machine, "restored", done.Restored, "from", r.address)
	return &vigiav1.EnrollResponse{
		MachineId: done.Machine, CertificateDer: done.Certificate.Raw, CaDer: done.CA, HistoryRestored: done.Restored,
		CollectorTimeUnixMs: s.Now().UnixMilli(),
	}, nil
}

// Renew implements vigiav1.AgentsServer.
func (s *Server) Renew(ctx context.Context, req *vigiav1.RenewRequest) (*vigiav1.RenewResponse, error) {
	r, err := peerOf(ctx)
	if err != nil {
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	if s.Revocations.Revoked(r.identity.Serial) {
		return nil, status.Error(codes.PermissionDenied, "the machine's certificate was revoked; enroll it again with a token")
	}
	cert, ca, err := s.Fleet.Renew(ctx, r.leaf, req.GetCsrDer(), req.GetOldKeySignature())
	if err != nil {
		return nil, s.status(ctx, "renewing a certificate", err)
	}
	s.Log.InfoContext(ctx, "certificate renewed", "machine", r.identity.MachineID)
	return &vigiav1.RenewResponse{CertificateDer: cert.Raw, CaDer: ca}, nil
}
