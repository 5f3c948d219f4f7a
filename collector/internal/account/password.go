package account

import (
	_ "embed"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"vigia/collector/internal/apperr"
)

// Length of a password, in characters (NIST SP 800-63B-4, 3.1.1.2 asks for 15 without a
// second factor as of 2025; the company's rule is 12).
const (
	MinPassword = 12
	MaxPassword = 128
)

//go:embed common.txt
var commonList string

// checkPassword tells why a new password of p will not do: Invalid "account.password-…"
// with the field "password". company are words that everybody there would try.
func checkPassword(password string, p Person, company []string) error {
	bad := func(key string) error {
		return apperr.New(apperr.Invalid, key, apperr.Args{"field": "password", "min": MinPassword, "max": MaxPassword})
	}
	switch n := utf8.RuneCountInString(norm.NFKC.String(password)); {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return bad("account.password-characters")
	case n < MinPassword:
		return bad("account.password-short")
	case n > MaxPassword:
		return bad("account.password-long")
	}
	plain := simplify(password)
	switch {
	case isCommon(plain) || isCommon(strings.TrimFunc(plain, notLetter)):
		return bad("account.password-common")
	case monotonous(plain):
		return bad("account.password-repeats")
	case obvious(plain, p, company):
		return bad("account.password-obvious")
	}
	return nil
}

// simplify undoes what people do to a word to make a password of it: capitals, accents,
// digits that look like letters.
func simplify(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKD.String(s))
	return s
}

// unleet reads digits and signs as the letters that they stand for.
func unleet(s string) string {
	return strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(s)
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

func isCommon(plain string) bool {
	if plain == "" {
		return false
	}
	for line := range strings.SplitSeq(commonList, "\n") {
		if line != "" && (line == plain || line == unleet(plain)) {
			return true
		}
	}
	return false
}

// monotonous: few different characters, a short piece over and over, or neighbours in a
// row of the keyboard or the alphabet.
func monotonous(plain string) bool {
	runes := []rune(plain)
	seen := map[rune]bool{}
	for _, r := range runes {
		seen[r] = true
	}
	if len(seen) < 5 {
		return true
	}
	for period := 1; period <= len(runes)/2; period++ {
		same := 0
		for i := period; i < len(runes); i++ {
			if runes[i] == runes[i-period] {
				same++
			}
		}
		if same == len(runes)-period {
			return true
		}
	}
	rows := "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjklñ zxcvbnm 1qaz2wsx3edc4rfv5tgb6yhn "
	neighbours := 0
	for i := 1; i < len(runes); i++ {
		a, b := string(runes[i-1]), string(runes[i])
		if a == b || (a != " " && b != " " && (strings.Contains(rows, a+b) || strings.Contains(rows, b+a))) {
			neighbours++
		}
	}
	return neighbours*10 >= (len(runes)-1)*8
}

// obvious: made of the person's own name or address, or of the company's, with less than
// eight other characters.
func obvious(plain string, p Person, company []string) bool {
	local, domain, _ := strings.Cut(p.Email, "@")
	site, _, _ := strings.Cut(domain, ".")
	words := append([]string{"vigia", p.Email, local, site}, company...)
	words = append(words, strings.FieldsFunc(local, notLetter)...)
	words = append(words, strings.Fields(p.Name)...)
	for _, text := range []string{plain, unleet(plain)} {
		rest, found := text, false
		for _, w := range words {
			if w = simplify(w); utf8.RuneCountInString(w) >= 4 && strings.Contains(rest, w) {
				rest, found = strings.ReplaceAll(rest, w, ""), true
			}
		}
		if found && utf8.RuneCountInString(strings.TrimFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })) < 8 {
			return true
		}
	}
	return false
}
