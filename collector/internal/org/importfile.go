package org

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"vigia/collector/internal/apperr"
)

// ParseFile reads a file of people: CSV separated by , or ; in UTF-8 (with or without
// a byte order mark) or in Windows-1252, as Excel saves it. It is strict: any problem
// makes the whole an error that lists all of them.
func ParseFile(r io.Reader) (*File, error) {
	f, err := ReadCSV(r)
	if err == nil {
		err = f.Err()
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// ReadCSV does the same but leaves what is wrong in the file's Problems. An error is
// that of the reader.
func ReadCSV(r io.Reader) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxImportBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file of people: %w", err)
	}
	if len(data) > MaxImportBytes {
		return Unreadable("org.problem.too-large", apperr.Args{"max": MaxImportBytes >> 20}), nil
	}
	text, key := decodeText(data)
	if key != "" {
		return Unreadable(key, nil), nil
	}
	var broken Problems
	f := FromTable(readCSV(text, &broken))
	f.notes(broken)
	return f, nil
}

// Unreadable is a file of which nothing can be used, for the reason of that key.
func Unreadable(key string, args apperr.Args) *File {
	f := &File{}
	f.notes(Problems{{Line: 1, Key: key, Args: args}})
	return f
}

// decodeText returns data as UTF-8, or the key of what is wrong with it.
func decodeText(data []byte) (text, key string) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return "", "org.problem.utf16"
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", "org.problem.not-csv"
	}
	if utf8.Valid(data) {
		return string(data), ""
	}
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for _, c := range data {
		switch {
		case c >= 0x80 && c < 0xa0:
			b.WriteRune(windows1252[c-0x80])
		default:
			b.WriteRune(rune(c))
		}
	}
	return b.String(), ""
}

// windows1252 is 0x80–0x9f of the code page; what it leaves undefined stays as it is.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

// readCSV yields each record with its line. Where the text stops being CSV it ends and
// notes why.
func readCSV(text string, broken *Problems) iter.Seq2[int, []string] {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	first, _, _ := strings.Cut(text, "\n")
	if strings.Count(first, ";") > strings.Count(first, ",") {
		r.Comma = ';'
	}
	return func(yield func(int, []string) bool) {
		for {
			record, err := r.Read()
			var perr *csv.ParseError
			if errors.As(err, &perr) {
				broken.add(perr.Line, "", "", "org.problem.quotes", nil)
			}
			if err != nil {
				return
			}
			line, _ := r.FieldPos(0)
			if !yield(line, record) {
				return
			}
		}
	}
}

// FromTable reads records of any table whose first one is the header. Records that are
// empty are passed over.
func FromTable(records iter.Seq2[int, []string]) *File {
	t := table{}
	for line, record := range records {
		if !t.take(line, record) {
			break
		}
	}
	if t.order == nil && len(t.problems) == 0 {
		t.problems.add(1, "", "", "org.problem.no-header", apperr.Args{"columns": strings.Join(columns, ",")})
	}
	f := FromRows(t.rows)
	f.notes(t.problems)
	return f
}

type table struct {
	order    []int // column → index into columns; nil before the header
	rows     []Row
	problems Problems
}

// take takes one record; false ends the reading.
func (t *table) take(line int, record []string) bool {
	for len(record) > 0 && len(record) > len(t.order) && strings.TrimSpace(record[len(record)-1]) == "" {
		record = record[:len(record)-1] // spreadsheets leave empty cells behind
	}
	switch {
	case !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" }):
		return true
	case t.order == nil:
		return t.header(line, record)
	case len(t.rows) >= MaxImportRows:
		t.problems.add(line, "", "", "org.problem.too-many-rows", apperr.Args{"max": MaxImportRows})
		return false
	case len(record) != len(t.order):
		t.problems.add(line, "", "", "org.problem.fields", apperr.Args{"fields": len(record), "want": len(t.order)})
		return true
	}
	row := Row{Line: line}
	fields := row.fields()
	for i, v := range record {
		*fields[t.order[i]] = v
	}
	t.rows = append(t.rows, row)
	return true
}

func (t *table) header(line int, record []string) bool {
	all := apperr.Args{"columns": strings.Join(columns, ",")}
	seen := map[string]bool{}
	var order []int
	for _, name := range record {
		name = strings.ToLower(strings.TrimSpace(name))
		i := slices.Index(columns, name)
		if i < 0 || seen[name] {
			t.problems.add(line, "header", name, "org.problem.header", all)
			continue
		}
		seen[name] = true
		order = append(order, i)
	}
	for _, name := range columns {
		if !seen[name] && len(t.problems) == 0 {
			t.problems.add(line, "header", name, "org.problem.column-missing", all)
		}
	}
	t.order = order
	return len(t.problems) == 0
}
