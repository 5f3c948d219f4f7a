package policyfile

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"vigia/internal/policy"
)

func (p *parser) file(root *yaml.Node) *File {
	f := &File{}
	keys := p.mapping(root, "", "mode", "baseline", "rules")
	if keys == nil {
		return f
	}
	if n := keys["mode"]; n != nil {
		if s, ok := p.text(n, "mode"); ok {
			f.Mode = policy.Mode(s)
			if !f.Mode.Known() {
				p.fail(n, "mode", policy.KeyUnknown, s, "is no mode", "write learn, monitor or enforce")
			}
		}
	}
	if n := keys["baseline"]; n != nil && p.plain(n, "baseline") {
		on := strings.EqualFold(n.Value, "true")
		f.Baseline = &on
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			p.fail(n, "baseline", KeyKind, scalar(n), "is neither true nor false", "write true or false")
		}
	}
	if n := keys["rules"]; n == nil {
		p.fail(root, "rules", KeyMissing, "", "is missing", "write rules: [] where there are none")
	} else {
		f.Rules = p.rules(n)
	}
	return f
}

func (p *parser) rules(n *yaml.Node) []policy.Rule {
	if !p.plain(n, "rules") {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "rules", KeyKind, scalar(n), "must be a list", "begin each rule with a dash, or write rules: [] where there are none")
		return nil
	}
	if len(n.Content) > policy.MaxRules {
		p.fail(n, "rules", policy.KeyTooMany, fmt.Sprint(len(n.Content)), "rules are too many", fmt.Sprintf("use at most %d; use patterns", policy.MaxRules))
		return nil
	}
	rules := make([]policy.Rule, 0, len(n.Content))
	lines := make(map[string]int, len(n.Content))
	for i, c := range n.Content {
		r := &ruleParser{parser: p, field: fmt.Sprintf("rules[%d]", i), at: c, nodes: map[string]*yaml.Node{}, failed: map[string]bool{}}
		rule := r.parse()
		if name := policy.Fold(rule.Name); name != "" {
			if line, twice := lines[name]; twice {
				p.fail(r.node("name"), r.field+".name", KeyDuplicate, rule.Name, fmt.Sprintf("is the name of the rule in line %d too", line), "give every rule a name of its own")
			} else {
				lines[name] = r.node("name").Line
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

// ruleParser reads one rule. nodes holds where each field stands; failed the fields
// that are told to be wrong already.
type ruleParser struct {
	*parser
	field  string
	at     *yaml.Node
	nodes  map[string]*yaml.Node
	failed map[string]bool
}

func (r *ruleParser) parse() policy.Rule {
	var rule policy.Rule
	before := len(r.errs)
	keys := r.mapping(r.at, r.field, "name", "effect", "match", "scope", "owner", "reason", "valid_from", "valid_until")
	if keys == nil {
		return rule
	}
	for key, n := range keys {
		r.nodes[key] = n
	}
	r.str("name", &rule.Name)
	var effect string
	r.str("effect", &effect)
	rule.Effect = policy.Effect(effect)
	r.match(&rule.Match)
	r.scope(&rule.Scope)
	r.str("owner", &rule.Owner)
	r.str("reason", &rule.Reason)
	r.bound("valid_from", &rule.ValidFrom, false)
	r.bound("valid_until", &rule.ValidUntil, true)
	for _, e := range r.errs[before:] {
		r.failed[strings.TrimPrefix(e.Field, r.field+".")] = true
	}
	for _, e := range rule.Validate() {
		if !r.told(e) {
			r.fail(r.node(e.Field), r.field+"."+e.Field, e.Key, e.Value, e.Problem, e.Remedy)
		}
	}
	return rule
}

// told reports whether e only follows from an error that is told already.
func (r *ruleParser) told(e *policy.FieldError) bool {
	if r.failed[e.Field] {
		return true
	}
	if e.Key != policy.KeyTooBroad {
		return false
	}
	for f := range r.failed {
		if f == "match" || strings.HasPrefix(f, "match.") {
			return true
		}
	}
	return false
}

// node returns where a field stands, or the nearest thing around it.
func (r *ruleParser) node(field string) *yaml.Node {
	for field != "" {
		if n := r.nodes[field]; n != nil {
			return n
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return r.at
}

func (r *ruleParser) str(key string, v *string) {
	if n := r.nodes[key]; n != nil {
		*v, _ = r.text(n, r.field+"."+key)
	}
}

func (r *ruleParser) bound(key string, v *time.Time, end bool) {
	n := r.nodes[key]
	if n == nil {
		return
	}
	if s, ok := r.text(n, r.field+"."+key); ok {
		t, err := policy.ParseBound(s, end)
		if err != nil {
			r.fail(n, r.field+"."+key, KeyDate, s, "is no date", "write 2027-06-30 or 2027-06-30T18:00:00Z")
		}
		*v = t
	}
}

func (r *ruleParser) match(m *policy.Match) {
	n := r.nodes["match"]
	if n == nil {
		r.fail(r.at, r.field+".match", KeyMissing, "", "is missing", "tell which programs the rule covers, as in match: {name: firefox}")
		return
	}
	fields := []struct {
		key string
		v   *string
	}{{"name", &m.Name}, {"publisher", &m.Publisher}, {"version", &m.Version}, {"source", &m.Source}, {"origin", &m.Origin},
		{"scope", &m.Scope}, {"path", &m.Path}, {"sha256", &m.SHA256}, {"signer", &m.Signer}}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	for key, v := range r.mapping(n, r.field+".match", known...) {
		r.nodes["match."+key] = v
	}
	for _, f := range fields {
		r.str("match."+f.key, f.v)
	}
	m.SHA256 = strings.ToLower(m.SHA256)
}

func (r *ruleParser) scope(s *policy.Scope) {
	if n := r.nodes["scope"]; n != nil {
		keys := r.mapping(n, r.field+".scope", "sites", "areas", "groups", "machines", "users", "except")
		r.targets("scope.", keys, &s.Targets)
		if n := keys["except"]; n != nil {
			r.targets("scope.except.", r.mapping(n, r.field+".scope.except", "sites", "areas", "groups", "machines", "users"), &s.Except)
		}
	}
}

func (r *ruleParser) targets(prefix string, keys map[string]*yaml.Node, t *policy.Targets) {
	for _, l := range []struct {
		key string
		v   *[]string
	}{{"sites", &t.Sites}, {"areas", &t.Areas}, {"groups", &t.Groups}, {"machines", &t.Machines}, {"users", &t.Users}} {
		n := keys[l.key]
		if n == nil {
			continue
		}
		texts, nodes := r.list(n, r.field+"."+prefix+l.key)
		*l.v, r.nodes[prefix+l.key] = texts, n
		for i, c := range nodes {
			r.nodes[fmt.Sprintf("%s%s[%d]", prefix, l.key, i)] = c
		}
	}
}
