package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"runtime"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/internal/pki"
	vigiav1 "vigia/proto/vigia/v1"
)

// Errors of Updates beside Problems.
var (
	ErrNoUpdates   = errors.New("this collector has no updates")
	ErrUnknownFile = errors.New("the collector has no such file")
)

// Updates is a connection of its own for what concerns this agent's version, so that a
// long download holds up no report.
type Updates struct {
	link   *link
	client vigiav1.AgentsClient
}

// Told is what an agent tells of its version.
type Told struct {
	Version, Phase, Target, Problem string
}

// Offer is the version that is meant for this machine; Version is empty for none.
type Offer struct {
	Version string
	Attempt int64
	Grace   time.Duration
}

// OpenUpdates prepares a connection to the first address of the identity that answers.
func OpenUpdates(ctx context.Context, stateDir string, now func() time.Time) (*Updates, error) {
	id, err := LoadIdentity(stateDir)
	if err != nil {
		return nil, err
	}
	for _, address := range id.Addresses {
		if err = Reach(ctx, id, address, now); err != nil {
			continue
		}
		var l *link
		if l, err = dial(address, pki.ClientTLS(id.Trust, func() (*tls.Certificate, error) { return id.Current.tls(), nil }, now)); err == nil {
			return &Updates{l, vigiav1.NewAgentsClient(l)}, nil
		}
	}
	return nil, err
}

// Close ends the connection.
func (u *Updates) Close() error { return u.link.Close() }

// Ask tells how this agent's version is doing and asks for one. ErrNoUpdates where the
// collector is too old for that.
func (u *Updates) Ask(ctx context.Context, t Told) (Offer, error) {
	o, err := u.client.Update(ctx, &vigiav1.UpdateRequest{Version: t.Version, Os: runtime.GOOS, Arch: runtime.GOARCH, Phase: t.Phase, Target: t.Target, Problem: t.Problem})
	if status.Code(err) == codes.Unimplemented {
		return Offer{}, ErrNoUpdates
	}
	if err != nil {
		return Offer{}, u.link.explain(err)
	}
	return Offer{o.Version, o.Attempt, time.Duration(o.GraceSeconds) * time.Second}, nil
}

// Piece reads a piece of a file, and tells the size of the whole. ErrUnknownFile.
func (u *Updates) Piece(ctx context.Context, name string, offset int64) ([]byte, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	a, err := u.client.Fetch(ctx, &vigiav1.FetchRequest{Name: name, Offset: uint64(offset)})
	if status.Code(err) == codes.NotFound {
		return nil, 0, ErrUnknownFile
	}
	if err != nil {
		return nil, 0, u.link.explain(err)
	}
	return a.Data, int64(a.Size), nil
}
