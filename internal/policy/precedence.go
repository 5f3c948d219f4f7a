package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
)

// strength is what decides among matching rules, in the order of its fields. Greater
// is stronger.
type strength struct {
	deny        bool
	specificity uint32 // two bits per field of Match.fields, the first highest: 0 none, 1 pattern, 2 exact
	literals    int    // literal characters in patterns
	narrowness  int    // bits: machines 16, users 8, groups 4, areas 2, sites 1
	excepts     bool
	entries     int // of the scope; fewer is narrower
	foldedName  string
}

func strengthOf(r *Rule, c *compiledRule) strength {
	s := strength{deny: r.Effect == Deny, narrowness: narrowness(&r.Scope.Targets),
		excepts: !r.Scope.Except.IsZero(), entries: r.Scope.Targets.count(), foldedName: Fold(r.Name)}
	for _, f := range r.Match.fields() {
		level, literals := uint32(0), 0
		switch {
		case f.value == "":
		case f.name == "sha256" || f.name == "scope":
			level = 2
		case f.name == "version":
			level = 1
			if c.version.exact() {
				level = 2
			}
		default:
			level, literals = globLevel(c.globOf(f.name))
		}
		s.specificity = s.specificity<<2 | level
		s.literals += literals
	}
	return s
}

// globLevel gives nothing for a pattern that covers everything.
func globLevel(g *glob) (level uint32, literals int) {
	switch g.shape {
	case shapeExact:
		return 2, 0
	case shapeAny:
		return 0, 0
	}
	return 1, g.literals
}

func narrowness(t *Targets) int {
	n := 0
	for _, l := range t.lists() {
		n <<= 1
		if len(l.values) > 0 {
			n |= 1
		}
	}
	return n
}

// Steps of the order, as explanations name them.
const (
	byDeny     = "deny"
	bySpecific = "specific"
	byScope    = "scope"
	byName     = "name"
)

// compareRules is negative when a comes before b, that is when a is stronger, and
// tells by which step.
func compareRules(a, b *compiledRule) (int, string) {
	x, y := &a.strength, &b.strength
	if x.deny != y.deny {
		return before(x.deny), byDeny
	}
	if c := cmp.Or(cmp.Compare(y.specificity, x.specificity), cmp.Compare(y.literals, x.literals)); c != 0 {
		return c, bySpecific
	}
	c := cmp.Compare(y.narrowness, x.narrowness)
	if c == 0 && x.excepts != y.excepts {
		c = before(x.excepts)
	}
	if c = cmp.Or(c, cmp.Compare(x.entries, y.entries)); c != 0 {
		return c, byScope
	}
	c = cmp.Or(cmp.Compare(x.foldedName, y.foldedName), cmp.Compare(a.rule.Name, b.rule.Name), cmp.Compare(a.rule.ID, b.rule.ID))
	if c == 0 { // same name and id: any fixed order will do, so that the order of the list never matters
		j1, _ := json.Marshal(&a.rule)
		j2, _ := json.Marshal(&b.rule)
		c = bytes.Compare(j1, j2)
	}
	return c, byName
}

func before(first bool) int {
	if first {
		return -1
	}
	return 1
}
