package uplink

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vigia/internal/fsatomic"
	"vigia/internal/pki"
)

// Credential is a certificate and its key.
type Credential struct {
	Cert *x509.Certificate
	Key  *ecdsa.PrivateKey
}

// Identity is who this machine is to its collector.
type Identity struct {
	MachineID string
	Addresses []string // of the collector, tried in order
	Trust     *pki.Trust
	Current   Credential
	Previous  *Credential // kept after a renewal until Current has worked
}

// identityFile is one file, so that certificate and key always change together.
type identityFile struct {
	MachineID string          `json:"machine_id"`
	Addresses []string        `json:"addresses"`
	CAs       [][]byte        `json:"cas"`
	Current   credentialFile  `json:"current"`
	Previous  *credentialFile `json:"previous,omitempty"`
}

type credentialFile struct {
	Certificate []byte `json:"certificate"` // DER
	Key         string `json:"key"`         // PEM, sealed where the system can (sealKey)
}

func identityPath(stateDir string) string { return filepath.Join(stateDir, "identity.json") }

// LoadIdentity reads the identity from the state folder. Where there is none the error
// is a Problem of ErrNotEnrolled.
func LoadIdentity(stateDir string) (*Identity, error) {
	data, err := os.ReadFile(identityPath(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Problem{Kind: ErrNotEnrolled, What: "this machine is not enrolled: no identity in " + stateDir, Remedy: enrollRemedy}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the identity: %w", err)
	}
	id, err := parseIdentity(data)
	if err != nil {
		return nil, &Problem{Kind: ErrNotEnrolled, What: "the identity in " + identityPath(stateDir) + " is damaged", Remedy: enrollRemedy, Err: err}
	}
	return id, nil
}

func parseIdentity(data []byte) (*Identity, error) {
	var f identityFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	id := &Identity{MachineID: f.MachineID, Addresses: f.Addresses}
	if len(f.Addresses) == 0 {
		return nil, errors.New("no address of a collector")
	}
	var err error
	if id.Trust, err = pki.ParseTrust(f.CAs); err != nil {
		return nil, err
	}
	if id.Current, err = f.Current.parse(f.MachineID); err != nil {
		return nil, err
	}
	if f.Previous != nil {
		prev, err := f.Previous.parse(f.MachineID)
		if err != nil {
			return nil, err
		}
		id.Previous = &prev
	}
	return id, nil
}

func (f credentialFile) parse(machineID string) (Credential, error) {
	cert, err := x509.ParseCertificate(f.Certificate)
	if err != nil {
		return Credential{}, err
	}
	pem, err := openKey(f.Key)
	if err != nil {
		return Credential{}, err
	}
	key, err := pki.ParseKey(pem)
	if err != nil {
		return Credential{}, err
	}
	return checkCredential(Credential{Cert: cert, Key: key}, machineID)
}

// checkCredential refuses a certificate for another key or another machine.
func checkCredential(c Credential, machineID string) (Credential, error) {
	who, err := pki.IdentityOf(c.Cert)
	switch {
	case err != nil:
		return Credential{}, err
	case who.MachineID != machineID:
		return Credential{}, fmt.Errorf("certificate of machine %s, want %s", who.MachineID, machineID)
	case !c.Key.PublicKey.Equal(c.Cert.PublicKey):
		return Credential{}, errors.New("certificate for another key")
	}
	return c, nil
}

// SaveIdentity writes the identity atomically with mode 0600, and makes the state
// folder (0700) where it is missing.
func SaveIdentity(stateDir string, id *Identity) error {
	f := identityFile{MachineID: id.MachineID, Addresses: id.Addresses, CAs: id.Trust.DER()}
	var err error
	if f.Current, err = id.Current.file(); err != nil {
		return err
	}
	if id.Previous != nil {
		prev, err := id.Previous.file()
		if err != nil {
			return err
		}
		f.Previous = &prev
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return fmt.Errorf("saving the identity: %w", err)
	}
	if err := fsatomic.WriteFile(identityPath(stateDir), data, 0o600); err != nil {
		return fmt.Errorf("saving the identity: %w", err)
	}
	return nil
}

func (c Credential) file() (credentialFile, error) {
	pem, err := pki.MarshalKey(c.Key)
	if err != nil {
		return credentialFile{}, err
	}
	key, err := sealKey(pem)
	return credentialFile{Certificate: c.Cert.Raw, Key: key}, err
}

// tls returns c as crypto/tls wants it.
func (c Credential) tls() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{c.Cert.Raw}, PrivateKey: c.Key, Leaf: c.Cert}
}

// ExpiredAt reports whether the certificate is of no use any more at a moment.
func (c Credential) ExpiredAt(at time.Time) bool { return at.After(c.Cert.NotAfter) }

// RenewAt returns when this certificate is to be renewed. Its place in the jitter
// follows from its random serial number, so that it is the same after a restart.
func (c Credential) RenewAt() time.Time {
	sum := sha256.Sum256(c.Cert.SerialNumber.Bytes())
	return pki.RenewAt(c.Cert, float64(binary.BigEndian.Uint64(sum[:])>>11)/(1<<53))
}
