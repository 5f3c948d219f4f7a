package title

import (
	"slices"
	"strings"
)

// Strip takes the version and the architecture off the end of a name: "Foo 1.2.3 (x64)"
// becomes "Foo". A number without a dot stays, since it is often part of the name
// ("Visual Studio 2022"), unless the word "version" stands before it. Something of the
// name always stays.
func Strip(name string) string {
	words := strings.Fields(name)
	for len(words) > 1 {
		n := tail(words)
		if n == 0 || n >= len(words) {
			break
		}
		words = words[:len(words)-n]
	}
	return strings.Join(words, " ")
}

// tail tells how many words at the end are no part of the name.
func tail(words []string) int {
	last := words[len(words)-1]
	if strings.HasSuffix(last, ")") { // a whole bracket or nothing
		for n := 1; n < len(words); n++ {
			if w := words[len(words)-n]; strings.HasPrefix(w, "(") {
				inside := strings.Fields(strings.Trim(strings.Join(words[len(words)-n:], " "), "()"))
				if len(inside) > 0 && slices.ContainsFunc(inside, func(w string) bool { return arch(w) || dotted(w) }) {
					return n
				}
				return 0
			}
		}
		return 0
	}
	switch before := strings.ToLower(words[len(words)-2]); {
	case (before == "version" || before == "versión" || before == "v" || before == "v.") && digit(last):
		return 2
	case last == "-" || last == "–", arch(last), dotted(last):
		return 1
	}
	return 0
}

func digit(w string) bool { return w != "" && w[0] >= '0' && w[0] <= '9' }

// dotted reports whether w is a version such as 1.2, v1.2.3-rc1 or 24.09.
func dotted(w string) bool {
	w = strings.TrimPrefix(strings.ToLower(w), "v")
	return digit(w) && strings.Contains(w, ".")
}

func arch(w string) bool {
	switch strings.ToLower(strings.Trim(w, ",")) {
	case "x64", "x86", "x86_64", "x86-64", "amd64", "arm64", "aarch64", "i386", "i586", "i686", "64-bit", "32-bit", "64bit", "32bit", "win64", "win32":
		return true
	}
	return false
}
