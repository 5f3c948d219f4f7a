package policy

import (
	"cmp"
	"strings"
)

// CompareVersions orders version texts of any packaging system, -1, 0 or +1:
//
//   - An epoch ("1:") counts first; none is 0. Case does not count, nor a "v" before
//     the first digit.
//   - The rest is read as numbers, words, "~", "-" and "+" ("^" is "+"); any other
//     character only separates. The first difference settles it, in the order
//     ~ < pre-release word < end < "-" < other word < "+" < number.
//   - Numbers compare as numbers of any length; zeros at the end of a run of numbers do
//     not count: 1.0 = 1.0.0.0, as Windows' four parts need.
//   - Pre-release words, in order: dev, nightly, snapshot, canary, alpha, beta, preview,
//     pre, rc. A "-" before one does not count. So 1.0~rc1 < 1.0-rc1 < 1.0.
//   - A number after "-" is a revision, as dpkg reads it: 2.3 < 2.3-4 < 2.3-4+deb12u1 <
//     2.3-4.1 < 2.3+dfsg-1 < 2.3.1. (Semantic versioning reads "-4" as a pre-release;
//     programs that mean this are rarer than Debian's revisions.)
func CompareVersions(a, b string) int {
	va, vb := parseVersion(a), parseVersion(b)
	return cmp.Or(compareNumbers(va.epoch, vb.epoch), compareParts(va.parts, vb.parts))
}

type rank uint8

const (
	rankTilde rank = iota
	rankPre
	rankEnd
	rankHyphen
	rankWord
	rankPlus
	rankNumber
)

type part struct {
	rank  rank
	stage int    // of a pre-release word
	text  string // folded word, or number without leading zeros
}

type version struct {
	epoch    string // digits without leading zeros; empty is 0
	hasEpoch bool
	text     string // folded, without the epoch
	full     string // folded
	parts    []part
}

func parseVersion(s string) version {
	v := version{full: Fold(s)}
	v.text = v.full
	if i := strings.IndexByte(v.full, ':'); i > 0 && strings.Trim(v.full[:i], "0123456789") == "" {
		v.epoch, v.hasEpoch = strings.TrimLeft(v.full[:i], "0"), true
		v.text = v.full[i+1:]
	}
	rest := v.text
	if len(rest) > 1 && rest[0] == 'v' && isDigit(rest[1]) {
		rest = rest[1:]
	}
	v.parts = parseParts(rest)
	return v
}

func parseParts(s string) []part {
	parts := make([]part, 0, 8)
	for i := 0; i < len(s); {
		start := i
		switch c := s[i]; {
		case isDigit(c):
			for i < len(s) && isDigit(s[i]) {
				i++
			}
			parts = append(parts, part{rank: rankNumber, text: strings.TrimLeft(s[start:i], "0")})
			continue
		case isWord(c):
			for i < len(s) && isWord(s[i]) {
				i++
			}
			parts = appendWord(parts, s[start:i])
			continue
		case c == '~':
			parts = append(trimZeros(parts), part{rank: rankTilde})
		case c == '-':
			parts = append(trimZeros(parts), part{rank: rankHyphen})
		case c == '+' || c == '^':
			parts = append(trimZeros(parts), part{rank: rankPlus})
		}
		i++
	}
	return trimZeros(parts)
}

// appendWord drops a hyphen before a pre-release word.
func appendWord(parts []part, word string) []part {
	stage := preRelease(word)
	if stage == 0 {
		return append(trimZeros(parts), part{rank: rankWord, text: word})
	}
	if n := len(parts); n > 0 && parts[n-1].rank == rankHyphen {
		parts = parts[:n-1]
	}
	return append(trimZeros(parts), part{rank: rankPre, stage: stage, text: word})
}

// trimZeros drops zeros at the end: "" is the number 0.
func trimZeros(parts []part) []part {
	for n := len(parts); n > 0 && parts[n-1].rank == rankNumber && parts[n-1].text == ""; n-- {
		parts = parts[:n-1]
	}
	return parts
}

// preRelease returns the stage a word stands for, 1 or more, or 0.
func preRelease(word string) int {
	switch word {
	case "dev":
		return 1
	case "nightly":
		return 2
	case "snapshot":
		return 3
	case "canary":
		return 4
	case "alpha":
		return 5
	case "beta":
		return 6
	case "preview":
		return 7
	case "pre":
		return 8
	case "rc":
		return 9
	}
	return 0
}

func compareParts(a, b []part) int {
	end := part{rank: rankEnd}
	for i := 0; i < len(a) || i < len(b); i++ {
		x, y := end, end
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := comparePart(x, y); c != 0 {
			return c
		}
	}
	return 0
}

func comparePart(x, y part) int {
	if x.rank != y.rank {
		return cmp.Compare(x.rank, y.rank)
	}
	if x.rank == rankNumber {
		return compareNumbers(x.text, y.text)
	}
	return cmp.Or(cmp.Compare(x.stage, y.stage), cmp.Compare(x.text, y.text))
}

// compareNumbers compares digits without leading zeros.
func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWord takes every byte outside ASCII as part of a word.
func isWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= 0x80 }
