// Package form reads what a browser sends: bounded, valid text and cursors of lists. It
// refuses to trust: what is too long or malformed is cut or left out, never passed on.
package form

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText bounds one value of a query, in bytes.
const maxText = 200

// Text returns the query's value of name: valid UTF-8 without control characters,
// trimmed, at most 200 bytes.
func Text(r *http.Request, name string) string {
	s := strings.ToValidUTF8(r.URL.Query().Get(name), "")
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, s)
	s = strings.TrimSpace(s)
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// OneOf returns the query's value of name when it is one of allowed, else "".
func OneOf(r *http.Request, name string, allowed ...string) string {
	v := r.URL.Query().Get(name)
	for _, a := range allowed {
		if v == a {
			return v
		}
	}
	return ""
}

// Number returns the query's value of name as a number from 0 to limit, else 0.
func Number(r *http.Request, name string, limit int64) int64 {
	n, err := strconv.ParseInt(r.URL.Query().Get(name), 10, 64)
	if err != nil || n < 0 || n > limit {
		return 0
	}
	return n
}

// Time returns the query's value of name, written by Micro, or the zero time.
func Time(r *http.Request, name string) time.Time {
	n := Number(r, name, 1<<52)
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// Micro writes t for Time.
func Micro(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

// Link returns path with the query's pairs of name and value, in order, empty values
// left out.
func Link(path string, pairs ...string) string {
	q := ""
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if q != "" {
			q += "&"
		}
		q += pairs[i] + "=" + url.QueryEscape(pairs[i+1])
	}
	if q == "" {
		return path
	}
	return path + "?" + q
}
