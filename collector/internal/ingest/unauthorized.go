package ingest

import (
	"context"

	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
)

// Unauthorized implements allowlist.Findings: what a flags, on how many machines, also
// in learn mode. InstalledAt of the programs is not told.
func (in *Ingester) Unauthorized(ctx context.Context, a authorization.Allowlist) ([]policy.Seen, error) {
	a.Mode = authorization.Monitor
	p, err := compile(a, in.cfg.Now().UTC())
	if err != nil {
		return nil, err
	}
	c, err := compareWith(ctx, in.cfg.Store, p)
	if err != nil {
		return nil, err
	}
	var out []policy.Seen
	for after := int64(0); ; {
		items, err := in.cfg.Store.NextItems(ctx, after, pageItems)
		if err != nil || len(items) == 0 {
			return out, err
		}
		after = items[len(items)-1].ID
		verdicts, suspects := make([]itemVerdicts, len(items)), []int64{}
		for i := range items {
			if verdicts[i] = c.judge(&items[i]); verdicts[i].flagged {
				suspects = append(suspects, items[i].ID)
			}
		}
		presence, err := in.cfg.Store.Presence(ctx, suspects)
		if err != nil {
			return nil, err
		}
		for i := range items {
			seen := policy.Seen{Program: items[i].Program}
			for _, row := range presence[items[i].ID] {
				if m := c.machines[row]; m != nil && c.verdict(&items[i], &verdicts[i], m).Flagged() {
					seen.Installs++
				}
			}
			if seen.Installs > 0 {
				out = append(out, seen)
			}
		}
	}
}
