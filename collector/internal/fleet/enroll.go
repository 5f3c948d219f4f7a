package fleet

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/internal/pki"
)

// Enrollment is what a machine without a certificate asks for.
type Enrollment struct {
	Secret       []byte
	CSR          []byte
	Facts        Facts
	AgentVersion string
	Address      string // of the peer, "ip:port", for the limit of failed attempts
}

// Enrolled is what it gets.
type Enrolled struct {
	Machine     string // the minted identity
	Certificate *x509.Certificate
	CA          [][]byte // DER, newest first
	Restored    bool     // an earlier identity of the same hardware was taken up again
}

// Enroll trades a token for an identity and a certificate. Errors: Unauthenticated
// "token.wrong", "token.expired", "token.used-up", "token.revoked",
// "token.wrong-serial"; Invalid "enroll.bad-csr"; TooMany "enroll.too-many-attempts".
func (s *Service) Enroll(ctx context.Context, e Enrollment) (Enrolled, error) {
	if _, err := pki.ParseCSR(e.CSR); err != nil {
		return Enrolled{}, apperr.Wrap(err, apperr.Invalid, "enroll.bad-csr", apperr.Args{"field": "csr", "problem": err.Error()})
	}
	hash := pki.SecretHash(e.Secret)
	if err := s.admit(ctx, hash, e.Address); err != nil {
		return Enrolled{}, err
	}
	e.Facts = e.Facts.clean()
	alive, err := s.aliveTwin(ctx, hash, e.Facts)
	if err != nil {
		return Enrolled{}, err
	}
	var out Enrolled
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		out, err = s.enroll(ctx, hash, e, alive)
		return err
	})
	if apperr.Is(err, apperr.Unauthenticated) {
		s.limiter.fail(e.Address, s.Now())
	}
	return out, err
}

// admit refuses wrong secrets before the database is asked. Addresses that failed too
// often are turned away, unless their secret is a known one: many machines may share
// one address.
func (s *Service) admit(ctx context.Context, hash [32]byte, address string) error {
	now := s.Now()
	if s.known.has(hash) {
		return nil
	}
	if wait := s.limiter.wait(address, now); wait > 0 {
		return apperr.New(apperr.TooMany, "enroll.too-many-attempts", apperr.Args{"retry_after": wait.Round(time.Second)})
	}
	known, err := s.known.find(ctx, hash)
	if err != nil {
		return apperr.Wrap(err, apperr.Unavailable, "collector.unavailable", nil)
	}
	if !known {
		s.limiter.fail(address, now)
		return apperr.New(apperr.Unauthenticated, "token.wrong", nil)
	}
	return nil
}

// permitted returns the token of a secret that lets a machine with that serial number in.
func (s *Service) permitted(ctx context.Context, hash [32]byte, serial string) (Token, error) {
	t, err := s.Tokens.TokenBySecret(ctx, hash)
	if apperr.Is(err, apperr.NotFound) {
		return t, apperr.New(apperr.Unauthenticated, "token.wrong", nil)
	}
	if err != nil {
		return t, err
	}
	return t, t.permits(serial, s.Now())
}

// aliveTwin returns the id of the machine with the same hardware when that is connected
// to a collector now, else "". Nobody is asked on behalf of a token that lets nobody in.
func (s *Service) aliveTwin(ctx context.Context, hash [32]byte, f Facts) (string, error) {
	if f.Serial == "" || f.UUID == "" {
		return "", nil
	}
	if _, err := s.permitted(ctx, hash, f.Serial); err != nil {
		return "", nil // told, with the same words, where the token is used
	}
	m, err := s.Machines.MachineByHardware(ctx, f.Serial, f.UUID)
	if apperr.Is(err, apperr.NotFound) || apperr.Is(err, apperr.Conflict) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	alive, err := s.live(ctx, m.ID)
	if err != nil || !alive {
		return "", err
	}
	return m.ID, nil
}

// enroll lets a machine in. alive is the machine of the same hardware that is connected
// to a collector, "" for none.
func (s *Service) enroll(ctx context.Context, hash [32]byte, e Enrollment, alive string) (Enrolled, error) {
	t, err := s.permitted(ctx, hash, e.Facts.Serial)
	if err != nil {
		return Enrolled{}, err
	}
	if err := s.Tokens.UseToken(ctx, t.Row); err != nil {
		if apperr.Is(err, apperr.Conflict) {
			return Enrolled{}, apperr.Wrap(err, apperr.Unauthenticated, "token.used-up", apperr.Args{"token": t.ID})
		}
		return Enrolled{}, err
	}
	m, restored, err := s.identity(ctx, t, e.Facts, alive)
	if err != nil {
		return Enrolled{}, err
	}
	cert, err := s.certify(ctx, m, e.CSR)
	if err != nil {
		return Enrolled{}, err
	}
	action := "machine.enroll"
	if restored {
		action = "machine.restore"
	}
	ctx = actor.With(ctx, actor.Actor{Kind: actor.Machine, ID: m.ID})
	after := map[string]any{"hostname": m.Hostname, "serial": m.Serial, "uuid": m.UUID, "os": m.OS, "site": m.Site, "area": m.Area,
		"person": m.Person, "token": t.ID, "certificate": pki.SerialText(cert), "agent": cutText(e.AgentVersion, 60)}
	if err := s.record(ctx, action, "machine/"+m.ID, nil, after); err != nil {
		return Enrolled{}, err
	}
	if restored { // its old certificates are to be refused by every collector
		if err := s.Changes.Notify(ctx, ChangeMachine, m.ID); err != nil {
			return Enrolled{}, err
		}
	}
	return Enrolled{Machine: m.ID, Certificate: cert, CA: s.Authority.Trust().DER(), Restored: restored}, nil
}

// permits tells why t does not let a machine in, nil when it does.
func (t *Token) permits(serial string, now time.Time) error {
	refuse := func(key string, args apperr.Args) error {
		args["token"] = t.ID
		return apperr.New(apperr.Unauthenticated, key, args)
	}
	switch {
	case !t.RevokedAt.IsZero():
		return refuse("token.revoked", apperr.Args{"at": t.RevokedAt})
	case !now.Before(t.ExpiresAt):
		return refuse("token.expired", apperr.Args{"at": t.ExpiresAt})
	case t.UsesLeft <= 0:
		return refuse("token.used-up", apperr.Args{})
	case len(t.Serials) > 0 && !slices.ContainsFunc(t.Serials, func(s string) bool { return serial != "" && strings.EqualFold(s, serial) }):
		return refuse("token.wrong-serial", apperr.Args{"serial": serial})
	}
	return nil
}

// identity returns the machine that enrolls: its earlier identity when serial and UUID
// are both real and both those of one machine that is not connected now, else a new one.
func (s *Service) identity(ctx context.Context, t Token, f Facts, alive string) (Machine, bool, error) {
	if f.Serial != "" && f.UUID != "" {
		m, err := s.Machines.MachineByHardware(ctx, f.Serial, f.UUID)
		switch {
		case err == nil && m.ID != alive && !s.Live(m.ID):
			m, err = s.restore(ctx, m, f)
			return m, true, err
		case err == nil, apperr.Is(err, apperr.NotFound), apperr.Is(err, apperr.Conflict):
			// none, several, or a clone of one that is alive: never merged
		default:
			return Machine{}, false, err
		}
	}
	m, err := s.Machines.CreateMachine(ctx, Machine{
		ID: s.NewID(), Hostname: f.Hostname, Serial: f.Serial, UUID: f.UUID, MachineID: f.MachineID, OS: f.OS,
		Site: t.Site, Area: t.Area, State: Active, EnrolledAt: s.Now().UTC().Truncate(time.Microsecond),
	})
	if err != nil {
		return m, false, err
	}
	m, err = s.Machines.AssignPrimaryTo(ctx, m.ID) // before its first report is judged
	return m, false, err
}

// restore gives a reinstalled machine its history back: its old certificates end.
func (s *Service) restore(ctx context.Context, m Machine, f Facts) (Machine, error) {
	now := s.Now().UTC().Truncate(time.Microsecond)
	if m.State != Active {
		if err := s.Findings.LockFindings(ctx); err != nil {
			return m, err
		}
	}
	if err := s.Certificates.RevokeCertificates(ctx, m.ID, now); err != nil {
		return m, err
	}
	if err := s.Machines.SetMachineFacts(ctx, m.ID, f.Hostname, f.Serial, f.UUID, f.MachineID, f.OS); err != nil {
		return m, err
	}
	if m.State != Active {
		if err := s.Machines.SetMachineState(ctx, m.ID, Active, "enrolled-again", now); err != nil {
			return m, err
		}
		if err := s.Findings.FollowMachine(actor.With(ctx, actor.Actor{Kind: actor.Machine, ID: m.ID}), m.ID); err != nil {
			return m, err
		}
	}
	m.Hostname, m.MachineID, m.OS, m.State = f.Hostname, f.MachineID, f.OS, Active
	return m, nil
}

// certify gives m a certificate for the key of the request and stores that it has it.
func (s *Service) certify(ctx context.Context, m Machine, csr []byte) (*x509.Certificate, error) {
	ca := s.Authority.CA()
	cert, err := ca.IssueMachine(csr, m.ID, m.Hostname, s.Now())
	if err != nil {
		return nil, apperr.Wrap(err, apperr.Invalid, "enroll.bad-csr", apperr.Args{"field": "csr", "problem": err.Error()})
	}
	return cert, s.Certificates.SaveCertificate(ctx, Certificate{
		Serial: pki.SerialText(cert), Issuer: ca.Fingerprint().String(), Machine: m.ID, NotBefore: cert.NotBefore.UTC(), NotAfter: cert.NotAfter.UTC(),
	})
}

// Renew trades the certificate in use for a fresh one. signature is what
// pki.SignRenewal made with the old key. Errors: Unauthenticated "renew.bad-signature",
// Forbidden "machine.not-active", Invalid "enroll.bad-csr".
func (s *Service) Renew(ctx context.Context, inUse *x509.Certificate, csr, signature []byte) (*x509.Certificate, [][]byte, error) {
	id, err := pki.IdentityOf(inUse)
	if err != nil {
		return nil, nil, apperr.Wrap(err, apperr.Unauthenticated, "renew.bad-certificate", nil)
	}
	if err := pki.VerifyRenewal(inUse, csr, signature); err != nil {
		return nil, nil, apperr.Wrap(err, apperr.Unauthenticated, "renew.bad-signature", nil)
	}
	if _, err := pki.ParseCSR(csr); err != nil {
		return nil, nil, apperr.Wrap(err, apperr.Invalid, "enroll.bad-csr", apperr.Args{"field": "csr", "problem": err.Error()})
	}
	ctx = actor.With(ctx, actor.Actor{Kind: actor.Machine, ID: id.MachineID})
	var cert *x509.Certificate
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		m, err := s.Machines.Machine(ctx, id.MachineID)
		if err != nil {
			return err
		}
		if m.State != Active {
			return apperr.New(apperr.Forbidden, "machine.not-active", apperr.Args{"machine": m.ID, "state": m.State})
		}
		if cert, err = s.certify(ctx, m, csr); err != nil {
			return err
		}
		return s.record(ctx, "certificate.renew", "machine/"+m.ID, map[string]any{"certificate": id.Serial}, map[string]any{"certificate": pki.SerialText(cert)})
	})
	if err != nil {
		return nil, nil, err
	}
	return cert, s.Authority.Trust().DER(), nil
}
