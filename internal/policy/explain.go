package policy

import (
	"strings"
	"time"

	"vigia/internal/inventory"
)

// Reason is a text to translate: Key names it, Args fills it. English tells it in
// English.
type Reason struct {
	Key  string            `json:"key"`
	Args map[string]string `json:"args,omitempty"`
}

// Keys of the reasons of a Trial, with their arguments.
const (
	KeyDecides        = "policy.tried.decides"         // no arguments: it matches, and nothing stronger does
	KeyOutranked      = "policy.tried.outranked"       // by (rule), why (deny, specific, scope, name)
	KeyField          = "policy.tried.field"           // field, want, got
	KeyNoVersion      = "policy.tried.no-version"      // want: the program tells no version
	KeyNotYet         = "policy.tried.not-yet"         // from
	KeyExpired        = "policy.tried.expired"         // until
	KeyOutsideScope   = "policy.tried.outside-scope"   // kind, want, got
	KeyExcluded       = "policy.tried.excluded"        // kind, got
	KeyBaselineOff    = "policy.tried.baseline-off"    // no arguments
	KeyBaselineGap    = "policy.tried.baseline-gap"    // gap (source, scope, origin, requested, visible), source, origin, vendor
	KeyBaselineRule   = "policy.tried.baseline-rule"   // by (rule): a rule decides before the baseline
	KeyBaselineCovers = "policy.tried.baseline-covers" // origin
)

// Trial is one rule and how it fared. Reasons holds everything that keeps it from
// matching; or, when Matches, whether it decides or what outranks it.
type Trial struct {
	RuleID   string   `json:"rule_id,omitempty"`
	RuleName string   `json:"rule"`
	Effect   Effect   `json:"effect"`
	Matches  bool     `json:"matches"`
	Decides  bool     `json:"decides"`
	Reasons  []Reason `json:"reasons"`
}

// Explanation is a verdict with every rule tried, strongest first, the baseline last.
type Explanation struct {
	Verdict
	Trials []Trial `json:"tried"`
}

// Explain tells how Evaluate comes to its verdict. It looks at every rule, so it is
// for one program at a time.
func (c *Compiled) Explain(p *inventory.Program, m MachineContext, at time.Time) Explanation {
	f, fm := &folded{p: p}, foldMachine(&m)
	x := Explanation{Verdict: c.uncovered(p, fm.vendor), Trials: make([]Trial, 0, len(c.rules)+1)}
	var winner *compiledRule
	for i := range c.rules {
		r := &c.rules[i]
		t := Trial{RuleID: r.rule.ID, RuleName: r.rule.Name, Effect: r.rule.Effect, Reasons: r.misses(f, &m, fm, at)}
		t.Matches = len(t.Reasons) == 0
		switch {
		case t.Matches && winner == nil:
			winner, t.Decides = r, true
			t.Reasons = []Reason{{Key: KeyDecides}}
			x.Verdict = r.verdict()
		case t.Matches:
			_, why := compareRules(winner, r)
			t.Reasons = []Reason{reason(KeyOutranked, "by", winner.rule.Name, "why", why)}
		}
		x.Trials = append(x.Trials, t)
	}
	x.Trials = append(x.Trials, c.baselineTrial(p, &m, fm, winner))
	return x
}

func (c *Compiled) baselineTrial(p *inventory.Program, m *MachineContext, fm *foldedMachine, winner *compiledRule) Trial {
	t := Trial{RuleID: BaselineRule, RuleName: BaselineRule, Effect: Allow}
	gap := baselineGap(p, fm.vendor)
	t.Matches = c.baseline && gap == ""
	switch {
	case !c.baseline:
		t.Reasons = []Reason{{Key: KeyBaselineOff}}
	case gap != "":
		t.Reasons = []Reason{reason(KeyBaselineGap, "gap", gap, "source", p.Source, "origin", p.Origin, "vendor", m.OSVendor)}
	case winner != nil:
		t.Reasons = []Reason{reason(KeyBaselineRule, "by", winner.rule.Name)}
	default:
		t.Decides = true
		t.Reasons = []Reason{reason(KeyBaselineCovers, "origin", p.Origin)}
	}
	return t
}

// misses lists everything that keeps r from matching.
func (r *compiledRule) misses(f *folded, m *MachineContext, fm *foldedMachine, at time.Time) []Reason {
	list := r.fieldMisses(f)
	if at.Before(r.from) {
		list = append(list, reason(KeyNotYet, "from", FormatBound(r.rule.ValidFrom, false)))
	}
	if !r.until.IsZero() && !at.Before(r.until) {
		list = append(list, reason(KeyExpired, "until", FormatBound(r.rule.ValidUntil, true)))
	}
	if kind := r.scope.missing(f, fm); kind != "" {
		list = append(list, reason(KeyOutsideScope, "kind", kind, "want", strings.Join(r.rule.Scope.Targets.of(kind), ", "), "got", m.named(kind, f.p)))
	}
	if kind := r.except.naming(f, fm); kind != "" {
		list = append(list, reason(KeyExcluded, "kind", kind, "got", m.named(kind, f.p)))
	}
	return list
}

func (r *compiledRule) fieldMisses(f *folded) []Reason {
	var list []Reason
	match, p := &r.rule.Match, f.p
	miss := func(field, want, got string) {
		list = append(list, reason(KeyField, "field", field, "want", want, "got", got))
	}
	if r.sha256 != "" && !strings.EqualFold(r.sha256, p.SHA256) {
		miss("sha256", match.SHA256, p.SHA256)
	}
	wants := [...]string{match.Source, match.Name, match.Origin, match.Publisher, match.Path, match.Signer}
	for i, name := range globFields() {
		if r.given[i] && !r.globs[i].match(f.field(i)) {
			miss(name, wants[i], f.raw(i))
		}
	}
	if match.Version != "" && p.Version == "" {
		list = append(list, reason(KeyNoVersion, "want", match.Version))
	} else if match.Version != "" && !f.versionIn(&r.version) {
		miss("version", match.Version, p.Version)
	}
	if match.Scope != "" && match.Scope != p.Scope {
		miss("scope", match.Scope, p.Scope)
	}
	return list
}

func reason(key string, args ...string) Reason {
	r := Reason{Key: key, Args: make(map[string]string, len(args)/2)}
	for i := 0; i+1 < len(args); i += 2 {
		r.Args[args[i]] = args[i+1]
	}
	return r
}

// of returns the list of one kind.
func (t *Targets) of(kind string) []string {
	for _, l := range t.lists() {
		if l.kind == kind {
			return l.values
		}
	}
	return nil
}

// named tells what m has of one kind.
func (m *MachineContext) named(kind string, p *inventory.Program) string {
	switch kind {
	case kindMachines:
		if m.Hostname != "" {
			return m.Hostname
		}
		return m.ID
	case kindUsers:
		if p.Scope == inventory.ScopeUser {
			return p.User
		}
		return m.Person
	case kindGroups:
		return strings.Join(m.Groups, ", ")
	case kindAreas:
		return m.Area
	}
	return m.Site
}
