package uplink

import (
	"context"
	"fmt"
	"time"

	"vigia/internal/pki"
	vigiav1 "vigia/proto/vigia/v1"
)

// untilRenewal returns when to look at the certificate in use again: zero when it is to
// be renewed now, at most an hour, since timers do not run while a machine sleeps.
func (s *session) untilRenewal() time.Duration {
	at := s.use.RenewAt()
	if !s.renewBy.IsZero() && s.renewBy.Before(at) {
		at = s.renewBy
	}
	return min(max(0, at.Sub(s.o.Now())), time.Hour)
}

// follow plans to renew a certificate that is not by the CA that signs now, at a random
// moment within the time that the collector gives all of its agents.
func (s *session) follow(within time.Duration) {
	issuer, _ := s.id.Trust.Issuer(s.use.Cert)
	switch {
	case issuer == pki.FingerprintOf(s.id.Trust.Newest()):
		s.renewBy = time.Time{}
	case within > 0 && s.renewBy.IsZero():
		s.renewBy = s.o.Now().Add(time.Duration(s.o.Random() * float64(min(within, 24*time.Hour))))
		s.o.Log.Info("the CA is being rotated: the certificate will be renewed", "at", s.renewBy)
	}
	s.renew.Reset(s.untilRenewal())
}

// renewCertificate gets a certificate for a new key and saves both beside the old
// ones. It reports whether the connection is to be made again with the new one.
func (s *session) renewCertificate(ctx context.Context) bool {
	if s.untilRenewal() > 0 {
		return false
	}
	next, trust, err := s.requestRenewal(ctx)
	if err == nil {
		old := s.use
		id := *s.id
		id.Current, id.Previous, id.Trust = next, &old, trust
		err = SaveIdentity(s.o.StateDir, &id)
	}
	if err != nil {
		s.o.Log.Warn("renewing the certificate", "err", err, "ends", s.use.Cert.NotAfter)
		if !s.renewBy.IsZero() {
			s.renewBy = s.o.Now().Add(renewRetry)
		}
		return false
	}
	s.o.Log.Info("certificate renewed", "ends", next.Cert.NotAfter)
	return true
}

func (s *session) requestRenewal(ctx context.Context) (Credential, *pki.Trust, error) {
	key, err := pki.GenerateKey()
	if err != nil {
		return Credential{}, nil, err
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		return Credential{}, nil, err
	}
	sig, err := pki.SignRenewal(s.use.Key, csr)
	if err != nil {
		return Credential{}, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	answer, err := vigiav1.NewAgentsClient(s.link).Renew(ctx, &vigiav1.RenewRequest{CsrDer: csr, OldKeySignature: sig})
	if err != nil {
		return Credential{}, nil, err
	}
	trust := s.id.Trust
	if len(answer.CaDer) > 0 {
		if trust, err = pki.ParseTrust(answer.CaDer); err == nil {
			err = s.stillTrusts(trust)
		}
		if err != nil {
			return Credential{}, nil, err
		}
	}
	next, err := Credential{Key: key}.with(answer.CertificateDer, s.id.MachineID, trust)
	if err != nil {
		return Credential{}, nil, fmt.Errorf("the certificate given cannot be used: %w", err)
	}
	return next, trust, nil
}

// settle keeps the certificate that just worked and forgets the other one.
func (s *session) settle() {
	id := *s.id
	id.Current, id.Previous = s.use, nil
	if err := SaveIdentity(s.o.StateDir, &id); err != nil {
		s.o.Log.Warn("forgetting the certificate before the renewal", "err", err)
		return
	}
	s.id = &id
}
