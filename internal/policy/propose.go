package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vigia/internal/inventory"
)

// publisherGroup is how many programs of one publisher make one rule instead of one each.
const publisherGroup = 3

// Seen is one program (one version of it) and on how many machines it is.
type Seen struct {
	Program  inventory.Program
	Installs int
}

// Proposal is a rule that learn mode proposes, with what it rests on.
type Proposal struct {
	Rule     Rule
	Programs []string // names it would cover, sorted
	Versions int      // distinct name and version
	Installs int
}

type proposalKey struct{ source, origin, publisher, name, path, scope string }

type proposalGroup struct {
	key      proposalKey
	names    map[string]bool
	versions map[[2]string]bool
	hashes   map[string]bool
	installs int
}

// Propose returns allow rules that cover seen, one per program and where it comes from,
// never one per version; three or more programs of one known publisher from one known
// origin become one rule for that publisher. In a distribution's packages the publisher
// is a maintainer, who looks after unrelated programs and changes: there it neither
// groups nor is asked for. A loose file is bound to its hash where
// only one was seen, and to its path otherwise. Callers leave out what is authorized
// already. Most installed first; the result does not depend on the order of seen.
func Propose(seen []Seen) []Proposal {
	publishers := map[proposalKey]map[string]bool{}
	for i := range seen {
		p := &seen[i].Program
		if k, ok := publisherKey(p); ok {
			if publishers[k] == nil {
				publishers[k] = map[string]bool{}
			}
			publishers[k][p.Name] = true
		}
	}
	groups := map[proposalKey]*proposalGroup{}
	for i := range seen {
		p := &seen[i].Program
		k, ok := publisherKey(p)
		if !ok || len(publishers[k]) < publisherGroup {
			k = programKey(p)
		}
		g := groups[k]
		if g == nil {
			g = &proposalGroup{key: k, names: map[string]bool{}, versions: map[[2]string]bool{}, hashes: map[string]bool{}}
			groups[k] = g
		}
		g.names[p.Name], g.versions[[2]string{p.Name, p.Version}], g.hashes[p.SHA256] = true, true, true
		g.installs += seen[i].Installs
	}
	list := make([]Proposal, 0, len(groups))
	for _, g := range groups {
		list = append(list, g.proposal())
	}
	slices.SortFunc(list, func(a, b Proposal) int {
		return cmp.Or(cmp.Compare(b.Installs, a.Installs), cmp.Compare(a.Rule.Name, b.Rule.Name), cmp.Compare(describe(&a.Rule.Match), describe(&b.Rule.Match)))
	})
	nameApart(list)
	return list
}

// publisherKey is the group of p's publisher, where origin and publisher are known.
func publisherKey(p *inventory.Program) (proposalKey, bool) {
	known := p.Origin != "" && p.Publisher != "" && !distributionOrigin(Fold(p.Origin))
	return proposalKey{source: p.Source, origin: p.Origin, publisher: p.Publisher}, known
}

func programKey(p *inventory.Program) proposalKey {
	k := proposalKey{source: p.Source, origin: p.Origin, publisher: p.Publisher, name: p.Name}
	if distributionOrigin(Fold(p.Origin)) {
		k.publisher = ""
	}
	if p.Origin == "" {
		k.scope = p.Scope
		if p.Scope != inventory.ScopeUser { // a person's folder is not the same for the next one
			k.path = p.Path
		}
	}
	return k
}

func (g *proposalGroup) proposal() Proposal {
	k := g.key
	m := Match{Source: literal(k.source), Origin: literal(k.origin), Publisher: literal(k.publisher),
		Name: literal(k.name), Path: literal(k.path), Scope: k.scope}
	if len(g.hashes) == 1 && k.origin == "" {
		for h := range g.hashes {
			m.SHA256 = h
		}
		if m.SHA256 != "" {
			m.Path = ""
		}
	}
	title := cmp.Or(k.name, k.publisher)
	for _, from := range [...]string{k.source, k.origin} {
		if from != "" {
			title += " · " + from
		}
	}
	return Proposal{
		Rule:     Rule{Name: cutText(title, MaxName-8), Effect: Allow, Match: m},
		Programs: slices.Sorted(maps.Keys(g.names)), Versions: len(g.versions), Installs: g.installs,
	}
}

// literal is EscapeGlob within MaxPattern: a longer text is cut and ends in *.
func literal(s string) string {
	if e := EscapeGlob(s); len(e) <= MaxPattern {
		return e
	}
	return EscapeGlob(cutText(s, MaxPattern/3-1)) + "*"
}

// nameApart numbers equal names.
func nameApart(list []Proposal) {
	used := map[string]bool{}
	for i := range list {
		base, name := list[i].Rule.Name, list[i].Rule.Name
		for n := 2; used[Fold(name)] || Fold(name) == BaselineRule; n++ {
			name = fmt.Sprintf("%s (%d)", base, n)
		}
		used[Fold(name)] = true
		list[i].Rule.Name = name
	}
}

// cutText shortens s to at most limit bytes of whole characters.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.TrimSpace(strings.ToValidUTF8(s[:limit], ""))
}
