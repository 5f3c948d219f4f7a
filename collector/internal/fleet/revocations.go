package fleet

import (
	"context"
	"sync/atomic"
	"time"
)

// Revocations answers at every handshake whether a certificate is still believed,
// without asking the database. It is safe for concurrent use.
type Revocations struct {
	store CertificateStore
	now   func() time.Time
	set   atomic.Pointer[map[string]struct{}]
}

// NewRevocations reads the revoked certificates.
func NewRevocations(ctx context.Context, store CertificateStore, now func() time.Time) (*Revocations, error) {
	r := &Revocations{store: store, now: now}
	return r, r.Reload(ctx)
}

// Reload reads them again, after a ChangeMachine.
func (r *Revocations) Reload(ctx context.Context) error {
	serials, err := r.store.RevokedSerials(ctx, r.now())
	if err != nil {
		return err
	}
	set := make(map[string]struct{}, len(serials))
	for _, s := range serials {
		set[s] = struct{}{}
	}
	r.set.Store(&set)
	return nil
}

// Revoked reports whether the certificate with this serial number was taken back.
func (r *Revocations) Revoked(serial string) bool {
	_, ok := (*r.set.Load())[serial]
	return ok
}
