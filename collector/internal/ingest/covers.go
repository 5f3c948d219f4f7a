package ingest

import (
	"cmp"
	"context"
	"slices"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
)

// Covers implements allowlist.Findings: what the rules of a decide of what is installed
// on machines in service. Items that the baseline or nothing decides are not looked up,
// so the cost follows what the rules cover.
func (in *Ingester) Covers(ctx context.Context, a authorization.Allowlist, group func(rule string) string) (map[string]allowlist.Cover, error) {
	a.Mode = authorization.Monitor
	p, err := compile(a, in.cfg.Now().UTC())
	if err != nil {
		return nil, err
	}
	c, err := compareWith(ctx, in.cfg.Store, p)
	if err != nil {
		return nil, err
	}
	by := &coverCount{c: c, group: group, groups: make(map[string]*coverGroup)}
	for after := int64(0); ; {
		items, err := in.cfg.Store.NextItems(ctx, after, pageItems)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			return by.covers(), nil
		}
		after = items[len(items)-1].ID
		if err := by.page(ctx, items); err != nil {
			return nil, err
		}
	}
}

// coverCount counts what rules cover, by group.
type coverCount struct {
	c      *comparison
	group  func(rule string) string
	groups map[string]*coverGroup
}

type coverGroup struct {
	programs map[programTitle]int
	machines map[int64]struct{}
	installs int
}

// page counts some items.
func (n *coverCount) page(ctx context.Context, items []Item) error {
	verdicts := make([]itemVerdicts, len(items))
	var ids []int64
	for i := range items {
		if verdicts[i] = n.c.judge(&items[i]); n.concerns(&verdicts[i]) {
			ids = append(ids, items[i].ID)
		}
	}
	presence, err := n.c.store.Presence(ctx, ids)
	if err != nil {
		return err
	}
	for i := range items {
		it := &items[i]
		for _, row := range presence[it.ID] {
			m := n.c.machines[row]
			if m == nil || !reports(m) {
				continue
			}
			v := n.c.verdict(it, &verdicts[i], m)
			if name := n.of(v); name != "" {
				n.add(name, it, row)
			}
		}
	}
	return nil
}

// of is the group of what decides, "" for none.
func (n *coverCount) of(v policy.Verdict) string {
	if v.RuleID == "" {
		return ""
	}
	return n.group(v.RuleID)
}

// concerns reports whether an item may count for some group.
func (n *coverCount) concerns(v *itemVerdicts) bool {
	if v.depends {
		return true
	}
	for _, one := range v.byVendor {
		if one.RuleID != policy.BaselineRule && n.of(one) != "" {
			return true
		}
	}
	return false
}

func (n *coverCount) add(name string, it *Item, machine int64) {
	g := n.groups[name]
	if g == nil {
		g = &coverGroup{programs: make(map[programTitle]int), machines: make(map[int64]struct{})}
		n.groups[name] = g
	}
	g.installs++
	g.programs[programTitle{it.Program.Name, it.Program.Source}]++
	g.machines[machine] = struct{}{}
}

func (n *coverCount) covers() map[string]allowlist.Cover {
	out := make(map[string]allowlist.Cover, len(n.groups))
	for name, g := range n.groups {
		c := allowlist.Cover{Programs: len(g.programs), Installs: g.installs, Machines: len(g.machines)}
		for at, installs := range g.programs {
			c.Names = append(c.Names, allowlist.ProgramUses{Name: at.name, Source: at.source, Installs: installs})
		}
		slices.SortFunc(c.Names, func(a, b allowlist.ProgramUses) int {
			return cmp.Or(cmp.Compare(b.Installs, a.Installs), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Source, b.Source))
		})
		c.Names = slices.Clip(c.Names[:min(len(c.Names), allowlist.MaxNames)])
		out[name] = c
	}
	return out
}
