package policy

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/internal/inventory"
)

// folded holds the folded fields of one program, each made when first asked for.
type folded struct {
	p       *inventory.Program
	text    [6]string // by the index of globFields
	made    [6]bool
	version version
	parsed  bool
}

// field returns field i of globFields, folded.
func (f *folded) field(i int) string {
	if !f.made[i] {
		f.text[i], f.made[i] = Fold(f.raw(i)), true
	}
	return f.text[i]
}

func (f *folded) raw(i int) string {
	switch i {
	case 0:
		return f.p.Source
	case 1:
		return f.p.Name
	case 2:
		return f.p.Origin
	case 3:
		return f.p.Publisher
	case 4:
		return f.p.Path
	}
	return f.p.Signer
}

func (f *folded) versionIn(r *Range) bool {
	if f.p.Version == "" {
		return false
	}
	if !f.parsed {
		f.version, f.parsed = parseVersion(f.p.Version), true
	}
	return r.contains(&f.version)
}

// Evaluate returns the verdict on p, normalized, on machine m at the instant at: that
// of the strongest rule that matches, else of the baseline, else Unauthorized.
//
// The baseline covers, when it is on:
//   - a package of the machine's package manager (deb, rpm, apk, pacman), installed for
//     the whole machine, whose origin is the vendor of the operating system, and that
//     came as a dependency (not Requested) or is of the distribution's own base (Base);
//   - a packaged app of Microsoft's on Windows that came with it (Base) or is a part of
//     others (Hidden);
//   - a runtime of snap or flatpak that is a part of something else (Hidden), came as a
//     dependency, and comes from a known shop of these.
func (c *Compiled) Evaluate(p *inventory.Program, m MachineContext, at time.Time) Verdict {
	return c.On(m).Evaluate(p, at)
}

// Evaluate is the same as (*Compiled).Evaluate, for a set that may be passed around.
func Evaluate(c *Compiled, p *inventory.Program, m MachineContext, at time.Time) Verdict {
	return c.Evaluate(p, m, at)
}

// Evaluator evaluates many programs of one machine.
type Evaluator struct {
	c *Compiled
	m *foldedMachine
}

// On prepares for the programs of m.
func (c *Compiled) On(m MachineContext) Evaluator { return Evaluator{c: c, m: foldMachine(&m)} }

// Evaluate returns the verdict on p at the instant at.
func (e Evaluator) Evaluate(p *inventory.Program, at time.Time) Verdict {
	f := folded{p: p}
	best := e.c.strongest(&f, at, e.m)
	if best >= 0 {
		return e.c.rules[best].verdict()
	}
	return e.c.uncovered(p, e.m.vendor)
}

// EvaluateItem returns the verdict that holds for p on every machine whose operating
// system's vendor is vendor, or dependsOnMachine when the rule that decides has a scope
// and so may or may not hold; the verdict is then empty. It holds until NextBoundary.
func (c *Compiled) EvaluateItem(p *inventory.Program, vendor string, at time.Time) (v Verdict, dependsOnMachine bool) {
	f := folded{p: p}
	best := c.strongest(&f, at, nil)
	switch {
	case best < 0:
		return c.uncovered(p, Fold(vendor)), false
	case c.rules[best].scoped:
		return Verdict{}, true
	}
	return c.rules[best].verdict(), false
}

// uncovered is the verdict on what no rule matches.
func (c *Compiled) uncovered(p *inventory.Program, vendor string) Verdict {
	if c.baseline && baselineGap(p, vendor) == "" {
		return Verdict{Kind: Authorized, RuleID: BaselineRule, RuleName: BaselineRule, Key: KeyBaseline}
	}
	return Verdict{Kind: Unauthorized, Key: KeyNothing}
}

// strongest returns the strongest rule that matches, or -1. Without a machine every
// scope holds.
func (c *Compiled) strongest(f *folded, at time.Time, m *foldedMachine) int {
	x, best := &c.index, int32(math.MaxInt32)
	try := func(list []int32) {
		for _, n := range list {
			if n >= best {
				return
			}
			if r := &c.rules[n]; r.matches(f) && r.valid(at) && (m == nil || !r.scoped || r.holds(f, m)) {
				best = n
				return
			}
		}
	}
	if f.p.SHA256 != "" && len(x.bySHA256) > 0 {
		try(x.bySHA256[strings.ToLower(f.p.SHA256)])
	}
	name := f.field(1)
	try(x.byName[name])
	if len(x.byInitial) > 0 {
		initial, _ := utf8.DecodeRuneInString(name)
		try(x.byInitial[initial])
	}
	if len(x.byPath) > 0 && f.p.Path != "" {
		try(x.byPath[f.field(4)])
	}
	if len(x.byOrigin) > 0 && f.p.Origin != "" {
		try(x.byOrigin[f.field(2)])
	}
	if len(x.bySource) > 0 {
		try(x.bySource[f.field(0)])
	}
	try(x.everything)
	if best == math.MaxInt32 {
		return -1
	}
	return int(best)
}

// matches reports whether every given field matches.
func (r *compiledRule) matches(f *folded) bool {
	if r.sha256 != "" && !strings.EqualFold(r.sha256, f.p.SHA256) {
		return false
	}
	if r.rule.Match.Scope != "" && r.rule.Match.Scope != f.p.Scope {
		return false
	}
	for i := range r.globs {
		if r.given[i] && !r.globs[i].match(f.field(i)) {
			return false
		}
	}
	return r.rule.Match.Version == "" || f.versionIn(&r.version)
}

func (r *compiledRule) valid(at time.Time) bool {
	return !at.Before(r.from) && (r.until.IsZero() || at.Before(r.until))
}

// holds reports whether the scope takes the machine in.
func (r *compiledRule) holds(f *folded, m *foldedMachine) bool {
	return r.scope.missing(f, m) == "" && r.except.naming(f, m) == ""
}
