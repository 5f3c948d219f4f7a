package web

import (
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
	"vigia/internal/policy/policyfile"
)

// matchField is one field of a rule's match, in the order in which people think of it.
type matchField struct {
	name  string // as in files
	value *string
}

func matchFields(m *policy.Match) []matchField {
	return []matchField{{"name", &m.Name}, {"publisher", &m.Publisher}, {"version", &m.Version}, {"source", &m.Source}, {"origin", &m.Origin},
		{"scope", &m.Scope}, {"path", &m.Path}, {"signer", &m.Signer}, {"sha256", &m.SHA256}}
}

// targetField is one list of a rule's scope.
type targetField struct {
	name   string // of the form's field
	kind   string
	except bool
	values *[]string
}

func targetFields(s *policy.Scope) []targetField {
	var list []targetField
	for _, except := range []bool{false, true} {
		t, prefix := &s.Targets, ""
		if except {
			t, prefix = &s.Except, "except_"
		}
		list = append(list, targetField{prefix + "sites", "sites", except, &t.Sites}, targetField{prefix + "areas", "areas", except, &t.Areas},
			targetField{prefix + "groups", "groups", except, &t.Groups}, targetField{prefix + "machines", "machines", except, &t.Machines}, targetField{prefix + "users", "users", except, &t.Users})
	}
	return list
}

// Matches tells which programs a rule is about.
func (p Page) Matches(m policy.Match) string {
	var parts []string
	for _, f := range matchFields(&m) {
		v := *f.value
		switch {
		case v == "":
			continue
		case f.name == "scope":
			v = p.Word("scope", v)
		case f.name == "source" && slices.Contains(programSources(), v):
			v = p.Name("source", v)
		case f.name == "sha256" && len(v) > 12:
			v = v[:12] + "…"
		}
		parts = append(parts, p.Word("policy.field", f.name)+": "+v)
	}
	return strings.Join(parts, " · ")
}

// Reaches tells where a rule holds.
func (p Page) Reaches(s policy.Scope) string {
	var in, out []string
	for _, t := range targetFields(&s) {
		if len(*t.values) == 0 {
			continue
		}
		text := p.Word("policy.kind", t.kind) + ": " + p.some(*t.values)
		if t.except {
			out = append(out, text)
		} else {
			in = append(in, text)
		}
	}
	text := strings.Join(in, " · ")
	if len(in) == 0 {
		text = p.T("rule.everywhere")
	}
	if len(out) > 0 {
		text += " (" + p.T("rule.except") + " " + strings.Join(out, " · ") + ")"
	}
	return text
}

// Valid tells from when until when a rule holds.
func (p Page) Valid(r policy.Rule) string {
	switch {
	case r.ValidFrom.IsZero() && r.ValidUntil.IsZero():
		return p.T("rule.no-end")
	case r.ValidFrom.IsZero():
		return p.T("rule.valid.until", "Until", p.DateTime(r.ValidUntil))
	case r.ValidUntil.IsZero():
		return p.T("rule.valid.from", "From", p.DateTime(r.ValidFrom))
	}
	return p.T("rule.valid.both", "From", p.DateTime(r.ValidFrom), "Until", p.DateTime(r.ValidUntil))
}

// Cause tells what a version of the allowlist did.
func (p Page) Cause(a authorization.Allowlist) string {
	word, rest, _ := strings.Cut(a.Cause, " ")
	switch word {
	case "add", "change", "remove", "import":
		return p.T("allowlist.cause."+word, "What", rest)
	case "mode":
		return p.T("allowlist.cause.mode", "What", p.Word("mode", rest))
	case "undo":
		return p.T("allowlist.cause.undo", "What", strings.TrimPrefix(rest, "of "))
	}
	return a.Cause
}

// FieldProblem tells what is wrong with one field of a rule.
func (p Page) FieldProblem(e *policy.FieldError) string {
	value := cleaned(e.Value, 80)
	text := p.T(e.Key)
	if value != "" && e.Key != policy.KeyTooLong && e.Key != policy.KeyBadText {
		text += " (" + p.quoted(value) + ")"
	}
	return text
}

// FileProblem tells what is wrong with a place of a file.
func (p Page) FileProblem(e *policyfile.Error) string { return p.T(e.Key) }

// formFieldOf is the form's field that a problem of a rule stands beside.
func formFieldOf(path string) string {
	path, _, _ = strings.Cut(path, "[")
	switch rest, ok := strings.CutPrefix(path, "scope.except."); {
	case ok:
		return "except_" + rest
	case strings.HasPrefix(path, "scope."):
		return strings.TrimPrefix(path, "scope.")
	case path == "match.scope":
		return "installed"
	case path == "match.name":
		return "program"
	case path == "match":
		return "program"
	}
	return strings.TrimPrefix(path, "match.")
}

// boundText is a bound of a rule as a form has it: a day where it is the first or last
// moment of one where times are shown, else a time.
func boundText(t time.Time, zone *time.Location, end bool) string {
	if t.IsZero() {
		return ""
	}
	local := t.In(zone)
	day := local.Format(time.DateOnly)
	if back, err := parseBound(day, zone, end); err == nil && back.Equal(t) {
		return day
	}
	return t.UTC().Format(time.RFC3339)
}

// parseBound reads what boundText wrote.
func parseBound(s string, zone *time.Location, end bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		if end {
			d = time.Date(d.Year(), d.Month(), d.Day(), 23, 59, 59, 0, zone)
		}
		return d.UTC(), nil
	}
	return policy.ParseBound(s, end)
}

// Opening is how many findings a plan opens, said on its button.
func (p Page) Opening(plan allowlist.Plan) string {
	if plan.Impact.Opens == 0 {
		return p.T("allowlist.save")
	}
	return p.N("allowlist.save-opening", plan.Impact.Opens)
}

// cleaned is one short line of text: valid, printable, cut to most bytes.
func cleaned(s string, most int) string {
	s = strings.TrimSpace(strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "")))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
