// Package version owns how versions of Vigía are compared: MAJOR.MINOR.PATCH by number.
// It refuses anything else as the version of a release.
package version

import (
	"strconv"
	"strings"
)

// Newer reports whether version a is newer than b. What comes after + or ~ does not
// count, and what is no version is older than all.
func Newer(a, b string) bool {
	x, y := numbers(a), numbers(b)
	for i := range x {
		if x[i] != y[i] {
			return x[i] > y[i]
		}
	}
	return false
}

// Valid reports whether v is a version that can be released.
func Valid(v string) bool { return numbers(v)[0] >= 0 && !strings.ContainsAny(v, "+~/\\ ") }

func numbers(v string) [3]int64 {
	none := [3]int64{-1, -1, -1}
	v, _, _ = strings.Cut(v, "+")
	v, _, _ = strings.Cut(v, "~")
	parts := strings.Split(v, ".")
	if len(parts) != 3 {
		return none
	}
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(parts[i], 10, 32); err != nil || n[i] < 0 {
			return none
		}
	}
	return n
}
