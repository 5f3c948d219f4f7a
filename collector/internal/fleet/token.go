package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/internal/pki"
)

// Limits of a token.
const (
	MaxTokenUses    = 100_000
	MaxTokenLife    = 366 * 24 * time.Hour
	maxTokenSerials = 1_000
	maxName         = 200 // bytes of a site, area, note or serial number
)

// NewToken is what is asked for with a token.
type NewToken struct {
	Site, Area string
	Uses       int           // 1 to MaxTokenUses
	Life       time.Duration // 1 minute to MaxTokenLife
	Serials    []string      // empty: any machine
	Note       string
	Addresses  []string // what agents dial, "host:port", 1 to 8
}

// CreateToken makes a token and returns it with its one line, which is shown this once
// and stored nowhere. Errors: Invalid with Args["field"].
func (s *Service) CreateToken(ctx context.Context, n NewToken) (Token, string, error) {
	if _, err := access.Need(ctx, access.ChangeMachines); err != nil {
		return Token{}, "", err
	}
	if err := n.check(); err != nil {
		return Token{}, "", err
	}
	secret, err := pki.NewSecret()
	if err != nil {
		return Token{}, "", err
	}
	ca := s.Authority.CA().Fingerprint()
	line, err := pki.Token{Addresses: n.Addresses, CA: ca, Secret: secret}.Encode()
	if err != nil {
		return Token{}, "", apperr.Wrap(err, apperr.Invalid, "token.bad-address", apperr.Args{"field": "collector-address", "value": strings.Join(n.Addresses, ", "), "problem": err.Error()})
	}
	now := s.Now().UTC().Truncate(time.Microsecond)
	t := Token{
		SecretHash: pki.SecretHash(secret), Site: n.Site, Area: n.Area, UsesLeft: n.Uses, ExpiresAt: now.Add(n.Life),
		Serials: n.Serials, CreatedAt: now, CreatedBy: actor.From(ctx).String(), Note: n.Note,
		CA: ca.String(), Uses: n.Uses,
	}
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		made, err := s.Tokens.CreateToken(ctx, t)
		if err != nil {
			return err
		}
		t = made
		return s.record(ctx, "token.create", "token/"+t.ID, nil, tokenView(t))
	})
	if err != nil {
		return Token{}, "", err
	}
	s.known.add(t.SecretHash)
	return t, line, nil
}

func (n *NewToken) check() error {
	bad := func(field string, value any, want string) error {
		return apperr.New(apperr.Invalid, "token.bad-field", apperr.Args{"field": field, "value": value, "want": want})
	}
	switch {
	case n.Uses < 1 || n.Uses > MaxTokenUses:
		return bad("uses", n.Uses, fmt.Sprintf("1 to %d", MaxTokenUses))
	case n.Life < time.Minute || n.Life > MaxTokenLife:
		return bad("expires", n.Life, fmt.Sprintf("1m to %s", MaxTokenLife))
	case len(n.Serials) > maxTokenSerials:
		return bad("serial", len(n.Serials), fmt.Sprintf("at most %d serial numbers", maxTokenSerials))
	case len(n.Addresses) == 0:
		return bad("collector-address", "", "host:port as the agents dial it")
	}
	for _, a := range n.Addresses {
		if err := pki.CheckAddress(a); err != nil {
			return bad("collector-address", a, "host:port as the agents dial it")
		}
	}
	for i, serial := range n.Serials {
		if n.Serials[i] = strings.TrimSpace(serial); !realSerial(n.Serials[i]) {
			return bad("serial", serial, "a hardware serial number, not a placeholder")
		}
	}
	for _, f := range []struct{ field, value string }{{"site", n.Site}, {"area", n.Area}, {"note", n.Note}} {
		if len(f.value) > maxName || !utf8.ValidString(f.value) || strings.ContainsFunc(f.value, func(r rune) bool { return r < ' ' }) {
			return bad(f.field, cutText(f.value, 40), fmt.Sprintf("at most %d bytes of text", maxName))
		}
	}
	return nil
}

// ListTokens returns all tokens, newest first, without their secrets.
func (s *Service) ListTokens(ctx context.Context) ([]Token, error) { return s.Tokens.Tokens(ctx) }

// RevokeToken takes back a token by its public name; one taken back already keeps its
// time. Errors: NotFound "token.unknown".
func (s *Service) RevokeToken(ctx context.Context, id string) (Token, error) {
	var t Token
	if _, err := access.Need(ctx, access.ChangeMachines); err != nil {
		return t, err
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if t, err = s.Tokens.RevokeToken(ctx, id, s.Now().UTC().Truncate(time.Microsecond)); err != nil {
			return err
		}
		return s.record(ctx, "token.revoke", "token/"+t.ID, nil, tokenView(t))
	})
	return t, err
}

// tokenView is what the audit log keeps: never the hash of the secret.
func tokenView(t Token) any {
	return map[string]any{"id": t.ID, "ca": t.CA, "site": t.Site, "area": t.Area, "uses_left": t.UsesLeft, "expires_at": t.ExpiresAt,
		"serials": t.Serials, "note": t.Note, "revoked": !t.RevokedAt.IsZero()}
}

func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
