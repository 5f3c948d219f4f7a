package policy

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{"": "", "Querétaro": "queretaro", "QUERETARO": "queretaro", "e\u0301": "e", "Ñandú": "nandu", "Straße": "straße",
		"İstanbul": "istanbul", "日本が": "日本が", "한국": "한국", "Ж й": "ж и", "ſ": "s", "K": "k", "abc-1": "abc-1", "ABC": "abc"} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Querétaro", "İ", "\xff", "ǰ", "\u0345", "ΐ", "ﬁ", "\u1E9B\u0323"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Errorf("Fold(%q) = %q, folded again %q", s, once, twice)
		}
	})
}

func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"vigia-*", "vigia-agent", true}, {"vigia-*", "vigia", false}, {"vigia-*", "xvigia-agent", false}, {"VIGÍA-*", "Vigia-Agent", true}, {"vigia", "VIGÍA", true},
		{"*", "", true}, {"**", "x", true}, {"?", "", false}, {"?", "é", true}, {"??", "日本", true}, {"?*", "", false}, {"*a", "banana", true}, {"*a", "bananas", false},
		{"*nan*", "banana", true}, {"*nan*", "band", false}, {"a*c*e", "abcde", true}, {"a*c*e", "abcd", false}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"[a-c]x", "bx", true}, {"[a-c]x", "dx", false}, {"[!a-c]x", "dx", true}, {"[^a-c]x", "ax", false}, {"[A-C]x", "BX", true}, {"[Á]x", "ax", true}, {"[]]", "]", true}, {"[a-]", "-", true},
		{"[*]", "*", true}, {"[*]", "x", false}, {"[[]x]", "[x]", true}, {`C:\Program Files\*`, `c:\program files\a\b.exe`, true}, {"/opt/*/bin", "/opt/a/b/bin", true},
		{"a*a*a*a*a*a*b", strings.Repeat("a", 4000), false}, {"", "", true}, {"x", "", false}, {"v?g[íi]a*", "vigia", true},
	} {
		g, err := compileGlob(c.pattern)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		if got := g.match(Fold(c.text)); got != c.want {
			t.Errorf("%q matches %q = %t, want %t", c.pattern, c.text, got, c.want)
		}
	}
	for _, bad := range []string{"[", "a[b", "[]", "[!", "[z-a]", "[a", "x[\u0301]"} {
		if _, err := compileGlob(bad); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}

// TestGlobAgreesWithRegexp compares with the same pattern written as a regular expression.
func TestGlobAgreesWithRegexp(t *testing.T) {
	piece := rapid.SampledFrom([]string{"*", "?", "a", "b", "[ab]", "[!a]", "ab"})
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces")
		text := rapid.StringMatching(`[abc]{0,8}`).Draw(t, "text")
		re := strings.NewReplacer("*", ".*", "?", ".", "[!", "[^").Replace(strings.Join(pieces, ""))
		g, err := compileGlob(strings.Join(pieces, ""))
		if err != nil {
			t.Fatal(err)
		}
		if want := regexp.MustCompile("^" + re + "$").MatchString(text); g.match(text) != want {
			t.Fatalf("%v matches %q = %t", pieces, text, !want)
		}
	})
}

func TestEscapeGlobMatchesItselfOnly(t *testing.T) {
	s := rapid.OneOf(rapid.StringMatching(`[a*?\[\]!\\-]{0,6}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		a, b := s.Draw(t, "a"), s.Draw(t, "b")
		g, err := compileGlob(EscapeGlob(a))
		if err != nil || g.shape != shapeExact {
			t.Fatalf("%q: shape %d, %v", EscapeGlob(a), g.shape, err)
		}
		if g.match(Fold(b)) != (Fold(a) == Fold(b)) {
			t.Fatalf("pattern of %q against %q (%q, %q)", a, b, g.lit, Fold(b))
		}
	})
}

func TestFoldIsIdempotentForEveryCharacter(t *testing.T) {
	for r := rune(0); r < 0x20000; r++ {
		once := Fold("a" + string(r))
		if twice := Fold(once); twice != once {
			t.Errorf("%U: %q, folded again %q", r, once, twice)
		}
	}
}
