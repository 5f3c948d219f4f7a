package policy

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold removes what must not tell two names apart: case and accents ("Querétaro" and
// "QUERETARO" are one). It decomposes (NFD), drops combining diacritical marks, maps
// each character to upper and back to lower case, and composes (NFC). Vowel signs and
// voicing marks of other scripts stay. Fold(Fold(s)) == Fold(s).
func Fold(s string) string {
	ascii, lower := true, true
	for i := 0; i < len(s); i++ {
		c := s[i]
		ascii = ascii && c < 0x80
		lower = lower && (c < 'A' || c > 'Z')
	}
	switch {
	case ascii && lower:
		return s
	case ascii:
		return strings.ToLower(s)
	}
	for range 4 { // a case mapping may bring a new decomposition; two rounds settle every character
		next := foldOnce(s)
		if next == s {
			break
		}
		s = next
	}
	return s
}

func foldOnce(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFD.String(s) {
		if !diacritic(r) {
			b.WriteRune(unicode.ToLower(unicode.ToUpper(r)))
		}
	}
	return norm.NFC.String(b.String())
}

// diacritic reports whether r stands in one of Unicode's blocks of combining
// diacritical marks.
func diacritic(r rune) bool {
	return r >= 0x0300 && r <= 0x036F || r >= 0x1AB0 && r <= 0x1AFF || r >= 0x1DC0 && r <= 0x1DFF ||
		r >= 0x20D0 && r <= 0x20FF || r >= 0xFE20 && r <= 0xFE2F
}
