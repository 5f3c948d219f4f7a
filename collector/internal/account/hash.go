package account

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"vigia/collector/internal/apperr"
)

// Cost is what one check of a password costs (RFC 9106).
type Cost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultCost is OWASP's first choice: 19 MiB, two passes, about 90 ms on one core.
func DefaultCost() Cost { return Cost{Memory: 19 * 1024, Time: 2, Threads: 1} }

// Bounds of what a stored hash may ask for.
const (
	maxMemory  = 256 * 1024
	maxTime    = 16
	maxThreads = 8
	saltBytes  = 16
	keyBytes   = 32
)

// Password checks at once: strangers cannot take the places of known devices.
const (
	placesStranger = 2
	placesKnown    = 2
	waiting        = 64 // of each sort; more are turned away
)

// hasher checks passwords, a few at a time.
type hasher struct {
	cost            Cost
	random          io.Reader
	dummy           string
	derive          func(password string, salt []byte, c Cost, size uint32) []byte
	stranger, known *gate
}

func newHasher(c Cost, random io.Reader) (*hasher, error) {
	h := &hasher{cost: c, random: random, derive: derive, stranger: newGate(placesStranger), known: newGate(placesKnown)}
	var err error
	h.dummy, err = h.hash("a password that nobody has")
	return h, err
}

// hash returns the PHC string of a password.
func (h *hasher) hash(password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("drawing a salt: %w", err)
	}
	key := h.derive(password, salt, h.cost, keyBytes)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.Memory, h.cost.Time, h.cost.Threads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// derive takes a password in one form however the keyboard composed its letters.
func derive(password string, salt []byte, c Cost, size uint32) []byte {
	return argon2.IDKey([]byte(norm.NFKC.String(password)), salt, c.Time, c.Memory, c.Threads, size)
}

// check compares a password with a PHC string, an empty one with a password that nobody
// has, so that both take the same time. stale tells that the hash should be made anew.
// Errors: Unavailable "account.busy" when too many wait.
func (h *hasher) check(ctx context.Context, phc, password string, known bool) (ok, stale bool, err error) {
	g := h.stranger
	if known {
		g = h.known
	}
	if err := g.enter(ctx); err != nil {
		return false, false, err
	}
	defer g.leave()
	nobody := phc == ""
	if nobody {
		phc = h.dummy
	}
	c, salt, want, err := parsePHC(phc)
	if err != nil {
		return false, false, fmt.Errorf("reading a stored password: %w", err)
	}
	got := h.derive(password, salt, c, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && !nobody, c != h.cost, nil
}

var errPHC = errors.New("not an argon2id hash in PHC string format")

func parsePHC(s string) (c Cost, salt, key []byte, err error) {
	part := strings.Split(s, "$")
	var version int
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" {
		return c, nil, nil, errPHC
	}
	if n, err := fmt.Sscanf(part[2], "v=%d", &version); err != nil || n != 1 || version != argon2.Version {
		return c, nil, nil, errPHC
	}
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads); err != nil || n != 3 {
		return c, nil, nil, errPHC
	}
	if c.Memory < 8 || c.Memory > maxMemory || c.Time < 1 || c.Time > maxTime || c.Threads < 1 || c.Threads > maxThreads {
		return c, nil, nil, errPHC
	}
	salt, serr := base64.RawStdEncoding.DecodeString(part[4])
	key, kerr := base64.RawStdEncoding.DecodeString(part[5])
	if serr != nil || kerr != nil || len(salt) < 8 || len(salt) > 64 || len(key) < 16 || len(key) > 64 {
		return c, nil, nil, errPHC
	}
	return c, salt, key, nil
}

// gate lets a few in and some wait.
type gate struct{ places, line chan struct{} }

func newGate(n int) *gate {
	return &gate{places: make(chan struct{}, n), line: make(chan struct{}, waiting)}
}

func (g *gate) enter(ctx context.Context) error {
	busy := apperr.New(apperr.Unavailable, "account.busy", nil)
	select {
	case g.line <- struct{}{}:
		defer func() { <-g.line }()
	default:
		return busy
	}
	select {
	case g.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return busy
	}
}

func (g *gate) leave() { <-g.places }
