package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"runtime"

	"vigia/internal/fsatomic"
)

const (
	pemKey  = "PRIVATE KEY"
	pemCert = "CERTIFICATE"
)

// GenerateKey makes an ECDSA P-256 key.
func GenerateKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return key, nil
}

// MarshalKey returns key as PEM (PKCS #8).
func MarshalKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), nil
}

// ParseKey reads the first PRIVATE KEY block of data: ECDSA on P-256 or P-384.
func ParseKey(data []byte) (*ecdsa.PrivateKey, error) {
	der := firstBlock(data, pemKey)
	if der == nil {
		return nil, errors.New("key: no PRIVATE KEY block in PEM form")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("key: %T, want ECDSA on P-256 or P-384", parsed)
	}
	return key, checkCurve(&key.PublicKey)
}

// SaveKey writes key to path, atomically, with mode 0600.
func SaveKey(path string, key *ecdsa.PrivateKey) error {
	data, err := MarshalKey(key)
	if err != nil {
		return err
	}
	return fsatomic.WriteFile(path, data, 0o600)
}

// LoadKey reads a key file. On Unix it refuses one that others may read.
func LoadKey(path string) (*ecdsa.PrivateKey, error) {
	data, err := readPrivate(path)
	if err != nil {
		return nil, err
	}
	key, err := ParseKey(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// readPrivate reads a file that only its owner may read.
func readPrivate(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others may read this private key (mode %04o); run: chmod 600 %[1]s", path, info.Mode().Perm())
	}
	return os.ReadFile(path)
}

func checkCurve(pub *ecdsa.PublicKey) error {
	if pub.Curve != elliptic.P256() && pub.Curve != elliptic.P384() {
		return fmt.Errorf("key: curve %s, want P-256 or P-384", pub.Curve.Params().Name)
	}
	return nil
}

func firstBlock(data []byte, kind string) []byte {
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil
		}
		if block.Type == kind {
			return block.Bytes
		}
	}
}
