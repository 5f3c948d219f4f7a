package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/internal/pki"
)

// blobCA is the name under which the CAs are kept, in the database so that several
// collectors share them.
const blobCA = "ca"

// storedCAs is the form of the blob: PEM of certificate and key each, newest first.
type storedCAs struct {
	CAs []string `json:"cas"`
}

// Authority is the company's certificate authority: the newest CA signs, all are
// trusted. It is safe for concurrent use; Reload takes over what another collector changed.
type Authority struct {
	blobs BlobStore
	mu    sync.RWMutex
	ca    *pki.CA
	trust *pki.Trust
}

var errCAExists = errors.New("another collector made the ca")

// OpenAuthority reads the CA, or makes it when this is the first start. Of several
// collectors that start together on one database one makes it: the audit log, which
// is written first, lets them pass one by one.
func OpenAuthority(ctx context.Context, tx Transactor, blobs BlobStore, log audit.Log, name string, now time.Time) (*Authority, error) {
	a := &Authority{blobs: blobs}
	err := a.Reload(ctx)
	if !apperr.Is(err, apperr.NotFound) {
		return a, err
	}
	ca, err := pki.NewCA(name, now)
	if err != nil {
		return nil, err
	}
	pem, err := ca.MarshalPEM()
	if err != nil {
		return nil, err
	}
	value, err := json.Marshal(storedCAs{CAs: []string{string(pem)}})
	if err != nil {
		return nil, err
	}
	err = tx.InTx(ctx, func(ctx context.Context) error {
		after := map[string]string{"name": name, "fingerprint": ca.Fingerprint().String()}
		if err := record(ctx, log, now, "ca.create", "ca/"+ca.Fingerprint().String()[:16], nil, after); err != nil {
			return err
		}
		if _, err := blobs.Blob(ctx, blobCA); !apperr.Is(err, apperr.NotFound) {
			return errors.Join(errCAExists, err)
		}
		return blobs.SetBlob(ctx, blobCA, value)
	})
	if err != nil && !errors.Is(err, errCAExists) {
		return nil, fmt.Errorf("making the ca: %w", err)
	}
	return a, a.Reload(ctx)
}

// Reload reads the CAs again.
func (a *Authority) Reload(ctx context.Context) error {
	value, err := a.blobs.Blob(ctx, blobCA)
	if err != nil {
		return err
	}
	var stored storedCAs
	if err := json.Unmarshal(value, &stored); err != nil || len(stored.CAs) == 0 {
		return fmt.Errorf("the stored ca is damaged (%d bytes): %w", len(value), errors.Join(err))
	}
	var signer *pki.CA
	var ders [][]byte
	for i, pem := range stored.CAs {
		ca, err := pki.ParseCA([]byte(pem))
		if err != nil {
			return fmt.Errorf("the stored ca: %w", err)
		}
		if i == 0 {
			signer = ca
		}
		ders = append(ders, ca.Cert.Raw)
	}
	trust, err := pki.ParseTrust(ders)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ca, a.trust = signer, trust
	return nil
}

// CA returns the CA that signs.
func (a *Authority) CA() *pki.CA {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.ca
}

// Trust returns the CAs whose machines may connect.
func (a *Authority) Trust() *pki.Trust {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.trust
}
