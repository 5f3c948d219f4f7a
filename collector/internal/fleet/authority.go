package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/internal/pki"
)

// blobCA is the name under which the CAs are kept, in the database so that several
// collectors share them.
const blobCA = "ca"

// storedCAs is the form of the blob: PEM of certificate and key each, the one that signs
// first, and the rotation that goes on, if any.
type storedCAs struct {
	CAs      []string  `json:"cas"`
	Rotation *Rotation `json:"rotation,omitempty"`
}

// Rotation is the change from one CA to another while it goes on: both are trusted, To
// signs, and the listeners show a certificate by Shown, which every agent believes.
type Rotation struct {
	BegunAt time.Time `json:"begun_at"`
	BegunBy string    `json:"begun_by"`
	From    string    `json:"from"`  // fingerprint of the CA that will be retired
	To      string    `json:"to"`    // fingerprint of the CA that signs
	Shown   string    `json:"shown"` // fingerprint of the CA that was there before it began
	Aborted bool      `json:"aborted,omitempty"`
}

// Authorities is the company's CAs at one moment. It does not change.
type Authorities struct {
	CAs      []*pki.CA // the one that signs first
	Trust    *pki.Trust
	Rotation *Rotation // nil: none goes on
}

// Shown returns the CA by which listeners show a certificate, and those that vouch for
// the same key beside it.
func (a *Authorities) Shown() (*pki.CA, []*pki.CA) {
	shown := 0
	for i, ca := range a.CAs {
		if a.Rotation != nil && ca.Fingerprint().String() == a.Rotation.Shown {
			shown = i
		}
	}
	var also []*pki.CA
	for i, ca := range a.CAs {
		if i != shown {
			also = append(also, ca)
		}
	}
	return a.CAs[shown], also
}

// Authority is the company's certificate authority: the newest CA signs, all are
// trusted. It is safe for concurrent use; Reload takes over what another collector changed.
type Authority struct {
	blobs BlobStore
	now   atomic.Pointer[Authorities]
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
	value, err := encodeCAs(nil, ca)
	if err != nil {
		return nil, err
	}
	err = tx.InTx(ctx, func(ctx context.Context) error {
		after := map[string]string{"name": name, "fingerprint": ca.Fingerprint().String()}
		if err := record(ctx, log, now, "ca.create", objectCA(ca.Fingerprint().String()), nil, after); err != nil {
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

// objectCA is how the audit log names a CA.
func objectCA(fingerprint string) string { return "ca/" + fingerprint[:16] }

func encodeCAs(r *Rotation, cas ...*pki.CA) ([]byte, error) {
	stored := storedCAs{Rotation: r}
	for _, ca := range cas {
		pem, err := ca.MarshalPEM()
		if err != nil {
			return nil, err
		}
		stored.CAs = append(stored.CAs, string(pem))
	}
	return json.Marshal(stored)
}

// read reads the CAs from the database, in the transaction that ctx may carry.
func (a *Authority) read(ctx context.Context) (*Authorities, error) {
	value, err := a.blobs.Blob(ctx, blobCA)
	if err != nil {
		return nil, err
	}
	var stored storedCAs
	if err := json.Unmarshal(value, &stored); err != nil || len(stored.CAs) == 0 {
		return nil, fmt.Errorf("the stored ca is damaged (%d bytes): %w", len(value), errors.Join(err))
	}
	all := &Authorities{Rotation: stored.Rotation}
	var ders [][]byte
	for _, pem := range stored.CAs {
		ca, err := pki.ParseCA([]byte(pem))
		if err != nil {
			return nil, fmt.Errorf("the stored ca: %w", err)
		}
		all.CAs, ders = append(all.CAs, ca), append(ders, ca.Cert.Raw)
	}
	all.Trust, err = pki.ParseTrust(ders)
	return all, err
}

// Reload reads the CAs again.
func (a *Authority) Reload(ctx context.Context) error {
	all, err := a.read(ctx)
	if err != nil {
		return err
	}
	a.now.Store(all)
	return nil
}

// Now returns the CAs as last read.
func (a *Authority) Now() *Authorities { return a.now.Load() }

// CA returns the CA that signs.
func (a *Authority) CA() *pki.CA { return a.Now().CAs[0] }

// Trust returns the CAs whose machines may connect.
func (a *Authority) Trust() *pki.Trust { return a.Now().Trust }
