package uplink

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/internal/inventory"
	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// MaxSkew is how far a clock may be off before people are told.
const MaxSkew = 5 * time.Minute

// EnrollOptions is what Enroll needs.
type EnrollOptions struct {
	Token    string // one line, see pki.Token
	Facts    inventory.Machine
	OS       string // "linux" or "windows"
	StateDir string
	Version  string // of the agent
	Replace  bool   // enroll again although a usable identity is there
	Now      func() time.Time
}

// Enrolled is the result of Enroll.
type Enrolled struct {
	MachineID       string
	HistoryRestored bool          // the collector took up an earlier identity of this machine again
	Skew            time.Duration // this machine's clock less the collector's
	Address         string        // that answered
	NotAfter        time.Time     // end of the certificate
}

// Enroll trades a token for an identity and saves it. The key is made here and never
// leaves. Errors are Problems: ErrTokenRefused, ErrWrongCollector, ErrClock,
// ErrUnreachable, ErrProtocol, ErrBusy, ErrAlreadyEnrolled; or those of
// pki.ParseToken. Addresses are tried in order while they cannot be reached.
func Enroll(ctx context.Context, o EnrollOptions) (*Enrolled, error) {
	token, err := pki.ParseToken(o.Token)
	if err != nil {
		return nil, &Problem{ErrTokenRefused, err.Error(), "", nil}
	}
	if id, err := LoadIdentity(o.StateDir); err == nil && !o.Replace && !id.Current.ExpiredAt(o.Now()) {
		return nil, &Problem{ErrAlreadyEnrolled, "this machine is already enrolled as " + id.MachineID + " with " + id.Addresses[0],
			"to enroll it again use --replace", nil}
	}
	key, err := pki.GenerateKey()
	if err != nil {
		return nil, err
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		return nil, err
	}
	var answer *vigiav1.EnrollResponse
	var address string
	for _, address = range token.Addresses {
		if answer, err = enrollAt(ctx, address, token, csr, o); !errors.Is(err, ErrUnreachable) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	id, err := identityFrom(answer, Credential{Key: key}, token)
	if err != nil {
		return nil, fmt.Errorf("the collector's answer cannot be used: %w", err)
	}
	if err := SaveIdentity(o.StateDir, id); err != nil {
		return nil, err
	}
	return &Enrolled{MachineID: id.MachineID, HistoryRestored: answer.HistoryRestored, Address: address,
		Skew: o.Now().Sub(time.UnixMilli(answer.CollectorTimeUnixMs)), NotAfter: id.Current.Cert.NotAfter}, nil
}

func enrollAt(ctx context.Context, address string, token pki.Token, csr []byte, o EnrollOptions) (*vigiav1.EnrollResponse, error) {
	l, err := dial(address, pki.EnrollTLS(token.CA, o.Now))
	if err != nil {
		return nil, err
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*dialTimeout)
	defer cancel()
	answer, err := vigiav1.NewEnrollmentClient(l).Enroll(ctx, &vigiav1.EnrollRequest{
		Protocol: vigiav1.Protocol, TokenSecret: token.Secret, CsrDer: csr, Facts: wire.FactsToProto(o.Facts, o.OS),
		AgentVersion: o.Version, SentAtUnixMs: o.Now().UnixMilli(),
	})
	if status.Code(err) == codes.Unauthenticated {
		return nil, &Problem{ErrTokenRefused, "the collector at " + address + " does not accept the token: " + status.Convert(err).Message(),
			"ask whoever administers the collector for another token", nil}
	}
	return answer, l.explain(err)
}

// identityFrom checks an answer: the pinned CA must be among the trusted, and the
// certificate must be theirs, for our key and the machine named.
func identityFrom(a *vigiav1.EnrollResponse, c Credential, token pki.Token) (*Identity, error) {
	trust, err := pki.ParseTrust(a.CaDer)
	if err != nil {
		return nil, err
	}
	pinned := false
	for _, fp := range trust.Fingerprints() {
		pinned = pinned || fp == token.CA
	}
	if !pinned {
		return nil, errors.New("the CA that the token names is not among those to trust")
	}
	if c, err = c.with(a.CertificateDer, a.MachineId, trust); err != nil {
		return nil, err
	}
	return &Identity{MachineID: a.MachineId, Addresses: token.Addresses, Trust: trust, Current: c}, nil
}

// with returns c with the certificate in der, checked.
func (c Credential) with(der []byte, machineID string, trust *pki.Trust) (Credential, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return Credential{}, err
	}
	// Verified at a time when it is valid: a clock that is off is told elsewhere.
	if _, err := cert.Verify(x509.VerifyOptions{Roots: trust.Pool(), CurrentTime: cert.NotBefore.Add(time.Second),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return Credential{}, err
	}
	c.Cert = cert
	return checkCredential(c, machineID)
}
