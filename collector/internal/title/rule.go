// Package title owns the rules by which programs are shown under one name: which names
// and publishers are the same title, and what it is called. It refuses to touch what
// machines reported, and what the allowlist matches: both know the names as reported.
package title

import (
	"strings"
	"time"
	"unicode/utf8"

	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// Bounds of a rule.
const (
	MaxText  = 300 // bytes of one field
	MaxRules = 500
)

// Key is a name from a publisher, as reported or as shown.
type Key struct {
	Name      string `json:"name"`
	Publisher string `json:"publisher"`
}

// Rule says what programs are shown as. Name and Publisher are patterns with * and ?, in
// which case and accents do not count; an empty one matches all, and one of them is given.
// Strip takes the version and the architecture off the name. ToName and ToPublisher,
// where given, take the place of what was reported.
type Rule struct {
	ID          int64  `json:"id"`
	Name        string `json:"match_name"`
	Publisher   string `json:"match_publisher"`
	Strip       bool   `json:"strip_version"`
	ToName      string `json:"to_name"`
	ToPublisher string `json:"to_publisher"`
	Reason      string `json:"reason"`
}

// Ruleset is one version of the rules. The first that matches decides; version 0 has none.
type Ruleset struct {
	Version   int64
	Rules     []Rule
	CreatedAt time.Time
	CreatedBy string
	Cause     string
	Undoes    int64 // the version that this one takes back; 0: none
}

// tidy returns the rule without what typing leaves around it.
func (r Rule) tidy() Rule {
	for _, s := range []*string{&r.Name, &r.Publisher, &r.ToName, &r.ToPublisher, &r.Reason} {
		*s = strings.Join(strings.Fields(*s), " ")
	}
	return r
}

// check returns what is wrong with a rule: Invalid with the field.
func (r Rule) check() error {
	for _, f := range []struct{ name, value string }{{"name", r.Name}, {"publisher", r.Publisher}, {"to_name", r.ToName}, {"to_publisher", r.ToPublisher}, {"reason", r.Reason}} {
		if len(f.value) > MaxText || !utf8.ValidString(f.value) || strings.ContainsFunc(f.value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
			return apperr.New(apperr.Invalid, "title.rule.text", apperr.Args{"field": f.name, "max": MaxText})
		}
	}
	switch {
	case policy.Fold(r.Name) == "" && policy.Fold(r.Publisher) == "":
		return apperr.New(apperr.Invalid, "title.rule.matches-all", apperr.Args{"field": "name"})
	case !r.Strip && r.ToName == "" && r.ToPublisher == "":
		return apperr.New(apperr.Invalid, "title.rule.does-nothing", apperr.Args{"field": "to_name"})
	}
	return nil
}

// Show returns what a reported name is shown as, and the rule that says so; 0 is none.
func (s Ruleset) Show(k Key) (Key, int64) {
	if len(s.Rules) == 0 {
		return k, 0
	}
	name, publisher := policy.Fold(k.Name), policy.Fold(k.Publisher)
	for _, r := range s.Rules {
		if (r.Name != "" && !like(policy.Fold(r.Name), name)) || (r.Publisher != "" && !like(policy.Fold(r.Publisher), publisher)) {
			continue
		}
		if r.ToName != "" {
			k.Name = r.ToName
		} else if r.Strip {
			k.Name = Strip(k.Name)
		}
		if r.ToPublisher != "" {
			k.Publisher = r.ToPublisher
		}
		return k, r.ID
	}
	return k, 0
}

// like reports whether the whole of s matches pattern. It goes back to the last star
// only, so it takes at most len(s) times len(pattern) steps.
func like(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
