package policy

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Errors of a glob.
var (
	errClassOpen  = errors.New("a [ without its ]; write [[] for the character itself")
	errClassEmpty = errors.New("an empty class []; name at least one character in it")
	errClassRange = errors.New("a range in [ ] that runs backwards; write the smaller character first")
	errClassChar  = errors.New("a character that cannot stand in [ ]; write it outside")
)

type shape uint8

const (
	shapeExact shape = iota
	shapeAny         // only stars
	shapePrefix
	shapeSuffix
	shapeContains
	shapeGeneral
)

// glob is a compiled pattern. lit is the folded literal of the simple shapes, and what
// a match must begin with in shapeGeneral.
type glob struct {
	shape    shape
	lit      string
	tokens   []token
	literals int // characters of the pattern that stand for themselves
}

type tokenKind uint8

const (
	tokLiteral tokenKind = iota
	tokOne
	tokStar
	tokClass
)

type token struct {
	kind   tokenKind
	r      rune
	ranges []rune // pairs lo, hi
	not    bool
}

// EscapeGlob returns the glob that matches s and nothing else.
func EscapeGlob(s string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(s)
}

// hasMeta reports whether s, read as a glob, is more than a literal.
func hasMeta(s string) bool { return strings.ContainsAny(s, "*?[") }

// compileGlob compiles and folds pattern.
func compileGlob(pattern string) (glob, error) {
	var g glob
	var run strings.Builder
	flush := func() {
		for _, r := range Fold(run.String()) {
			g.tokens = append(g.tokens, token{kind: tokLiteral, r: r})
			g.literals++
		}
		run.Reset()
	}
	for i := 0; i < len(pattern); {
		r, size := utf8.DecodeRuneInString(pattern[i:])
		switch r {
		case '*':
			flush()
			if n := len(g.tokens); n == 0 || g.tokens[n-1].kind != tokStar {
				g.tokens = append(g.tokens, token{kind: tokStar})
			}
		case '?':
			flush()
			g.tokens = append(g.tokens, token{kind: tokOne})
		case '[':
			flush()
			t, n, err := parseClass(pattern[i:])
			if err != nil {
				return glob{}, fmt.Errorf("pattern at character %d: %w", utf8.RuneCountInString(pattern[:i])+1, err)
			}
			g.tokens, size = append(g.tokens, t), n
			if t.kind == tokLiteral {
				g.literals++
			}
		default:
			run.WriteString(pattern[i : i+size])
		}
		i += size
	}
	flush()
	g.simplify()
	return g, nil
}

// parseClass reads a class at the start of s and returns how many bytes it takes.
func parseClass(s string) (token, int, error) {
	t := token{kind: tokClass}
	i := 1
	if i < len(s) && (s[i] == '!' || s[i] == '^') {
		t.not = true
		i++
	}
	for first := true; ; first = false {
		if i >= len(s) {
			return t, 0, errClassOpen
		}
		if s[i] == ']' && !first {
			break
		}
		if s[i] == ']' && first && !strings.Contains(s[i+1:], "]") {
			return t, 0, errClassEmpty
		}
		lo, n, err := classRune(s[i:])
		if err != nil {
			return t, 0, err
		}
		i += n
		hi := lo
		if i+1 < len(s) && s[i] == '-' && s[i+1] != ']' {
			if hi, n, err = classRune(s[i+1:]); err != nil {
				return t, 0, err
			}
			i += 1 + n
		}
		if hi < lo {
			return t, 0, errClassRange
		}
		t.ranges = append(t.ranges, lo, hi)
	}
	if len(t.ranges) == 2 && t.ranges[0] == t.ranges[1] && !t.not {
		t = token{kind: tokLiteral, r: t.ranges[0]}
	}
	return t, i + 1, nil
}

// classRune reads one character of a class and folds it.
func classRune(s string) (rune, int, error) {
	_, size := utf8.DecodeRuneInString(s)
	f := Fold(s[:size])
	r, n := utf8.DecodeRuneInString(f)
	if n == 0 || n != len(f) {
		return 0, 0, errClassChar
	}
	return r, size, nil
}

// simplify finds the shape.
func (g *glob) simplify() {
	meta, stars := 0, 0
	for _, t := range g.tokens {
		if t.kind != tokLiteral {
			meta++
		}
		if t.kind == tokStar {
			stars++
		}
	}
	n := len(g.tokens)
	first := n > 0 && g.tokens[0].kind == tokStar
	last := n > 0 && g.tokens[n-1].kind == tokStar
	switch {
	case meta == 0:
		g.shape, g.lit = shapeExact, literalOf(g.tokens)
	case meta == stars && n == 1:
		g.shape = shapeAny
	case meta == stars && stars == 1 && last:
		g.shape, g.lit = shapePrefix, literalOf(g.tokens[:n-1])
	case meta == stars && stars == 1 && first:
		g.shape, g.lit = shapeSuffix, literalOf(g.tokens[1:])
	case meta == stars && stars == 2 && first && last:
		g.shape, g.lit = shapeContains, literalOf(g.tokens[1:n-1])
	default:
		g.shape, g.lit = shapeGeneral, literalOf(g.tokens)
		return
	}
	g.tokens = nil
}

// literalOf returns the literals at the start of tokens.
func literalOf(tokens []token) string {
	var b strings.Builder
	for _, t := range tokens {
		if t.kind != tokLiteral {
			break
		}
		b.WriteRune(t.r)
	}
	return b.String()
}

// match reports whether the whole of s, which must be folded, matches.
func (g *glob) match(s string) bool {
	switch g.shape {
	case shapeExact:
		return s == g.lit
	case shapeAny:
		return true
	case shapePrefix:
		return strings.HasPrefix(s, g.lit)
	case shapeSuffix:
		return strings.HasSuffix(s, g.lit)
	case shapeContains:
		return strings.Contains(s, g.lit)
	}
	return strings.HasPrefix(s, g.lit) && g.matchTokens(s)
}

// matchTokens goes back to the last star only, so it takes at most len(s) times
// len(tokens) steps.
func (g *glob) matchTokens(s string) bool {
	si, ti, starTi, starSi := 0, 0, -1, 0
	for si < len(s) {
		r, size := utf8.DecodeRuneInString(s[si:])
		switch {
		case ti < len(g.tokens) && g.tokens[ti].kind == tokStar:
			starTi, starSi = ti, si
			ti++
		case ti < len(g.tokens) && g.tokens[ti].one(r):
			ti++
			si += size
		case starTi >= 0:
			_, skip := utf8.DecodeRuneInString(s[starSi:])
			starSi += skip
			si, ti = starSi, starTi+1
		default:
			return false
		}
	}
	for ti < len(g.tokens) && g.tokens[ti].kind == tokStar {
		ti++
	}
	return ti == len(g.tokens)
}

// one reports whether t, not a star, stands for r.
func (t *token) one(r rune) bool {
	switch t.kind {
	case tokLiteral:
		return r == t.r
	case tokOne:
		return true
	}
	for i := 0; i < len(t.ranges); i += 2 {
		if r >= t.ranges[i] && r <= t.ranges[i+1] {
			return !t.not
		}
	}
	return t.not
}
