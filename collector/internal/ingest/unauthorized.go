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
		ids := make([]int64, len(items))
		for i := range items {
			ids[i] = items[i].ID
		}
		presence, err := in.cfg.Store.Presence(ctx, ids)
		if err != nil {
			return nil, err
		}
		for i := range items {
			v, seen := c.judge(&items[i]), policy.Seen{Program: items[i].Program}
			for _, row := range presence[items[i].ID] {
				if m := c.machines[row]; v.flagged && m != nil && c.verdict(&items[i], &v, m).Flagged() {
					seen.Installs++
				}
			}
			if seen.Installs > 0 {
				out = append(out, seen)
			}
		}
	}
}
