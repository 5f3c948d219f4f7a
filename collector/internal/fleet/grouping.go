package fleet

import (
	"slices"
	"strings"
	"time"

	"vigia/internal/policy"
)

// Group is a set of machines that rules of the allowlist may be scoped to. Machines are
// put into it one by one, by hand, or they are in it by its Rule.
type Group struct {
	Row       int64
	Name      string // the same whatever its case and accents; it never changes
	About     string
	Rule      Rule // zero: by hand
	CreatedAt time.Time
	CreatedBy string
	ChangedAt time.Time
	ChangedBy string
}

// ByRule reports whether machines are in the group by a rule.
func (g *Group) ByRule() bool { return !g.Rule.IsZero() }

// Rule says which machines are in a group. Every field given must match, and one of its
// values is enough. Case and accents do not count. In OS, Models and Hostnames "*"
// stands for any text and "?" for one character.
type Rule struct {
	Sites     []string `json:"sites,omitempty"`
	Areas     []string `json:"areas,omitempty"`
	OS        []string `json:"os,omitempty"`
	Models    []string `json:"models,omitempty"` // of "maker model"
	Hostnames []string `json:"hostnames,omitempty"`
	Tags      []string `json:"tags,omitempty"`
}

// IsZero reports whether the rule asks for nothing.
func (r *Rule) IsZero() bool {
	return len(r.Sites)+len(r.Areas)+len(r.OS)+len(r.Models)+len(r.Hostnames)+len(r.Tags) == 0
}

// Traits are what rules of groups may ask about a machine.
type Traits struct {
	Hostname, OS, Model, Site, Area string
	Tags                            []string
	HandGroups                      []string
}

// Traits returns those of m.
func (m *Machine) Traits() Traits {
	return Traits{Hostname: m.Hostname, OS: m.OS, Model: m.Model, Site: m.Site, Area: m.Area, Tags: m.Tags, HandGroups: m.HandGroups}
}

// Grouping tells the groups of machines. It holds the groups by rule, folded. The zero
// Grouping knows none.
type Grouping struct{ rules []foldedRule }

type foldedRule struct {
	name, fold                                  string
	sites, areas, os, models, hostnames, tagged []string
}

// NewGrouping returns the grouping of these groups.
func NewGrouping(groups []Group) *Grouping {
	g := &Grouping{}
	for i := range groups {
		if r := &groups[i].Rule; !r.IsZero() {
			g.rules = append(g.rules, foldedRule{name: groups[i].Name, fold: policy.Fold(groups[i].Name), sites: folded(r.Sites), areas: folded(r.Areas),
				os: folded(r.OS), models: folded(r.Models), hostnames: folded(r.Hostnames), tagged: folded(r.Tags)})
		}
	}
	return g
}

func folded(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = policy.Fold(s)
	}
	return out
}

// Of returns the names of t's groups, sorted: those by hand, but for names that a group
// by rule has, and those whose rule it matches.
func (g *Grouping) Of(t Traits) []string {
	if g == nil || len(g.rules) == 0 {
		return t.HandGroups
	}
	out := slices.DeleteFunc(slices.Clone(t.HandGroups), g.isRule)
	hostname, os, model, site, area := policy.Fold(t.Hostname), policy.Fold(t.OS), policy.Fold(t.Model), policy.Fold(t.Site), policy.Fold(t.Area)
	tags := folded(t.Tags)
	for i := range g.rules {
		r := &g.rules[i]
		if one(r.sites, site) && one(r.areas, area) && like(r.os, os) && like(r.models, model) && like(r.hostnames, hostname) &&
			(len(r.tagged) == 0 || slices.ContainsFunc(r.tagged, func(s string) bool { return slices.Contains(tags, s) })) {
			out = append(out, r.name)
		}
	}
	slices.Sort(out)
	if len(out) == 0 {
		return nil
	}
	return out
}

// isRule reports whether a group by rule has the name.
func (g *Grouping) isRule(name string) bool {
	if g == nil {
		return false
	}
	f := policy.Fold(name)
	return slices.ContainsFunc(g.rules, func(r foldedRule) bool { return r.fold == f })
}

func one(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

func like(patterns []string, value string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return MatchPattern(p, value) })
}

// MatchPattern reports whether s is what the pattern stands for: "*" any text, "?" one
// character, anything else itself. Both must be folded. It takes time in the product of
// both lengths at most.
func MatchPattern(pattern, s string) bool {
	p, text := []rune(pattern), []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(text) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == text[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}
