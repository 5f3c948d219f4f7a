package web

import (
	"html/template"
	"strings"
)

// longWord is how many characters without a space a narrow column holds.
const longWord = 18

// fit writes a text so that long words break where a reader would: an address before
// its @, a name of a package behind its dots.
func fit(text string) any {
	words, broken := strings.Split(text, " "), false
	for i, w := range words {
		long := len(w) > longWord && strings.ContainsAny(w, "@.")
		words[i] = template.HTMLEscapeString(w)
		if long && strings.Count(w, "@") == 1 {
			words[i], broken = strings.Replace(words[i], "@", "<wbr>@", 1), true
		} else if long {
			words[i], broken = strings.ReplaceAll(words[i], ".", ".<wbr>"), true
		}
	}
	if !broken {
		return text // the template escapes it
	}
	return template.HTML(strings.Join(words, " "))
}
