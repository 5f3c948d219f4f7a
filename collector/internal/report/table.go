// Package report owns how rows become files that people take away: CSV and XLSX of what
// a list shows. It refuses to read rows, to choose columns and to speak a language: it
// is given headings and values. No value can become a formula in a spreadsheet.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Table takes the rows of one file, in order.
type Table interface {
	// Row writes one row. Values are string, int, int64 or time.Time; the zero time and
	// the empty text are empty cells.
	Row(values []any) error
	// Close ends the file; without it the file is not whole.
	Close() error
	// Abandon gives up: what was written stays without an end.
	Abandon() error
}

// Format is a kind of file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Formats lists every format, as the ends of addresses.
func Formats() []Format { return []Format{CSV, XLSX} }

// ContentType is the media type of a file of the format.
func (f Format) ContentType() string {
	if f == XLSX {
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "text/csv; charset=utf-8"
}

// New begins a file in w. Times are written in zone. sheet names the sheet of an XLSX.
func New(f Format, w io.Writer, sheet string, headings []string, zone *time.Location) (Table, error) {
	switch f {
	case CSV:
		return newCSV(w, headings, zone)
	case XLSX:
		return newXLSX(w, sheet, headings, zone)
	}
	return nil, fmt.Errorf("writing a table: no format %q", f)
}

// maxCell is how many characters a cell of a spreadsheet holds (ECMA-376, Excel's limit
// of 32,767).
const maxCell = 32_767

// inert returns s so that no program takes it for a formula: a text that begins with
// what spreadsheets evaluate gets an apostrophe, as OWASP's "CSV Injection" advises.
// Control characters, which XML cannot hold, become spaces.
func inert(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r < ' ', r == 0x7f, r == 0xFFFE, r == 0xFFFF, r == utf8.RuneError:
			return ' '
		}
		return r
	}, s)
	if begins(s) {
		s = "'" + s
	}
	if utf8.RuneCountInString(s) > maxCell {
		s = string([]rune(s)[:maxCell])
	}
	return s
}

// begins reports whether a spreadsheet may evaluate s. Spaces before count as nothing;
// full-width signs count as theirs.
func begins(s string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \n\u00a0\ufeff"))
	return strings.ContainsRune("=+-@＝＋－＠|%", r) && s != ""
}
