package web

import (
	"html/template"
	"strings"
)

// longWord is how many characters without a space a narrow column holds.
const longWord = 18

// fit writes a text so that long words break where a reader would: an address before
// its @, a name of a package behind its dots.
func fit(text string) template.HTML {
	words := strings.Split(text, " ")
	for i, w := range words {
		long := len(w) > longWord
		w = template.HTMLEscapeString(w)
		if long && strings.Count(w, "@") == 1 {
			w = strings.Replace(w, "@", "<wbr>@", 1)
		} else if long {
			w = strings.ReplaceAll(w, ".", ".<wbr>")
		}
		words[i] = w
	}
	return template.HTML(strings.Join(words, " "))
}
