package software

import "strings"

// platformWord tells the parts of a file's name that tell where it runs, not what it is.
func platformWord(w string) bool {
	switch strings.ToLower(w) {
	case "linux", "linux64", "linux32", "gnu", "musl", "unknown", "x86", "x64", "x8664", "amd64", "arm64", "aarch64",
		"armhf", "armv7", "i386", "i686", "glibc", "static", "portable", "bin", "64bit", "64":
		return true
	}
	return false
}

// SplitName takes a file's or folder's name apart into a program's name and version:
// "Foo-1.2.3-x86_64.AppImage" is Foo, 1.2.3; "jdk-21.0.2" is jdk, 21.0.2; where no
// version is clear ("python3.11", "7z", "tool-x64") the name stays as it is but for an
// ending .AppImage.
func SplitName(file string) (name, version string) {
	base := file
	for _, ending := range [...]string{".AppImage", ".appimage", ".run", ".sh"} {
		if s, ok := strings.CutSuffix(base, ending); ok && s != "" {
			base = s
			break
		}
	}
	words := strings.FieldsFunc(strings.NewReplacer("x86_64", "x8664", "x86-64", "x8664").Replace(base), func(r rune) bool { return r == '-' || r == '_' || r == ' ' })
	at := 0
	for i, w := range words {
		if i > 0 && versionWord(w) {
			name, at = strings.Join(words[:i], "-"), i
			break
		}
	}
	if at == 0 {
		if strings.HasSuffix(strings.ToLower(file), ".appimage") && len(words) > 0 {
			for len(words) > 1 && platformWord(words[len(words)-1]) {
				words = words[:len(words)-1]
			}
			return strings.Join(words, "-"), ""
		}
		return file, ""
	}
	rest := words[at+1:]
	for _, w := range rest {
		if !platformWord(w) && !qualifier(w) {
			return file, "" // more of the name follows: "foo-2-bar"
		}
	}
	return name, strings.TrimLeft(words[at], "vV")
}

// versionWord takes "1.2", "v3", "2024.1", "1.2.3rc1": a digit first, and a dot or
// nothing but digits.
func versionWord(w string) bool {
	w = strings.TrimLeft(w, "vV")
	if w == "" || !digit(w[0]) {
		return false
	}
	return strings.Contains(w, ".") || digits(w) == len(w)
}

// qualifier takes words that follow a version: "rc1", "beta", "stable", a number.
func qualifier(w string) bool {
	w = strings.ToLower(w)
	for _, p := range [...]string{"rc", "beta", "alpha", "stable", "release", "lts", "final", "dev", "nightly"} {
		if strings.HasPrefix(w, p) {
			return true
		}
	}
	return versionWord(w)
}

// firstVersion returns the first word of a text that looks like a version, without
// letters before it: "go1.26.8" gives 1.26.8. Empty where there is none.
func firstVersion(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	for _, w := range strings.Fields(line) {
		i := strings.IndexFunc(w, func(r rune) bool { return r >= '0' && r <= '9' })
		if i >= 0 && strings.Contains(w[i:], ".") && len(w) <= 64 {
			return strings.Trim(w[i:], `",;`)
		}
	}
	return ""
}
