package app

import (
	"context"

	"vigia/collector/internal/fleet"
	"vigia/internal/policy"
)

// verdicts tells what the allowlist says of programs on a machine.
type verdicts struct{ d *desk }

// Verdicts implements web.Verdicts: one for each program, in their order.
func (v verdicts) Verdicts(ctx context.Context, machine string, programs []fleet.Install) ([]policy.Verdict, error) {
	a, err := v.d.store.CurrentAllowlist(ctx)
	if err != nil {
		return nil, err
	}
	c, err := policy.Compile(&policy.Document{Mode: policy.Mode(a.Mode), Baseline: a.Baseline, Rules: a.Rules})
	if err != nil {
		return nil, err
	}
	m, err := v.d.store.MachineContext(ctx, machine)
	if err != nil {
		return nil, err
	}
	on, now := c.On(m), v.d.now()
	out := make([]policy.Verdict, len(programs))
	for i := range programs {
		out[i] = on.Evaluate(&programs[i].Program, now)
	}
	return out, nil
}
