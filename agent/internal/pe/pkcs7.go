package pe

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// contentInfo, signedData and signerInfo are those of PKCS #7 (RFC 2315).
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
}

type signedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Content      contentInfo
	Certificates asn1.RawValue `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue `asn1:"optional,tag:1"`
	Signers      []signerInfo  `asn1:"set"`
}

type issuerAndSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type signerInfo struct {
	Version         int
	Issuer          issuerAndSerial
	Digest          pkix.AlgorithmIdentifier
	Authenticated   asn1.RawValue `asn1:"optional,tag:0"`
	Encryption      pkix.AlgorithmIdentifier
	Signature       []byte
	Unauthenticated asn1.RawValue `asn1:"optional,tag:1"`
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

// indirectData is SpcIndirectDataContent of Authenticode.
type indirectData struct {
	Data   asn1.RawValue
	Digest struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
}

// signed is a PKCS #7 message with its certificates.
type signed struct {
	data  signedData
	certs []*x509.Certificate
}

func parseSigned(der []byte) (*signed, error) {
	var outer contentInfo
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if !oid(outer.Type, 1, 2, 840, 113549, 1, 7, 2) {
		return nil, fmt.Errorf("%w: not signed data", ErrSignature)
	}
	s := &signed{}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &s.data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	for rest := s.data.Certificates.Bytes; len(rest) > 0 && len(s.certs) < 32; {
		var raw asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &raw); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSignature, err)
		}
		if c, err := x509.ParseCertificate(raw.FullBytes); err == nil { // an odd one may not be needed
			s.certs = append(s.certs, c)
		}
	}
	if len(s.data.Signers) == 0 {
		return nil, fmt.Errorf("%w: no signer", ErrSignature)
	}
	return s, nil
}

// hashOf names a digest algorithm.
func hashOf(id asn1.ObjectIdentifier) (crypto.Hash, error) {
	switch {
	case oid(id, 1, 3, 14, 3, 2, 26):
		return crypto.SHA1, nil
	case oid(id, 2, 16, 840, 1, 101, 3, 4, 2, 1):
		return crypto.SHA256, nil
	case oid(id, 2, 16, 840, 1, 101, 3, 4, 2, 2):
		return crypto.SHA384, nil
	case oid(id, 2, 16, 840, 1, 101, 3, 4, 2, 3):
		return crypto.SHA512, nil
	}
	return 0, fmt.Errorf("%w: digest %v", ErrSignature, id)
}

// content returns the bytes that are digested: those inside of the content's own value.
func (s *signed) content() ([]byte, error) {
	var inner asn1.RawValue
	if _, err := asn1.Unmarshal(s.data.Content.Content.Bytes, &inner); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return inner.Bytes, nil
}

// imageDigest reads what the signature says of the file.
func (s *signed) imageDigest() (crypto.Hash, []byte, error) {
	if !oid(s.data.Content.Type, 1, 3, 6, 1, 4, 1, 311, 2, 1, 4) {
		return 0, nil, fmt.Errorf("%w: not of Authenticode", ErrSignature)
	}
	var d indirectData
	if _, err := asn1.Unmarshal(s.data.Content.Content.Bytes, &d); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	hash, err := hashOf(d.Digest.Algorithm.Algorithm)
	return hash, d.Digest.Digest, err
}

// attributes reads a set of attributes.
func attributes(raw asn1.RawValue) ([]attribute, error) {
	var list []attribute
	for rest := raw.Bytes; len(rest) > 0 && len(list) < 64; {
		var a attribute
		var err error
		if rest, err = asn1.Unmarshal(rest, &a); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSignature, err)
		}
		list = append(list, a)
	}
	return list, nil
}

// check verifies the first signer's signature over content and returns its certificate.
func (s *signed) check(content []byte) (*x509.Certificate, error) {
	si := s.data.Signers[0]
	hash, err := hashOf(si.Digest.Algorithm)
	if err != nil {
		return nil, err
	}
	attrs, err := attributes(si.Authenticated)
	if err != nil {
		return nil, err
	}
	var told []byte
	for _, a := range attrs {
		if oid(a.Type, 1, 2, 840, 113549, 1, 9, 4) { // messageDigest
			if _, err := asn1.Unmarshal(a.Values.Bytes, &told); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrSignature, err)
			}
		}
	}
	h := hash.New()
	h.Write(content)
	if !bytes.Equal(told, h.Sum(nil)) {
		return nil, fmt.Errorf("%w: what it says of the file", ErrTampered)
	}
	cert := s.certificate(si.Issuer)
	if cert == nil {
		return nil, fmt.Errorf("%w: the signer's certificate is missing", ErrSignature)
	}
	signedBytes := append([]byte(nil), si.Authenticated.FullBytes...)
	if len(signedBytes) == 0 {
		return nil, fmt.Errorf("%w: nothing is signed", ErrSignature)
	}
	signedBytes[0] = 0x31 // it is signed as a SET
	algorithm, err := algorithmOf(cert, hash)
	if err != nil {
		return nil, err
	}
	return cert, checkSignature(cert, algorithm, hash, signedBytes, si.Signature)
}

func (s *signed) certificate(of issuerAndSerial) *x509.Certificate {
	for _, c := range s.certs {
		if bytes.Equal(c.RawIssuer, of.Issuer.FullBytes) && of.Serial != nil && c.SerialNumber.Cmp(of.Serial) == 0 {
			return c
		}
	}
	return nil
}

// verify checks signature, time and chain, and names the signer.
func (s *signed) verify(trust Trust, now time.Time) (string, error) {
	content, err := s.content()
	if err != nil {
		return "", err
	}
	cert, err := s.check(content)
	if err != nil {
		return "", err
	}
	at, err := s.stampedAt(trust, now)
	if err != nil {
		return "", err
	}
	if err := trust(cert, s.certs, at, x509.ExtKeyUsageCodeSigning); err != nil {
		return "", err
	}
	name := cert.Subject.CommonName
	if len(cert.Subject.Organization) > 0 {
		name = cmp.Or(name, cert.Subject.Organization[0])
	}
	if name == "" {
		return "", fmt.Errorf("%w: a certificate without a name", ErrSignature)
	}
	return name, nil
}
