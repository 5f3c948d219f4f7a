package rpcapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/fleet"
	"vigia/internal/pki"
	vigiav1 "vigia/proto/vigia/v1"
)

// MaxMessage bounds one message of either side, in bytes.
const MaxMessage = 1 << 20

// Server serves agents. It is made by New, run by Serve and Watch, ended by Stop.
type Server struct {
	vigiav1.UnimplementedEnrollmentServer
	vigiav1.UnimplementedAgentsServer
	Deps
	grpc     *grpc.Server
	health   *health.Server
	metrics  *metricSet
	open     atomic.Int64 // TCP connections
	pending  atomic.Int64 // bytes of unfinished reports
	decoding chan struct{}
	stopping atomic.Bool

	announcing sync.Mutex
	announced  []announcement // connections not yet told to other collectors
	dirty      chan struct{}  // holds one value when policies are to be pushed

	noting  sync.Mutex
	noted   map[string]fleet.Agent // by machine, not yet stored
	trusted []pki.Fingerprint      // that connected agents were told last; Watch alone uses it
}

var (
	_ vigiav1.EnrollmentServer = (*Server)(nil)
	_ vigiav1.AgentsServer     = (*Server)(nil)
)

// New returns a server that is not yet listening.
func New(d Deps) (*Server, error) {
	d.Limits = d.Limits.orDefault()
	s := &Server{Deps: d, health: health.NewServer(), decoding: make(chan struct{}, 2*runtime.GOMAXPROCS(0)), dirty: make(chan struct{}, 1), noted: map[string]fleet.Agent{}, trusted: d.Fleet.Authority.Trust().Fingerprints()}
	var err error
	if s.metrics, err = newMetrics(d.Metrics, &s.open, &s.pending); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	config := pki.ServerTLS(pki.ServerTLSOptions{
		Certificate: d.Certificate, Trust: d.Fleet.Authority.Trust, Revoked: d.Revocations.Revoked, Now: d.Now,
	})
	s.grpc = grpc.NewServer(
		grpc.Creds(newCreds(config, d.Limits, s.handshakeFailed)),
		grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage),
		grpc.ReadBufferSize(0), // TLS has a buffer of its own below
		grpc.WriteBufferSize(4<<10),
		grpc.InitialWindowSize(64<<10), grpc.InitialConnWindowSize(128<<10),
		grpc.MaxConcurrentStreams(8), grpc.MaxHeaderListSize(8<<10),
		grpc.HeaderTableSize(0), // one stream lasts: nothing to save
		grpc.ConnectionTimeout(d.Limits.Handshake),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: d.Limits.Keepalive, Timeout: max(d.Limits.Keepalive/2, time.Second), MaxConnectionIdle: 2 * time.Minute}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.UnaryInterceptor(s.guardUnary), grpc.StreamInterceptor(s.guardStream),
		grpc.WaitForHandlers(true),
	)
	vigiav1.RegisterEnrollmentServer(s.grpc, s)
	vigiav1.RegisterAgentsServer(s.grpc, s)
	healthv1.RegisterHealthServer(s.grpc, s.health)
	return s, nil
}

// Serve answers agents on l until Stop, which closes l. It returns nil after Stop.
func (s *Server) Serve(l net.Listener) error {
	wrapped := &listener{Listener: l, limit: int64(s.Limits.Connections), open: &s.open, now: s.Now,
		refused: func() { s.metrics.refused.WithLabelValues("full").Inc() }}
	err := s.grpc.Serve(wrapped)
	if errors.Is(err, grpc.ErrServerStopped) || s.stopping.Load() {
		return nil
	}
	return err
}

// Stop asks every agent to come back soon, waits a moment for that to leave, and closes
// all connections. Reports not yet committed are sent again by their agents.
func (s *Server) Stop() {
	s.stopping.Store(true)
	s.health.Shutdown()
	for _, c := range s.Presence.All() {
		c.Close(fleet.ReasonShuttingDown)
	}
	if len(s.Presence.All()) > 0 {
		time.Sleep(400 * time.Millisecond)
	}
	s.grpc.Stop()
}

// handshakeFailed counts; a wrong certificate is worth a line only when looked for.
func (s *Server) handshakeFailed(err error) {
	reason := "handshake"
	switch {
	case errors.Is(err, errBusy):
		reason = "busy"
	case errors.Is(err, pki.ErrRevoked):
		reason = "revoked"
	}
	s.metrics.refused.WithLabelValues(reason).Inc()
	s.Log.Debug("handshake failed", "reason", reason, "err", err)
}

// guardUnary keeps a fault in one call from ending the process.
func (s *Server) guardUnary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (resp any, err error) {
	defer func() { s.caught(info.FullMethod, recover(), &err) }()
	return next(ctx, req)
}

func (s *Server) guardStream(srv any, st grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	defer func() { s.caught(info.FullMethod, recover(), &err) }()
	return next(srv, st)
}

func (s *Server) caught(method string, fault any, err *error) {
	if fault == nil {
		return
	}
	s.metrics.panics.Inc()
	s.Log.Error("fault while serving an agent", "method", method, "fault", fault, "stack", string(debug.Stack()))
	*err = status.Error(codes.Internal, "the collector failed on this message; see its log")
}
