package review

import (
	"cmp"
	"context"
	"slices"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// Pick is what a decision is about: groups of the queue as it was filtered, or findings
// by their numbers.
type Pick struct {
	Filter Filter
	Keys   []string
	Rows   []int64
}

// Selection is the findings of a Pick as they are now.
type Selection struct {
	Groups   []Group
	Findings []Found
	Machines int
	Sites    []string
	Areas    []string
	Hosts    []string // hostnames
	Unsited  int      // findings on machines without a site
	Unplaced int      // and without an area

	programs map[string][]inventory.Program // by group, distinct
}

// Select reads what a pick is about. NotFound "review.nothing" where it is all decided
// by now; TooMany "review.too-many" above what one decision may settle.
func (s *Service) Select(ctx context.Context, p Pick) (Selection, error) {
	var sel Selection
	if err := mine(ctx); err != nil {
		return sel, err
	}
	if len(p.Keys) > MaxKeys || len(p.Rows) > MaxKeys {
		return sel, apperr.New(apperr.Invalid, "list.too-many-chosen", apperr.Args{"field": "group", "most": MaxKeys})
	}
	wanted := map[string]bool{}
	var titles []int64
	for _, k := range p.Keys {
		n, err := titleOf(k)
		if err != nil {
			return sel, err
		}
		wanted[k] = true
		titles = append(titles, n)
	}
	slices.Sort(titles)
	titles = slices.Compact(titles)
	if len(titles)+len(p.Rows) == 0 {
		return sel, apperr.New(apperr.Invalid, "list.none-chosen", apperr.Args{"field": "group"})
	}
	found, err := s.cfg.Store.ReviewFindings(ctx, p.Filter, titles, p.Rows, s.cfg.Now(), MaxFindings+1)
	if err != nil {
		return sel, err
	}
	for _, f := range found {
		if len(p.Rows) > 0 || wanted[keyOf(f.Title, programOf(&f.Finding), f.Verdict)] {
			sel.Findings = append(sel.Findings, f)
		}
	}
	switch {
	case len(sel.Findings) == 0:
		return sel, apperr.New(apperr.NotFound, "review.nothing", nil)
	case len(found) > MaxFindings:
		return sel, apperr.New(apperr.TooMany, "review.too-many", apperr.Args{"most": MaxFindings})
	}
	return sel, s.describe(ctx, &sel)
}

func programOf(f *authorization.Finding) *inventory.Program {
	return &inventory.Program{Name: f.Program, Version: f.Version, Publisher: f.Publisher, Origin: f.Origin, Source: f.Source,
		Scope: f.Scope, User: f.User, Path: f.Path, SHA256: f.SHA256}
}

// describe tells what the findings have in common and where they are.
func (s *Service) describe(ctx context.Context, sel *Selection) error {
	var items []int64
	machines, sites, areas := map[string]bool{}, map[string]bool{}, map[string]bool{}
	counts := map[string]*ItemCount{}
	var order []string
	for i := range sel.Findings {
		f := &sel.Findings[i]
		items = append(items, f.Item)
		if !machines[f.Machine] {
			machines[f.Machine] = true
			sel.Hosts = append(sel.Hosts, f.Hostname)
		}
		sel.Unsited += note(sites, &sel.Sites, f.Site)
		sel.Unplaced += note(areas, &sel.Areas, f.Area)
		at := f.Verdict + " " + hashOf(f.Program, f.Version, f.Source, f.Origin) + " " + keyOf(f.Title, programOf(&f.Finding), f.Verdict)
		c := counts[at]
		if c == nil {
			c = &ItemCount{Item: f.Item, Title: f.Title, Program: *programOf(&f.Finding), Verdict: f.Verdict, Rule: f.Rule, Since: f.FirstSeen}
			counts[at], order = c, append(order, at)
		}
		c.Findings++
		if f.FirstSeen.Before(c.Since) {
			c.Since = f.FirstSeen
		}
	}
	sel.Machines = len(machines)
	slices.Sort(sel.Sites)
	slices.Sort(sel.Areas)
	slices.Sort(sel.Hosts)
	var list []ItemCount
	for _, at := range order {
		list = append(list, *counts[at])
	}
	sel.Groups = group(list)
	slices.Sort(items)
	items = slices.Compact(items)
	programs, err := s.cfg.Store.ReviewPrograms(ctx, items)
	if err != nil {
		return err
	}
	sel.programs = map[string][]inventory.Program{}
	seen := map[int64]bool{}
	for i := range sel.Findings {
		f := &sel.Findings[i]
		p, ok := programs[f.Item]
		if !ok || seen[f.Item] {
			continue
		}
		seen[f.Item] = true
		key := keyOf(f.Title, &p, f.Verdict)
		sel.programs[key] = append(sel.programs[key], p)
	}
	return nil
}

// note adds a place to a list, once; it returns 1 where there is none.
func note(seen map[string]bool, list *[]string, place string) int {
	if place == "" {
		return 1
	}
	if !seen[place] {
		seen[place] = true
		*list = append(*list, place)
	}
	return 0
}

// Denied reports whether a rule denies some of the programs: a rule that allows them
// would change nothing, since what is denied goes first.
func (sel *Selection) Denied() bool {
	return slices.ContainsFunc(sel.Groups, func(g Group) bool { return g.Denied })
}

// names are some of the programs, most found first.
func (sel *Selection) names() []string {
	list := slices.Clone(sel.Groups)
	slices.SortStableFunc(list, func(a, b Group) int { return cmp.Compare(b.Findings, a.Findings) })
	var out []string
	for _, g := range list {
		if !slices.Contains(out, g.Program) && len(out) < maxNames {
			out = append(out, g.Program)
		}
	}
	return out
}

// Has reports whether a program of that name and source is part of the selection.
func (sel *Selection) Has(name, source string) bool {
	return slices.ContainsFunc(sel.Groups, func(g Group) bool { return g.Program == name && g.Source == source })
}

func (sel *Selection) rows() []int64 {
	out := make([]int64, len(sel.Findings))
	for i := range sel.Findings {
		out[i] = sel.Findings[i].Row
	}
	return out
}

func (sel *Selection) findings() []authorization.Finding {
	out := make([]authorization.Finding, len(sel.Findings))
	for i := range sel.Findings {
		out[i] = sel.Findings[i].Finding
	}
	return out
}

// maxProposals is how many rules one group may make; with more paths or hashes than that
// one rule by name takes their place.
const maxProposals = 3

// rulesOf makes the rules that allow a group's programs, as learn mode would.
func rulesOf(g Group, programs []inventory.Program) []policy.Rule {
	var seen []policy.Seen
	for i := range programs {
		seen = append(seen, policy.Seen{Program: programs[i], Installs: 1})
	}
	proposals := policy.Propose(seen)
	if len(proposals) > maxProposals {
		m := proposals[0].Rule.Match
		m.Path, m.SHA256, m.Scope = "", "", ""
		return []policy.Rule{{Name: proposals[0].Rule.Name, Effect: policy.Allow, Match: m}}
	}
	var list []policy.Rule
	for _, p := range proposals {
		list = append(list, p.Rule)
	}
	return list
}
