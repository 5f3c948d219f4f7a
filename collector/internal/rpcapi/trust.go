package rpcapi

import (
	"context"
	"slices"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/internal/pki"
	vigiav1 "vigia/proto/vigia/v1"
)

// renewalsPerSecond is how many certificates connected agents may ask for in a second
// after a new CA was made.
const renewalsPerSecond = 50

// returnsPerSecond is how many agents may come back in a second after a CA was retired.
const returnsPerSecond = 200

// trustUpdate tells the CAs to trust, and how long agents with a certificate by another
// than the first may take to renew it.
func (s *Server) trustUpdate() *vigiav1.FromCollector {
	within := max(time.Second, time.Duration(len(s.Presence.All()))*time.Second/renewalsPerSecond)
	return &vigiav1.FromCollector{Kind: &vigiav1.FromCollector_Trust{Trust: &vigiav1.TrustUpdate{
		CaDer: s.Fleet.Authority.Trust().DER(), RenewWithinMs: uint32(min(within, 24*time.Hour).Milliseconds())}}}
}

// reloadTrust takes over what became of the CAs: agents are told of new ones; where one
// was retired, agents with a certificate by it are cut off, and all others are asked to
// come back, so that they are shown a certificate by the CA that stays.
func (s *Server) reloadTrust(ctx context.Context) error {
	if err := s.Fleet.Authority.Reload(ctx); err != nil {
		return err
	}
	if err := s.NewNames(ctx); err != nil {
		return err
	}
	now := s.Fleet.Authority.Trust().Fingerprints()
	before := s.trusted
	if slices.Equal(before, now) {
		return nil
	}
	s.trusted = now
	retired := slices.ContainsFunc(before, func(fp pki.Fingerprint) bool { return !slices.Contains(now, fp) })
	update := s.trustUpdate()
	backWithin := max(stoppingWait, time.Duration(len(s.Presence.All()))*time.Second/returnsPerSecond)
	for _, c := range s.Presence.All() {
		st, ok := c.(*stream)
		switch {
		case !ok:
		case !slices.Contains(now, st.issuer):
			s.Log.InfoContext(ctx, "connection closed: the certificate is by a retired ca", "machine", st.machine)
			st.Close(fleet.ReasonRevoked)
		case retired:
			st.sendAway(fleet.ReasonTrustChanged, backWithin)
		default:
			st.queue(update)
		}
	}
	return nil
}

// trusts notes which CAs the agent says it trusts, and tells it where they are others.
func (c *stream) trusts(told [][]byte) {
	if len(told) == 0 {
		return // an older agent
	}
	c.link.Trusts = nil
	var list []pki.Fingerprint
	for _, raw := range told[:min(len(told), pki.MaxTrusted)] {
		if len(raw) == len(pki.Fingerprint{}) {
			list = append(list, pki.Fingerprint(raw))
			c.link.Trusts = append(c.link.Trusts, pki.Fingerprint(raw).String())
		}
	}
	if !slices.Equal(list, c.s.Fleet.Authority.Trust().Fingerprints()) {
		c.queue(c.s.trustUpdate())
	}
}
