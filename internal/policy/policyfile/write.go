package policyfile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"

	"vigia/internal/policy"
)

// Write exports f in canonical form: fixed order of keys, one rule after the other,
// texts quoted where they could be misread. Parse reads it back equal, apart from rule
// IDs, which files do not hold. Rules must be valid (policy.Rule.Validate).
func Write(w io.Writer, f *File) error {
	e := &writer{w: bufio.NewWriter(w), plain: plainText()}
	if f.Mode != "" {
		e.line("mode: %s", f.Mode)
	}
	if f.Baseline != nil {
		e.line("baseline: %t", *f.Baseline)
	}
	if len(f.Rules) == 0 {
		e.line("rules: []")
	} else {
		e.line("rules:")
	}
	for i := range f.Rules {
		e.rule(&f.Rules[i])
	}
	if err := e.w.Flush(); err != nil {
		return fmt.Errorf("writing allowlist: %w", err)
	}
	return nil
}

// writer writes lines; its bufio.Writer keeps the first error until Flush.
type writer struct {
	w     *bufio.Writer
	plain *regexp.Regexp
}

func (e *writer) line(format string, args ...any) { fmt.Fprintf(e.w, format+"\n", args...) }

func (e *writer) rule(r *policy.Rule) {
	e.line("  - name: %s", e.text(r.Name))
	e.line("    effect: %s", r.Effect)
	m := &r.Match
	e.line("    match: {%s}", e.pairs("name", m.Name, "publisher", m.Publisher, "version", m.Version, "source", m.Source,
		"origin", m.Origin, "scope", m.Scope, "path", m.Path, "sha256", m.SHA256, "signer", m.Signer))
	if scope := e.scope(&r.Scope); scope != "" {
		e.line("    scope: {%s}", scope)
	}
	if r.Owner != "" {
		e.line("    owner: %s", e.text(r.Owner))
	}
	if r.Reason != "" {
		e.line("    reason: %s", e.text(r.Reason))
	}
	if !r.ValidFrom.IsZero() {
		e.line("    valid_from: %s", policy.FormatBound(r.ValidFrom, false))
	}
	if !r.ValidUntil.IsZero() {
		e.line("    valid_until: %s", policy.FormatBound(r.ValidUntil, true))
	}
}

// pairs writes what is given of key, value, key, value …
func (e *writer) pairs(kv ...string) string {
	var list []string
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i+1] != "" {
			list = append(list, kv[i]+": "+e.text(kv[i+1]))
		}
	}
	return strings.Join(list, ", ")
}

func (e *writer) scope(s *policy.Scope) string {
	text := e.targets(&s.Targets)
	except := e.targets(&s.Except)
	switch {
	case except == "":
		return text
	case text == "":
		return "except: {" + except + "}"
	}
	return text + ", except: {" + except + "}"
}

func (e *writer) targets(t *policy.Targets) string {
	var list []string
	for _, l := range []struct {
		key    string
		values []string
	}{{"sites", t.Sites}, {"areas", t.Areas}, {"groups", t.Groups}, {"machines", t.Machines}, {"users", t.Users}} {
		if len(l.values) == 0 {
			continue
		}
		texts := make([]string, len(l.values))
		for i, v := range l.values {
			texts[i] = e.text(v)
		}
		list = append(list, l.key+": ["+strings.Join(texts, ", ")+"]")
	}
	return strings.Join(list, ", ")
}

// plainText is what needs no quotes anywhere: words that begin with a letter, of
// letters, digits and a few signs, single spaces between them.
func plainText() *regexp.Regexp {
	return regexp.MustCompile(`^\pL[\pL\pN._@/+-]*( [\pL\pN._@/+-]+)*$`)
}

// text quotes s as JSON does, which YAML reads, unless it is plain.
func (e *writer) text(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf":
	default:
		if len(s) <= 80 && e.plain.MatchString(s) {
			return s
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil { // a string always encodes
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
