package pe

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha1" // of old signatures
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"time"
)

// Errors of Verify, besides those of reading and of crypto/x509.
var (
	ErrNotSigned = errors.New("not signed")
	ErrTampered  = errors.New("changed after it was signed")
	ErrSignature = errors.New("signature that makes no sense")
)

// maxCertTable is how much a table of signatures may hold.
const maxCertTable = 4 << 20

// Signer verifies the first signature and returns whose it is: the common name of the
// certificate, else its organisation. The content must be what was signed, the
// signature by that certificate, and its chain must be trusted for signing code, at the
// time a trusted timestamp tells or at now. Whether it was revoked is not asked:
// that would ask the network.
func (f *File) Signer(ctx context.Context, trust Trust, now time.Time) (string, error) {
	if f.certSize == 0 {
		return "", ErrNotSigned
	}
	if f.certSize > maxCertTable {
		return "", fmt.Errorf("%w: %d bytes of signatures", ErrSignature, f.certSize)
	}
	table := make([]byte, f.certSize)
	if _, err := f.r.ReadAt(table, f.certAt); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if len(table) < 8 || int64(le.Uint32(table)) > f.certSize || le.Uint32(table) < 8 || le.Uint16(table[6:]) != 2 { // PKCS_SIGNED_DATA
		return "", ErrSignature
	}
	return VerifySigned(table[8:le.Uint32(table)], func(hash crypto.Hash) ([]byte, error) { return f.digest(ctx, hash) }, trust, now)
}

// VerifySigned verifies a signature of Authenticode over what digest computes.
func VerifySigned(der []byte, digest func(crypto.Hash) ([]byte, error), trust Trust, now time.Time) (string, error) {
	s, err := parseSigned(der)
	if err != nil {
		return "", err
	}
	hash, want, err := s.imageDigest()
	if err != nil {
		return "", err
	}
	got, err := digest(hash)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(got, want) {
		return "", ErrTampered
	}
	return s.verify(trust, now)
}

// digest computes the hash that Authenticode signs: all of the file but the checksum,
// the place that points to the signatures, and the signatures.
func (f *File) digest(ctx context.Context, hash crypto.Hash) ([]byte, error) {
	h := hash.New()
	end := f.size
	if f.certSize > 0 {
		end = f.certAt
		if f.certAt+f.certSize != f.size { // content behind the signatures is not covered
			return nil, fmt.Errorf("%w: something follows the signatures", ErrTampered)
		}
	}
	if f.checksumAt+4 > f.certEntryAt || f.certEntryAt+8 > end {
		return nil, ErrFormat
	}
	for _, part := range [...][2]int64{{0, f.checksumAt}, {f.checksumAt + 4, f.certEntryAt}, {f.certEntryAt + 8, end}} {
		r := &interruptible{ctx, io.NewSectionReader(f.r, part[0], part[1]-part[0])}
		if n, err := io.Copy(h, r); err != nil {
			return nil, err
		} else if n != part[1]-part[0] {
			return nil, ErrFormat
		}
	}
	return h.Sum(nil), nil
}

// interruptible ends with its context.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// oid reports whether id has the numbers.
func oid(id asn1.ObjectIdentifier, numbers ...int) bool { return id.Equal(numbers) }
