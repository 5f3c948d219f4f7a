package fleet

import (
	"context"
	"slices"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/paging"
)

// TokenState tells whether a token lets a machine in.
type TokenState string

// States of a token.
const (
	TokenUsable  TokenState = "usable"
	TokenUsedUp  TokenState = "used-up"
	TokenExpired TokenState = "expired"
	TokenRevoked TokenState = "revoked"
	TokenRetired TokenState = "other-ca" // the CA that it pins is not shown any more
)

// TokenStates lists them in the order in which they are offered.
func TokenStates() []TokenState {
	return []TokenState{TokenUsable, TokenUsedUp, TokenExpired, TokenRevoked, TokenRetired}
}

// StateAt tells how a token stands at a moment, while the CAs with these fingerprints are
// trusted.
func (t *Token) StateAt(now time.Time, trusted []string) TokenState {
	switch {
	case !t.RevokedAt.IsZero():
		return TokenRevoked
	case !now.Before(t.ExpiresAt):
		return TokenExpired
	case t.UsesLeft <= 0:
		return TokenUsedUp
	case t.CA != "" && !slices.Contains(trusted, t.CA):
		return TokenRetired
	}
	return TokenUsable
}

// TokenFilter narrows a list of tokens. Zero means "any".
type TokenFilter struct {
	Query   string // folded part of site, area, note, or who made it
	State   TokenState
	Site    string
	Now     time.Time // for State
	Trusted []string  // for State: fingerprints of the CAs that are trusted
}

// Trusted returns the fingerprints of the CAs that are trusted, newest first.
func (s *Service) Trusted() []string {
	var list []string
	for _, fp := range s.Authority.Trust().Fingerprints() {
		list = append(list, fp.String())
	}
	return list
}

// TokenPage returns one page of tokens, sorted by "made" (the default), "expires" or "left".
func (s *Service) TokenPage(ctx context.Context, f TokenFilter, o paging.Order) (paging.Page[Token], error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return paging.Page[Token]{}, err
	}
	f.Now, f.Trusted = s.Now(), s.Trusted()
	return s.Tokens.TokenPage(ctx, f, o)
}

// CountTokens counts them, at most most.
func (s *Service) CountTokens(ctx context.Context, f TokenFilter, most int) (int, error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return 0, err
	}
	f.Now, f.Trusted = s.Now(), s.Trusted()
	return s.Tokens.CountTokens(ctx, f, most)
}

// TokenByID returns one by its public name. Errors: NotFound "token.unknown".
func (s *Service) TokenByID(ctx context.Context, id string) (Token, error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return Token{}, err
	}
	return s.Tokens.Token(ctx, id)
}

// CertificateState tells whether a certificate is believed.
type CertificateState string

// States of a certificate.
const (
	CertificateGood    CertificateState = "good"
	CertificateExpired CertificateState = "expired"
	CertificateRevoked CertificateState = "revoked"
)

// StateAt tells how a certificate stands at a moment.
func (c *Certificate) StateAt(now time.Time) CertificateState {
	switch {
	case !c.RevokedAt.IsZero():
		return CertificateRevoked
	case !now.Before(c.NotAfter):
		return CertificateExpired
	}
	return CertificateGood
}
