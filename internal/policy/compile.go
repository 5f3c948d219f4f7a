package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// compiledRule is a rule ready for matching.
type compiledRule struct {
	rule          Rule
	globs         [6]glob // by the index of globFields
	given         [6]bool
	version       Range
	sha256        string
	scope, except targets
	scoped        bool
	from, until   time.Time // until is exclusive here
	strength      strength
}

// globFields are the fields of Match that are globs, cheapest to compare first.
func globFields() [6]string {
	return [6]string{"source", "name", "origin", "publisher", "path", "signer"}
}

func (c *compiledRule) globOf(name string) *glob {
	return &c.globs[slices.Index(globFieldList(), name)]
}

func globFieldList() []string { f := globFields(); return f[:] }

// Compiled is a policy ready for evaluation. It is immutable and safe for concurrent
// use.
type Compiled struct {
	mode       Mode
	baseline   bool
	machine    MachineContext
	rules      []compiledRule // strongest first
	index      index
	boundaries []time.Time // ascending
}

// index finds the rules that may match. Each rule stands in one list; lists ascend.
type index struct {
	bySHA256   map[string][]int32
	byName     map[string][]int32 // exact folded name
	byInitial  map[rune][]int32   // first character of the literal start of a name pattern
	byPath     map[string][]int32
	byOrigin   map[string][]int32
	bySource   map[string][]int32
	everything []int32
}

// Compile checks and compiles d. The error joins a *FieldError for everything wrong,
// with the rule's name.
func Compile(d *Document) (*Compiled, error) {
	c := &Compiled{mode: d.Mode, baseline: d.Baseline, machine: d.Machine}
	var errs []error
	if !d.Mode.Known() {
		errs = append(errs, modeError(d.Mode))
	}
	if len(d.Rules) > MaxRules {
		return nil, fmt.Errorf("rules: %d are too many; use at most %d", len(d.Rules), MaxRules)
	}
	c.rules = make([]compiledRule, 0, len(d.Rules))
	for i := range d.Rules {
		r, err := compileRule(&d.Rules[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("rules[%d] %q: %w", i, d.Rules[i].Name, err))
			continue
		}
		c.rules = append(c.rules, r)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	slices.SortFunc(c.rules, func(a, b compiledRule) int { order, _ := compareRules(&a, &b); return order })
	c.index = buildIndex(c.rules)
	c.boundaries = boundariesOf(c.rules)
	return c, nil
}

func modeError(m Mode) *FieldError {
	return &FieldError{Field: "mode", Key: KeyUnknown, Value: string(m), Problem: "is no mode", Remedy: "write learn, monitor or enforce"}
}

func compileRule(r *Rule) (compiledRule, error) {
	if list := r.Validate(); len(list) > 0 {
		errs := make([]error, len(list))
		for i, e := range list {
			errs[i] = e
		}
		return compiledRule{}, errors.Join(errs...)
	}
	c := compiledRule{rule: *r, sha256: strings.ToLower(r.Match.SHA256), from: r.ValidFrom, scoped: !r.Scope.IsZero()}
	var err error
	for i, text := range [...]string{r.Match.Source, r.Match.Name, r.Match.Origin, r.Match.Publisher, r.Match.Path, r.Match.Signer} {
		if c.given[i] = text != ""; c.given[i] {
			if c.globs[i], err = compileGlob(text); err != nil {
				return c, err
			}
		}
	}
	if r.Match.Version != "" {
		if c.version, err = ParseRange(r.Match.Version); err != nil {
			return c, err
		}
	}
	if c.scope, err = compileTargets(&r.Scope.Targets); err != nil {
		return c, err
	}
	if c.except, err = compileTargets(&r.Scope.Except); err != nil {
		return c, err
	}
	if !r.ValidUntil.IsZero() {
		c.until = r.ValidUntil.Add(time.Second)
	}
	c.strength = strengthOf(r, &c)
	return c, nil
}

func (c *compiledRule) verdict() Verdict {
	v := Verdict{Kind: Authorized, RuleID: c.rule.ID, RuleName: c.rule.Name, Key: KeyAllowed}
	if c.strength.deny {
		v.Kind, v.Key = Denied, KeyDenied
	}
	return v
}

func buildIndex(rules []compiledRule) index {
	x := index{bySHA256: map[string][]int32{}, byName: map[string][]int32{}, byInitial: map[rune][]int32{},
		byPath: map[string][]int32{}, byOrigin: map[string][]int32{}, bySource: map[string][]int32{}}
	for i := range rules {
		r, n := &rules[i], int32(i)
		name, path, origin, source := r.globOf("name"), r.globOf("path"), r.globOf("origin"), r.globOf("source")
		literal := func(g *glob) bool { return g.shape == shapeExact && g.lit != "" }
		switch initial := initialOf(name); {
		case r.sha256 != "":
			x.bySHA256[r.sha256] = append(x.bySHA256[r.sha256], n)
		case literal(name):
			x.byName[name.lit] = append(x.byName[name.lit], n)
		case literal(path):
			x.byPath[path.lit] = append(x.byPath[path.lit], n)
		case initial != 0:
			x.byInitial[initial] = append(x.byInitial[initial], n)
		case literal(origin):
			x.byOrigin[origin.lit] = append(x.byOrigin[origin.lit], n)
		case literal(source):
			x.bySource[source.lit] = append(x.bySource[source.lit], n)
		default:
			x.everything = append(x.everything, n)
		}
	}
	return x
}

// initialOf returns the character every match of g begins with, or 0.
func initialOf(g *glob) rune {
	if (g.shape == shapePrefix || g.shape == shapeGeneral) && g.lit != "" {
		r, _ := utf8.DecodeRuneInString(g.lit)
		return r
	}
	return 0
}

func boundariesOf(rules []compiledRule) []time.Time {
	var list []time.Time
	for i := range rules {
		for _, t := range [...]time.Time{rules[i].from, rules[i].until} {
			if !t.IsZero() {
				list = append(list, t)
			}
		}
	}
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}

// NextBoundary returns the next instant after at when a rule begins or ceases to be
// valid, or the zero time when none does. Until then no verdict changes by itself.
func (c *Compiled) NextBoundary(at time.Time) time.Time {
	i, _ := slices.BinarySearchFunc(c.boundaries, at, func(b, at time.Time) int {
		if b.After(at) {
			return 1
		}
		return -1
	})
	if i == len(c.boundaries) {
		return time.Time{}
	}
	return c.boundaries[i]
}

// Mode returns the mode of the document.
func (c *Compiled) Mode() Mode { return c.mode }

// Machine returns the machine of the document.
func (c *Compiled) Machine() MachineContext { return c.machine }

// Len returns the number of rules.
func (c *Compiled) Len() int { return len(c.rules) }
