package system

import (
	"bufio"
	"io"
	"strings"
)

// parseAssignments reads a file of KEY=value lines with the quoting of os-release(5),
// as os-release, locale.conf and /etc/default/locale have it. What is no assignment is
// left out.
func parseAssignments(r io.Reader) (map[string]string, error) {
	values := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		key, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok || key == "" || strings.HasPrefix(line, "#") || strings.ContainsAny(key, " \t") {
			continue
		}
		values[key] = unquote(strings.TrimSpace(value))
	}
	return values, lines.Err()
}

// unquote removes one pair of quotes; between double quotes a backslash keeps the next
// character as it is.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] || (s[0] != '"' && s[0] != '\'') {
		return s
	}
	quote, s := s[0], s[1:len(s)-1]
	if quote == '\'' || !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
