package allowlist

import (
	"cmp"
	"context"
	"slices"

	"vigia/internal/policy"
)

// MachineVerdict is what the allowlist says of a title on one machine: of what is
// installed there (the worst, where it has several versions), else of the version that
// is installed most.
type MachineVerdict struct {
	Machine   policy.MachineContext
	Installed bool
	Kind      policy.Kind
	Rule      string // id
	RuleName  string
}

// PlaceVerdict is what the allowlist says of a title in one place.
type PlaceVerdict struct {
	Kind     string // "all", "sites", "areas", "groups"
	Name     string // "" with "all", and for machines that belong to none
	Machines int    // in service there
	Has      int    // that have it
	Says     []Said // most machines first
}

// Said is one verdict of a PlaceVerdict.
type Said struct {
	Verdict  policy.Kind
	Rule     string // id; "" for none
	RuleName string
	Machines int
	Has      int // of them that have it
}

// TitleVerdicts tells what the allowlist says of a title in the whole company, and in
// each site, area and group.
func (s *Service) TitleVerdicts(ctx context.Context, title int64) ([]PlaceVerdict, error) {
	a, err := s.Current(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.Findings.TitleVerdicts(ctx, a, title)
	if err != nil {
		return nil, err
	}
	return places(list), nil
}

// places gathers machines into the places that they belong to.
func places(list []MachineVerdict) []PlaceVerdict {
	type place struct{ kind, name string }
	at := map[place]*PlaceVerdict{}
	add := func(p place, v *MachineVerdict) {
		x := at[p]
		if x == nil {
			x = &PlaceVerdict{Kind: p.kind, Name: p.name}
			at[p] = x
		}
		x.add(v)
	}
	for i := range list {
		v := &list[i]
		add(place{"all", ""}, v)
		add(place{"sites", v.Machine.Site}, v)
		add(place{"areas", v.Machine.Area}, v)
		for _, g := range v.Machine.Groups {
			add(place{"groups", g}, v)
		}
	}
	order := []string{"all", "sites", "areas", "groups"}
	var out []PlaceVerdict
	for _, x := range at {
		slices.SortFunc(x.Says, func(a, b Said) int {
			return cmp.Or(cmp.Compare(b.Machines, a.Machines), cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(a.RuleName, b.RuleName))
		})
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b PlaceVerdict) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(b.Has, a.Has), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func (x *PlaceVerdict) add(v *MachineVerdict) {
	i := slices.IndexFunc(x.Says, func(s Said) bool { return s.Verdict == v.Kind && s.Rule == v.Rule })
	if i < 0 {
		i = len(x.Says)
		x.Says = append(x.Says, Said{Verdict: v.Kind, Rule: v.Rule, RuleName: v.RuleName})
	}
	x.Machines++
	x.Says[i].Machines++
	if v.Installed {
		x.Has++
		x.Says[i].Has++
	}
}
