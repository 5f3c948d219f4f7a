package web

import (
	"strings"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
)

// Reason tells why a rule does or does not cover a program, in the reader's language.
// Arguments that are words of the policy (fields, kinds, gaps) are translated, values
// of programs and machines stay as they are.
func (p Page) Reason(r policy.Reason) string {
	key, args := r.Key, make([]any, 0, 2*len(r.Args))
	for name, v := range r.Args {
		switch {
		case name == "field":
			v = p.Word("policy.field", v)
		case name == "kind":
			v = p.Word("policy.kind", v)
		case name == "why":
			v = p.Word("policy.why", v)
		case name == "from" || name == "until":
			v = p.bound(v)
		case name == "by" || name == "rule":
			v = p.quoted(p.rule(v))
		default:
			v = p.quoted(v)
		}
		args = append(args, name, v)
	}
	if key == policy.KeyBaselineGap {
		key += "." + r.Args["gap"]
	}
	return p.T(key, args...)
}

// Rule is a rule's name; the built-in one has a name in every language.
func (p Page) Rule(name string) string { return p.rule(name) }

func (p Page) rule(name string) string {
	if name == policy.BaselineRule {
		return p.T("policy.baseline")
	}
	return name
}

// Why is the stored reason of a finding.
func (p Page) Why(f authorization.Finding) string {
	if strings.HasPrefix(f.Reason, "finding.gone.") {
		return p.T(f.Reason)
	}
	if !strings.HasPrefix(f.Reason, "policy.") {
		return p.Word("verdict", f.Verdict)
	}
	return p.T(f.Reason, "rule", p.quoted(p.rule(f.Rule)))
}

// quoted writes a value of a program, a machine or a rule inside a sentence.
func (p Page) quoted(v string) string {
	if v == "" {
		return p.T("untold")
	}
	return p.T("quoted", "Value", v)
}

// bound writes the first or last moment of a rule, a day or a time.
func (p Page) bound(v string) string {
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return p.DateTime(t)
	}
	return p.Day(v)
}
