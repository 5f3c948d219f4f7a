package web

import (
	"encoding/json"
	"fmt"
	"strings"

	"vigia/collector/internal/audit"
	"vigia/internal/policy"
)

// trailLine is one thing that was done with a machine.
type trailLine struct {
	Text    string
	Who     string
	Details []string
}

// trail says in words what a line of the audit log tells.
func (p *Page) trail(e audit.Entry) trailLine {
	t := trailLine{Text: p.Name("trail", e.Action), Who: p.Actor(e.Actor)}
	if t.Text == e.Action { // done by a part of the program that this page does not know
		t.Text = p.T("trail.other")
	}
	var before, after map[string]any
	if json.Unmarshal(e.Before, &before) != nil || json.Unmarshal(e.After, &after) != nil {
		return t
	}
	for _, field := range []string{"site", "area", "person", "tags", "groups"} {
		was, is := factText(before[field]), factText(after[field])
		if was == is || before == nil && is == "" {
			continue
		}
		t.Details = append(t.Details, p.T("trail.changed", "Field", p.T("trail.field."+field), "Was", p.orNothing(was), "Is", p.orNothing(is)))
	}
	return t
}

// Verdict says why the allowlist says what it says of a program.
func (p Page) Verdict(v policy.Verdict) string {
	reason := v.Reason()
	args := make([]any, 0, 2*len(reason.Args))
	for name, value := range reason.Args {
		args = append(args, name, value)
	}
	return p.T(reason.Key, args...)
}

// GroupURL is the address of a group’s page.
func (p Page) GroupURL(name string) string { return groupPath(name) }

// TagURL is the address of the list of machines with a tag.
func (p Page) TagURL(name string) string { return "/machines?tag=" + urlValue(name) }

func (p *Page) orNothing(s string) string {
	if s == "" {
		return p.T("trail.nothing")
	}
	return s
}

// factText writes a value of the audit log.
func factText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = factText(x)
		}
		return strings.Join(parts, ", ")
	}
	return fmt.Sprint(v)
}
