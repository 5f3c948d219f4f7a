package policy

import (
	"errors"
	"fmt"
	"strings"
)

// maxTerms bounds the terms of one range.
const maxTerms = 16

// Range is a compiled version range: terms joined by commas, all of which must hold.
//
//	1.2.3           the same version in the order of CompareVersions; so is =1.2.3
//	>=1.0, <3       bounds, with >= > <= < and != ; spaces do not count
//	1.*             a glob over the text of the version; "1.*" covers "1" as well
//
// A term that names no epoch is compared without the program's epoch: "<3" covers
// 1:2.3-4, as the reader of the rule expects. A program that tells no version is in no
// range. The zero Range holds nothing.
type Range struct {
	terms []term
	text  string
}

type term struct {
	op      string // "=", "!=", "<", "<=", ">", ">=" or "*" for a glob
	version version
	glob    glob
	bare    string // what "X.*" covers besides; empty for none
	epoch   bool   // the term names an epoch
}

// ParseRange compiles text. Errors name the term and the remedy.
func ParseRange(text string) (Range, error) {
	r := Range{text: text}
	list := strings.Split(text, ",")
	if len(list) > maxTerms {
		return r, fmt.Errorf("version range has %d terms; use at most %d", len(list), maxTerms)
	}
	for _, s := range list {
		t, err := parseTerm(strings.TrimSpace(s))
		if err != nil {
			return Range{}, err
		}
		r.terms = append(r.terms, t)
	}
	if r.impossible() {
		return Range{}, errors.New("no version lies in this range; exchange the bounds or widen them")
	}
	return r, nil
}

func parseTerm(s string) (term, error) {
	op := "="
	rest := s
	for _, o := range [...]string{">=", "<=", "!=", "==", ">", "<", "="} {
		if after, ok := strings.CutPrefix(s, o); ok {
			op, rest = o, strings.TrimSpace(after)
			break
		}
	}
	written := op != "=" || rest != s
	if op == "==" {
		op = "="
	}
	switch {
	case rest == "":
		return term{}, fmt.Errorf("version term %q has no version; write for example >=1.0, <3", s)
	case strings.ContainsAny(rest, "<>=!"):
		return term{}, fmt.Errorf("version term %q holds two comparisons; put a comma between them, as in >=1.0, <3", s)
	case strings.HasPrefix(rest, "~"), strings.HasPrefix(rest, "^"):
		return term{}, fmt.Errorf("version term %q begins with ~ or ^; write the bounds, as in >=1.2, <2", s)
	case hasMeta(rest) && written:
		return term{}, fmt.Errorf("version term %q compares with a pattern; leave the %s out or write a version", s, op)
	case hasMeta(rest):
		return globTerm(rest)
	case op != "=" && op != "!=" && !strings.ContainsAny(rest, "0123456789"):
		return term{}, fmt.Errorf("version term %q has no number to compare with; write for example >=1.0", s)
	}
	v := parseVersion(rest)
	return term{op: op, version: v, epoch: v.hasEpoch}, nil
}

func globTerm(s string) (term, error) {
	g, err := compileGlob(s)
	if err != nil {
		return term{}, fmt.Errorf("version term %q: %w", s, err)
	}
	t := term{op: "*", glob: g, epoch: strings.Contains(s, ":")}
	if bare, ok := strings.CutSuffix(Fold(s), ".*"); ok && !hasMeta(bare) {
		t.bare = bare
	}
	return t, nil
}

// Contains reports whether the version written v is in r.
func (r Range) Contains(v string) bool {
	if v == "" {
		return false
	}
	pv := parseVersion(v)
	return r.contains(&pv)
}

func (r Range) contains(v *version) bool {
	for i := range r.terms {
		if !r.terms[i].holds(v) {
			return false
		}
	}
	return len(r.terms) > 0
}

func (t *term) holds(v *version) bool {
	if t.op == "*" {
		text := v.text
		if t.epoch {
			text = v.full
		}
		return t.glob.match(text) || t.bare != "" && text == t.bare
	}
	c := 0
	if t.epoch {
		c = compareNumbers(v.epoch, t.version.epoch)
	}
	if c == 0 {
		c = compareParts(v.parts, t.version.parts)
	}
	switch t.op {
	case "=":
		return c == 0
	case "!=":
		return c != 0
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

// impossible reports whether a lower bound lies above an upper one.
func (r Range) impossible() bool {
	for i := range r.terms {
		for j := range r.terms {
			lo, hi := &r.terms[i], &r.terms[j]
			if lo.op[0] != '>' || hi.op[0] != '<' || lo.epoch != hi.epoch {
				continue
			}
			c := compareNumbers(lo.version.epoch, hi.version.epoch)
			if c == 0 {
				c = compareParts(lo.version.parts, hi.version.parts)
			}
			if c > 0 || c == 0 && (lo.op == ">" || hi.op == "<") {
				return true
			}
		}
	}
	return false
}

// exact reports whether r is one version, and any whether it is every version.
func (r Range) exact() bool { return len(r.terms) == 1 && r.terms[0].op == "=" }

func (r Range) any() bool {
	for i := range r.terms {
		if r.terms[i].op != "*" || r.terms[i].glob.shape != shapeAny {
			return false
		}
	}
	return true
}
