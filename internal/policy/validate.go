package policy

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigia/internal/inventory"
)

// Limits of rules. Lengths are in bytes.
const (
	MaxRules   = 20_000
	MaxName    = 200
	MaxPattern = 1_536 // three times inventory.MaxText, so that EscapeGlob of any text fits
	MaxTargets = 1_000 // entries of one list of a scope
	MaxText    = 2_000 // Owner and Reason
)

// FieldError tells what is wrong with one field of a rule. Field is the path in the
// file's words ("match.version", "scope.except.sites[2]"); Key names the problem for
// translation; Value is what was given; Problem and Remedy are English.
type FieldError struct {
	Field, Key, Value, Problem, Remedy string
}

// Error implements error.
func (e *FieldError) Error() string {
	value := e.Value
	if len(value) > 80 {
		value = strings.ToValidUTF8(value[:80], "") + "…"
	}
	return fmt.Sprintf("%s: %q %s; %s", e.Field, value, e.Problem, e.Remedy)
}

// Keys of a FieldError.
const (
	KeyMissing  = "policy.error.missing"
	KeyTooLong  = "policy.error.too-long"
	KeyBadText  = "policy.error.bad-text"
	KeyReserved = "policy.error.reserved"
	KeyUnknown  = "policy.error.unknown-value"
	KeyPattern  = "policy.error.pattern"
	KeyRange    = "policy.error.range"
	KeyHash     = "policy.error.hash"
	KeyTooBroad = "policy.error.covers-all"
	KeyTooMany  = "policy.error.too-many"
	KeyPeriod   = "policy.error.period"
)

// Validate returns everything that is wrong with r, in the order of its fields; nil
// when nothing is.
func (r *Rule) Validate() []*FieldError {
	v := &validator{}
	v.name(r.Name)
	if r.Effect != Allow && r.Effect != Deny {
		v.add("effect", KeyUnknown, string(r.Effect), "is no effect", "write allow or deny")
	}
	v.match(&r.Match)
	v.targets("scope.", &r.Scope.Targets)
	v.targets("scope.except.", &r.Scope.Except)
	v.text("owner", r.Owner, MaxText, false)
	v.text("reason", r.Reason, MaxText, true)
	v.instant("valid_from", r.ValidFrom)
	v.instant("valid_until", r.ValidUntil)
	if !r.ValidFrom.IsZero() && !r.ValidUntil.IsZero() && r.ValidUntil.Before(r.ValidFrom) {
		v.add("valid_until", KeyPeriod, FormatBound(r.ValidUntil, true),
			"lies before valid_from "+FormatBound(r.ValidFrom, false), "exchange the dates or leave one out")
	}
	return v.errs
}

type validator struct{ errs []*FieldError }

func (v *validator) add(field, key, value, problem, remedy string) {
	v.errs = append(v.errs, &FieldError{Field: field, Key: key, Value: value, Problem: problem, Remedy: remedy})
}

func (v *validator) name(name string) {
	switch {
	case strings.TrimSpace(name) == "":
		v.add("name", KeyMissing, name, "is no name", "give every rule a name of its own")
	case Fold(strings.TrimSpace(name)) == BaselineRule:
		v.add("name", KeyReserved, name, "is the built-in rule's name", "choose another name")
	default:
		v.text("name", name, MaxName, false)
	}
}

// text checks length and characters. Line breaks and tabs only where lines is true.
// What inventory.Normalize removes from programs may not stand in rules either.
func (v *validator) text(field, s string, limit int, lines bool) bool {
	if len(s) > limit {
		v.add(field, KeyTooLong, s, fmt.Sprintf("has %d bytes", len(s)), fmt.Sprintf("use at most %d", limit))
		return false
	}
	ok := utf8.ValidString(s)
	for _, r := range s {
		ok = ok && (writable(r) || lines && (r == '\n' || r == '\t'))
	}
	if !ok {
		v.add(field, KeyBadText, s, "holds a character that cannot be printed", "remove it")
		return false
	}
	if strings.TrimSpace(s) != s {
		v.add(field, KeyBadText, s, "begins or ends with white space", "remove it")
		return false
	}
	return true
}

// writable reports whether r may stand in a text: no control or format character, no
// white space but a plain one, nothing YAML cannot hold.
func writable(r rune) bool {
	return r == ' ' || !unicode.IsControl(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) && r != 0xFFFE && r != 0xFFFF
}

func (v *validator) match(m *Match) {
	broad, before := true, len(v.errs)
	for _, f := range m.fields() {
		if f.value == "" {
			continue
		}
		broad = v.field(f) && broad
	}
	if broad && len(v.errs) == before && m.Name != "*" {
		v.add("match", KeyTooBroad, describe(m), "covers every program", `name what is meant, or write name: "*" where every program is meant`)
	}
}

// field checks one given field and reports whether it holds for every program.
func (v *validator) field(f field) (all bool) {
	name := "match." + f.name
	if !v.text(name, f.value, MaxPattern, false) {
		return false
	}
	switch f.name {
	case "version":
		r, err := ParseRange(f.value)
		if err != nil {
			v.add(name, KeyRange, f.value, "is no version range", err.Error())
			return false
		}
		return r.any()
	case "scope":
		if f.value != inventory.ScopeMachine && f.value != inventory.ScopeUser {
			v.add(name, KeyUnknown, f.value, "is no scope of a program", "write machine or user")
		}
		return false
	case "sha256":
		if b, err := hex.DecodeString(f.value); err != nil || len(b) != 32 {
			v.add(name, KeyHash, f.value, "is no SHA-256", "write its 64 hexadecimal digits")
		}
		return false
	}
	g, err := compileGlob(f.value)
	if err != nil {
		v.add(name, KeyPattern, f.value, "is no pattern", err.Error())
		return false
	}
	return g.shape == shapeAny
}

func (v *validator) targets(prefix string, t *Targets) {
	for _, l := range t.lists() {
		if len(l.values) > MaxTargets {
			v.add(prefix+l.kind, KeyTooMany, fmt.Sprint(len(l.values)), "entries are too many",
				fmt.Sprintf("use at most %d, or a wider kind of scope", MaxTargets))
			continue
		}
		for i, s := range l.values {
			name := fmt.Sprintf("%s%s[%d]", prefix, l.kind, i)
			if s == "" {
				v.add(name, KeyMissing, s, "is empty", "write a name or remove the entry")
				continue
			}
			if !v.text(name, s, MaxName, false) {
				continue
			}
			if l.kind == "machines" {
				if _, err := compileGlob(s); err != nil {
					v.add(name, KeyPattern, s, "is no pattern", err.Error())
				}
			}
		}
	}
}

func (v *validator) instant(field string, t time.Time) {
	if t.IsZero() {
		return
	}
	if y := t.UTC().Year(); y < 1980 || y > 9998 {
		v.add(field, KeyPeriod, t.UTC().Format(time.RFC3339), "is outside 1980–9998", "correct the year or leave the field out")
	} else if t.Nanosecond() != 0 || t.Location() != time.UTC {
		v.add(field, KeyPeriod, t.Format(time.RFC3339Nano), "is not a whole second in UTC", "round it and convert it to UTC")
	}
}

// ParseBound reads a date (2027-06-30) or a time (RFC 3339). A date is the first second
// of that day in UTC, or its last when end is true.
func ParseBound(text string, end bool) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			t = t.Add(24*time.Hour - time.Second)
		}
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no date; write 2027-06-30 or 2027-06-30T18:00:00Z", text)
	}
	return t.UTC().Truncate(time.Second), nil
}

// FormatBound is the shortest text that ParseBound reads back to t.
func FormatBound(t time.Time, end bool) string {
	t = t.UTC()
	day := t.Format(time.DateOnly)
	if back, err := ParseBound(day, end); err == nil && back.Equal(t) {
		return day
	}
	return t.Format(time.RFC3339)
}

// field is one given or empty field of a Match.
type field struct{ name, value string }

// fields lists the fields in the order of specificity.
func (m *Match) fields() [9]field {
	return [9]field{{"sha256", m.SHA256}, {"signer", m.Signer}, {"path", m.Path}, {"name", m.Name}, {"version", m.Version},
		{"publisher", m.Publisher}, {"origin", m.Origin}, {"source", m.Source}, {"scope", m.Scope}}
}

// describe tells the given fields of m.
func describe(m *Match) string {
	var list []string
	for _, f := range m.fields() {
		if f.value != "" {
			list = append(list, f.name+": "+f.value)
		}
	}
	return strings.Join(list, ", ")
}

type targetList struct {
	kind   string
	values []string
}

// lists returns the kinds from the narrowest to the widest.
func (t *Targets) lists() [5]targetList {
	return [5]targetList{{"machines", t.Machines}, {"users", t.Users}, {"groups", t.Groups}, {"areas", t.Areas}, {"sites", t.Sites}}
}
