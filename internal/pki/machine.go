package pki

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	uriScheme   = "vigia"
	machineHost = "machine"
	maxCSR      = 4096
	maxCN       = 64 // ub-common-name of RFC 5280
)

// Identity is what a verified machine certificate says.
type Identity struct {
	MachineID string // UUID text, as the collector minted it
	Serial    string // of the certificate, see SerialText
	NotBefore time.Time
	NotAfter  time.Time
}

// NewCSR returns a PKCS #10 request that carries key's public half and nothing that
// the collector would believe.
func NewCSR(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "vigia-agent"}}, key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate request: %w", err)
	}
	return der, nil
}

// ParseCSR checks the signature of a request and returns its public key, the only
// thing taken from it: ECDSA on P-256 or P-384.
func ParseCSR(der []byte) (*ecdsa.PublicKey, error) {
	if len(der) == 0 || len(der) > maxCSR {
		return nil, fmt.Errorf("certificate request: %d bytes, want 1 to %d", len(der), maxCSR)
	}
	req, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	pub, ok := req.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("certificate request: key %T, want ECDSA on P-256 or P-384", req.PublicKey)
	}
	if err := checkCurve(pub); err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	if err := req.CheckSignature(); err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	return pub, nil
}

// IssueMachine gives the key of a request a machine certificate: MachineLife, client
// authentication only, the URI SAN vigia://machine/<machineID>. commonName is for
// people (the host's name) and cut to 64 bytes.
func (c *CA) IssueMachine(csrDER []byte, machineID, commonName string, now time.Time) (*x509.Certificate, error) {
	pub, err := ParseCSR(csrDER)
	if err != nil {
		return nil, err
	}
	if !isUUID(machineID) {
		return nil, fmt.Errorf("machine id %q: want lower-case UUID text", machineID)
	}
	for len(commonName) > maxCN {
		commonName = strings.ToValidUTF8(commonName[:maxCN], "")
	}
	return c.sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: strings.ToValidUTF8(commonName, "")},
		NotBefore:             now.Add(-backdate).UTC(),
		NotAfter:              now.Add(MachineLife).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		URIs:                  []*url.URL{{Scheme: uriScheme, Host: machineHost, Path: "/" + machineID}},
	}, pub)
}

// IdentityOf reads the identity from a certificate whose chain was verified.
func IdentityOf(cert *x509.Certificate) (Identity, error) {
	switch {
	case cert.IsCA:
		return Identity{}, errors.New("certificate: a CA is not a machine")
	case !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return Identity{}, errors.New("certificate: not for client authentication")
	case len(cert.URIs) != 1:
		return Identity{}, fmt.Errorf("certificate: %d URI names, want 1", len(cert.URIs))
	}
	u := cert.URIs[0]
	id := strings.TrimPrefix(u.Path, "/")
	if !isUUID(id) || u.String() != uriScheme+"://"+machineHost+"/"+id {
		return Identity{}, fmt.Errorf("certificate: URI name %q, want vigia://machine/<uuid>", u)
	}
	return Identity{MachineID: id, Serial: SerialText(cert), NotBefore: cert.NotBefore, NotAfter: cert.NotAfter}, nil
}

// ErrNoCertificate says that the peer showed none.
var ErrNoCertificate = errors.New("no client certificate: this machine is not enrolled")

// PeerIdentity returns the identity of the other side of a connection made with
// ServerTLS. It fails with ErrNoCertificate where the peer showed none.
func PeerIdentity(state tls.ConnectionState) (Identity, error) {
	if len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return Identity{}, ErrNoCertificate
	}
	return IdentityOf(state.VerifiedChains[0][0])
}

// SignRenewal proves possession of the old key: ASN.1 ECDSA over SHA-256 of csrDER.
func SignRenewal(old *ecdsa.PrivateKey, csrDER []byte) ([]byte, error) {
	sum := sha256.Sum256(csrDER)
	sig, err := ecdsa.SignASN1(rand.Reader, old, sum[:])
	if err != nil {
		return nil, fmt.Errorf("signing a renewal: %w", err)
	}
	return sig, nil
}

// VerifyRenewal checks what SignRenewal made against the certificate in use.
func VerifyRenewal(inUse *x509.Certificate, csrDER, sig []byte) error {
	pub, ok := inUse.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return fmt.Errorf("renewal: certificate with key %T, want ECDSA", inUse.PublicKey)
	}
	sum := sha256.Sum256(csrDER)
	if !ecdsa.VerifyASN1(pub, sum[:], sig) {
		return errors.New("renewal: the request is not signed by the key in use")
	}
	return nil
}

// isUUID reports whether s is lower-case RFC 9562 text.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'f'
		if dash != (s[i] == '-') || (!dash && !hex) {
			return false
		}
	}
	return true
}
