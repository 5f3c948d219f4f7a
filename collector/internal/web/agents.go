package web

import (
	"context"
	"net/http"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

// Agents is what pages ask about tokens, agents, certificates and the CA; but for
// MakeToken, fleet.Service has it.
type Agents interface {
	TokenPage(ctx context.Context, f fleet.TokenFilter, o paging.Order) (paging.Page[fleet.Token], error)
	CountTokens(ctx context.Context, f fleet.TokenFilter, most int) (int, error)
	TokenByID(ctx context.Context, id string) (fleet.Token, error)
	Trusted() []string // fingerprints of the CAs that are trusted
	// MakeToken is CreateToken for the addresses at which the collectors are reached.
	MakeToken(ctx context.Context, n fleet.NewToken) (fleet.Token, string, error)
	RevokeToken(ctx context.Context, id string) (fleet.Token, error)

	AgentPage(ctx context.Context, f fleet.AgentFilter, o paging.Order) (paging.Page[fleet.AgentRow], error)
	CountAgents(ctx context.Context, f fleet.AgentFilter, most int) (int, error)
	AgentOf(ctx context.Context, machine string) (fleet.Agent, []fleet.Certificate, error)
	Versions(ctx context.Context) ([]fleet.AgentVersion, error)
	Collectors(ctx context.Context) ([]fleet.Collector, error)
	CertificateOf(ctx context.Context, serial string) (fleet.Certificate, error)
	RevokeCertificate(ctx context.Context, serial string) (fleet.Certificate, error)
	Revoke(ctx context.Context, query string) (fleet.Machine, error)
	Release(ctx context.Context, query string) (fleet.Machine, error)

	CAs(ctx context.Context) (*fleet.Authorities, error)
	Progress(ctx context.Context) (fleet.Progress, error)
	BehindPage(ctx context.Context, o paging.Order) (paging.Page[fleet.AgentRow], error)
	BeginRotation(ctx context.Context) (*fleet.Rotation, error)
	AbortRotation(ctx context.Context) (ended bool, err error)
	FinishRotation(ctx context.Context, cutOff int) (fleet.Progress, error)
}

// confirmPage asks before something that cannot be taken back.
type confirmPage struct {
	Page
	Crumbs []headLink
	Intro  string
	Lost   []string
	Stays  []string
	Names  []headLink // whom it concerns, linked
	More   string     // how many more there are, in words
	Field  *field     // to type in what is meant; nil: the button is enough
	Action string
	Submit string
	Cancel string
}

// confirm shows the page, after a failure with what is wrong beside the field.
func (c *console) confirm(w http.ResponseWriter, r *http.Request, p confirmPage, problem string) error {
	status := http.StatusOK
	if problem != "" {
		status = http.StatusUnprocessableEntity
		if p.Field != nil {
			p.Field.Problem = problem
		}
	}
	return c.execute(w, status, "confirm", "layout", p)
}

// administrationTone is toneOf for tokens, agents, certificates and the audit log; "" for
// what it does not know.
func administrationTone(state string) (class, icon string) {
	switch state {
	case "token.state.usable", "certificate.state.good", "agent.link.now", "audit.holds.true":
		return "vg-good", "circle-check"
	case "token.state.other-ca", "certificate.state.revoked", "certificate.state.expired", "audit.holds.false":
		return "vg-bad", "alert-triangle"
	case "agent.ends.soon", "agent.clock.off":
		return "vg-warn", "clock"
	}
	return "", ""
}
