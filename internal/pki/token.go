package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Token is what a machine needs to enroll, in one line: "vigia1." and base64url of
//
//	length of what follows up to the checksum (2 bytes, big endian)
//	CA fingerprint (32) · length of the secret (1), secret
//	number of addresses (1) · each: length (1), "host:port"
//	checksum (4): the first bytes of SHA-256 over all before, "vigia1." included
//
// The checksum tells a mistyped token from a wrong one; the secret is what counts.
type Token struct {
	Addresses []string    // of the collector, "host:port" as the agent dials, 1 to 8, tried in order
	CA        Fingerprint // of the CA that the collector must show
	Secret    []byte      // 16 to 64 random bytes
}

const (
	tokenPrefix    = "vigia1."
	tokenChecksum  = 4
	minSecret      = 16
	maxSecret      = 64
	maxAddresses   = 8
	maxTokenLength = 4096
	newSecret      = 24
)

// NewSecret returns 24 random bytes, for a token.
func NewSecret() ([]byte, error) {
	b := make([]byte, newSecret)
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		return nil, fmt.Errorf("making a secret: %w", err)
	}
	return b, nil
}

// SecretHash returns what the collector stores of a secret: its SHA-256. Secrets are
// random, so a slow hash would protect nothing.
func SecretHash(secret []byte) [32]byte { return sha256.Sum256(secret) }

// Encode returns t in one line, or the error that ParseToken would give.
func (t Token) Encode() (string, error) {
	if err := t.check(); err != nil {
		return "", err
	}
	b := append([]byte{0, 0}, t.CA[:]...)
	b = append(b, byte(len(t.Secret)))
	b = append(b, t.Secret...)
	b = append(b, byte(len(t.Addresses)))
	for _, a := range t.Addresses {
		b = append(append(b, byte(len(a))), a...)
	}
	binary.BigEndian.PutUint16(b, uint16(len(b)-2))
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(b, checksum(b)...)), nil
}

// ParseToken reads what Encode wrote, strictly; white space around it is allowed. The
// error names what is wrong and never holds the secret.
func ParseToken(line string) (Token, error) {
	line = strings.TrimSpace(line)
	switch version, _, dot := strings.Cut(line, "."); {
	case line == "":
		return Token{}, errors.New("token: empty")
	case len(line) > maxTokenLength:
		return Token{}, fmt.Errorf("token: %d characters, at most %d", len(line), maxTokenLength)
	case dot && strings.HasPrefix(line, tokenPrefix):
	case dot && strings.HasPrefix(version, "vigia"):
		return Token{}, fmt.Errorf("token: unknown version %.16q, this agent knows \"vigia1\"; update the agent", version)
	case strings.HasPrefix(tokenPrefix, line):
		return Token{}, errTruncated
	default:
		return Token{}, errors.New("token: does not begin with \"vigia1.\"; copy the whole line that `vigia-collector token create` printed")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(line[len(tokenPrefix):])
	var bad base64.CorruptInputError
	if errors.As(err, &bad) && len(tokenPrefix)+int(bad) < len(line)-1 {
		return Token{}, fmt.Errorf("token: character %d cannot be part of a token", len(tokenPrefix)+int(bad)+1)
	}
	if err != nil {
		return Token{}, errTruncated
	}
	return parseTokenBody(raw)
}

var (
	errTruncated = errors.New("token: truncated; copy the whole line")
	errMistyped  = errors.New("token: mistyped (the checksum does not fit); copy the line again")
)

func parseTokenBody(raw []byte) (Token, error) {
	if len(raw) < 2+tokenChecksum {
		return Token{}, errTruncated
	}
	body, sum := raw[:len(raw)-tokenChecksum], raw[len(raw)-tokenChecksum:]
	if !bytes.Equal(sum, checksum(body)) {
		if len(body)-2 < int(binary.BigEndian.Uint16(body)) {
			return Token{}, errTruncated
		}
		return Token{}, errMistyped
	}
	if len(body)-2 != int(binary.BigEndian.Uint16(body)) {
		return Token{}, errMistyped
	}
	r := tokenReader{b: body[2:]}
	var t Token
	copy(t.CA[:], r.take(len(t.CA)))
	t.Secret = bytes.Clone(r.take(r.byte()))
	for range r.byte() {
		t.Addresses = append(t.Addresses, string(r.take(r.byte())))
	}
	if r.short || len(r.b) != 0 {
		return Token{}, errors.New("token: made wrongly (lengths do not add up); create another")
	}
	return t, t.check()
}

type tokenReader struct {
	b     []byte
	short bool
}

func (r *tokenReader) take(n int) []byte {
	if n > len(r.b) {
		r.short, r.b = true, nil
		return nil
	}
	var out []byte
	out, r.b = r.b[:n], r.b[n:]
	return out
}

func (r *tokenReader) byte() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (t Token) check() error {
	if len(t.Secret) < minSecret || len(t.Secret) > maxSecret {
		return fmt.Errorf("token: secret of %d bytes, want %d to %d", len(t.Secret), minSecret, maxSecret)
	}
	if len(t.Addresses) == 0 || len(t.Addresses) > maxAddresses {
		return fmt.Errorf("token: %d addresses, want 1 to %d", len(t.Addresses), maxAddresses)
	}
	for _, a := range t.Addresses {
		if err := CheckAddress(a); err != nil {
			return fmt.Errorf("token: %w", err)
		}
	}
	return nil
}

// CheckAddress reports what keeps a from being a collector's address: "host:port" with
// a DNS name or IP address (IPv6 in brackets) and a port from 1 to 65535.
func CheckAddress(a string) error {
	host, port, err := net.SplitHostPort(a)
	if err != nil || len(a) > 255 {
		return fmt.Errorf("address %.300q: want host:port", a)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' || port[0] == '+' {
		return fmt.Errorf("address %q: port %q, want 1 to 65535", a, port)
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		if ip.IsUnspecified() {
			return fmt.Errorf("address %q: host %q names no machine", a, host)
		}
		return nil
	}
	if !isHost(host) {
		return fmt.Errorf("address %q: host %q is no DNS name or IP address", a, host)
	}
	return nil
}

func checksum(body []byte) []byte {
	h := sha256.New()
	h.Write([]byte(tokenPrefix))
	h.Write(body)
	return h.Sum(nil)[:tokenChecksum]
}
