package app

import (
	"context"

	"vigia/collector/internal/authorization"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// explainer tells which rules were tried for a finding, as they stand now.
type explainer struct{ d *desk }

// ExplainFinding implements web.Explainer.
func (e explainer) ExplainFinding(ctx context.Context, f authorization.Finding) (policy.Explanation, error) {
	a, err := e.d.store.CurrentAllowlist(ctx)
	if err != nil {
		return policy.Explanation{}, err
	}
	c, err := policy.Compile(&policy.Document{Mode: policy.Mode(a.Mode), Baseline: a.Baseline, Rules: a.Rules})
	if err != nil {
		return policy.Explanation{}, err
	}
	m, err := e.d.store.MachineContext(ctx, f.Machine)
	if err != nil {
		return policy.Explanation{}, err
	}
	p := inventory.Program{Name: f.Program, Version: f.Version, Publisher: f.Publisher, Origin: f.Origin, Source: f.Source,
		Scope: f.Scope, User: f.User, Path: f.Path, SHA256: f.SHA256}
	items, err := e.d.store.ItemPrograms(ctx, []int64{f.Item})
	if err != nil {
		return policy.Explanation{}, err
	}
	if len(items) == 1 { // with what a finding does not keep: signer, how it came
		p = items[0].Program
	}
	return c.Explain(&p, m, e.d.now()), nil
}
