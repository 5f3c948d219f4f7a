package ingest

import (
	"cmp"
	"context"
	"slices"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
)

// severity orders verdicts from the mildest to the worst.
func severity(k policy.Kind) int {
	return slices.Index([]policy.Kind{policy.Authorized, policy.Unauthorized, policy.Denied}, k)
}

// TitleVerdicts implements allowlist.Findings.
func (in *Ingester) TitleVerdicts(ctx context.Context, a authorization.Allowlist, title int64) ([]allowlist.MachineVerdict, error) {
	a.Mode = authorization.Monitor
	p, err := compile(a, in.cfg.Now().UTC())
	if err != nil {
		return nil, err
	}
	of, err := in.cfg.Store.TitleItems(ctx, []int64{title})
	if err != nil || len(of[title]) == 0 {
		return nil, err
	}
	items, err := in.cfg.Store.ItemPrograms(ctx, of[title])
	if err != nil {
		return nil, err
	}
	presence, err := in.cfg.Store.Presence(ctx, of[title])
	if err != nil {
		return nil, err
	}
	c, err := compareWith(ctx, in.cfg.Store, p)
	if err != nil {
		return nil, err
	}
	return c.titleVerdicts(items, presence), nil
}

// titleVerdicts judges items of one title on every machine in service.
func (c *comparison) titleVerdicts(items []Item, presence map[int64][]int64) []allowlist.MachineVerdict {
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(len(presence[b.ID]), len(presence[a.ID])), cmp.Compare(a.ID, b.ID))
	})
	by := make(map[int64]policy.Verdict)
	for i := range items {
		v := c.judge(&items[i])
		for _, row := range presence[items[i].ID] {
			m := c.machines[row]
			if m == nil || !reports(m) {
				continue
			}
			one := c.verdict(&items[i], &v, m)
			if was, ok := by[row]; !ok || severity(one.Kind) > severity(was.Kind) {
				by[row] = one
			}
		}
	}
	usual := c.judge(&items[0])
	var out []allowlist.MachineVerdict
	for row, m := range c.machines {
		if !reports(m) {
			continue
		}
		v, has := by[row]
		if !has {
			v = c.verdict(&items[0], &usual, m)
		}
		out = append(out, allowlist.MachineVerdict{Machine: m.Context(), Installed: has, Kind: v.Kind, Rule: v.RuleID, RuleName: v.RuleName})
	}
	return out
}
