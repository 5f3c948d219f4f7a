package software

import "strings"

// CompareDebVersions orders two version numbers as deb-version(7) says: epoch, then
// upstream version, then revision. It returns -1, 0 or +1 and takes any text.
func CompareDebVersions(a, b string) int {
	aEpoch, aUp, aRev := splitVersion(a)
	bEpoch, bUp, bRev := splitVersion(b)
	if c := compareDigits(aEpoch, bEpoch); c != 0 {
		return c
	}
	if c := compareVersionPart(aUp, bUp); c != 0 {
		return c
	}
	return compareVersionPart(aRev, bRev)
}

func splitVersion(v string) (epoch, upstream, revision string) {
	if e, rest, ok := strings.Cut(v, ":"); ok {
		epoch, v = e, rest
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return epoch, v[:i], v[i+1:]
	}
	return epoch, v, ""
}

// compareVersionPart compares alternating runs of non-digits and digits.
func compareVersionPart(a, b string) int {
	for a != "" || b != "" {
		i, j := 0, 0
		for (i < len(a) && !digit(a[i])) || (j < len(b) && !digit(b[j])) {
			if c := order(a, i) - order(b, j); c != 0 {
				return sign(c)
			}
			i, j = i+1, j+1
		}
		a, b = a[min(i, len(a)):], b[min(j, len(b)):]
		i, j = digits(a), digits(b)
		if c := compareDigits(a[:i], b[:j]); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return 0
}

// order weighs the byte at i: a tilde sorts before the end, letters before the rest.
func order(s string, i int) int {
	switch {
	case i >= len(s) || digit(s[i]):
		return 0
	case s[i] == '~':
		return -1
	case s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z':
		return int(s[i])
	}
	return int(s[i]) + 256
}

// compareDigits compares two runs of digits of any length as numbers.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return sign(len(a) - len(b))
	}
	return strings.Compare(a, b)
}

func digits(s string) int {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return i
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
