package app

import (
	"context"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ledger"
	"vigia/collector/internal/web"
)

// agentPages gives the console tokens, agents and certificates.
type agentPages struct {
	*fleet.Service
	desk *desk
}

var (
	_ web.Agents = agentPages{}
	_ web.Audit  = (*ledger.Service)(nil)
)

// MakeToken implements web.Agents: the token names the addresses at which the collectors
// of this database were last reached.
func (a agentPages) MakeToken(ctx context.Context, n fleet.NewToken) (fleet.Token, string, error) {
	known, err := a.desk.addresses(ctx)
	if err != nil {
		return fleet.Token{}, "", err
	}
	if n.Addresses = known.Agents; len(n.Addresses) == 0 {
		return fleet.Token{}, "", apperr.New(apperr.Conflict, "cli.no-address", apperr.Args{"field": "collector-address"})
	}
	return a.Service.CreateToken(ctx, n)
}

// proveAudit goes through the chain of changes once a day, so that damage is noticed.
func (d *desk) proveAudit(ctx context.Context) error {
	p, err := d.ledger.Verify(actor.With(ctx, actor.Actor{Kind: actor.System, ID: "audit"}))
	if apperr.Is(err, apperr.Conflict) { // somebody has it verified right now
		return nil
	}
	if err == nil && !p.Holds() {
		d.log.ErrorContext(ctx, "the audit log is damaged", "entry", p.BrokenAt, "problem", p.Problem)
	}
	return err
}
