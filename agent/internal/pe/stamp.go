package pe

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"time"
)

// algorithmOf names the signature by the key's kind and the hash.
func algorithmOf(cert *x509.Certificate, hash crypto.Hash) (x509.SignatureAlgorithm, error) {
	switch cert.PublicKey.(type) {
	case *rsa.PublicKey:
		switch hash {
		case crypto.SHA1:
			return x509.SHA1WithRSA, nil
		case crypto.SHA256:
			return x509.SHA256WithRSA, nil
		case crypto.SHA384:
			return x509.SHA384WithRSA, nil
		case crypto.SHA512:
			return x509.SHA512WithRSA, nil
		}
	case *ecdsa.PublicKey:
		switch hash {
		case crypto.SHA256:
			return x509.ECDSAWithSHA256, nil
		case crypto.SHA384:
			return x509.ECDSAWithSHA384, nil
		case crypto.SHA512:
			return x509.ECDSAWithSHA512, nil
		}
	}
	return 0, fmt.Errorf("%w: a key of another kind", ErrSignature)
}

// checkSignature verifies; crypto/x509 refuses SHA-1, which signatures of programs up to
// 2016 bear and Windows still takes with a timestamp.
func checkSignature(cert *x509.Certificate, algorithm x509.SignatureAlgorithm, hash crypto.Hash, content, signature []byte) error {
	if algorithm == x509.SHA1WithRSA {
		h := hash.New()
		h.Write(content)
		if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), hash, h.Sum(nil), signature); err != nil {
			return fmt.Errorf("%w: %w", ErrTampered, err)
		}
		return nil
	}
	if err := cert.CheckSignature(algorithm, content, signature); err != nil {
		return fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return nil
}

// stampInfo is TSTInfo of RFC 3161, as far as it is read.
type stampInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Serial asn1.RawValue
	Time   time.Time `asn1:"generalized"`
}

// stampedAt returns when the signature was made, by a timestamp of RFC 3161 that is
// itself signed and trusted; now where there is none. One that is there and wrong is an
// error.
func (s *signed) stampedAt(trust Trust, now time.Time) (time.Time, error) {
	attrs, err := attributes(s.data.Signers[0].Unauthenticated)
	if err != nil {
		return now, err
	}
	for _, a := range attrs {
		if !oid(a.Type, 1, 3, 6, 1, 4, 1, 311, 3, 3, 1) {
			continue
		}
		stamp, err := parseSigned(a.Values.Bytes)
		if err != nil {
			return now, err
		}
		content, err := stamp.content()
		if err != nil {
			return now, err
		}
		cert, err := stamp.check(content)
		if err != nil {
			return now, fmt.Errorf("timestamp: %w", err)
		}
		var info stampInfo
		if _, err := asn1.Unmarshal(content, &info); err != nil {
			return now, fmt.Errorf("%w: %w", ErrSignature, err)
		}
		hash, err := hashOf(info.Imprint.Algorithm.Algorithm)
		if err != nil {
			return now, err
		}
		h := hash.New()
		h.Write(s.data.Signers[0].Signature)
		if !bytes.Equal(h.Sum(nil), info.Imprint.Digest) {
			return now, fmt.Errorf("%w: the timestamp is of another signature", ErrTampered)
		}
		if err := trust(cert, append(stamp.certs, s.certs...), info.Time, x509.ExtKeyUsageTimeStamping); err != nil {
			return now, fmt.Errorf("timestamp: %w", err)
		}
		return info.Time, nil
	}
	return now, nil
}
