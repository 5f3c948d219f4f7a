// Package sheet owns reading files of people in the forms that offices have them, CSV
// and XLSX, within limits of size, rows and columns. It refuses to judge what they say:
// that is org's business; formulas are not computed, and nothing outside the first
// sheet is looked at.
package sheet

import (
	"bytes"
	"fmt"
	"io"
	"iter"

	"github.com/xuri/excelize/v2"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/org"
)

// Limits of an XLSX file, besides those of org.
const (
	maxUnzipped = 96 << 20 // bytes, of all its parts
	maxColumns  = 100
	maxLines    = org.MaxImportRows + 1000 // with the header and empty lines
)

// People reads a file of people, CSV or XLSX by its content. What is wrong with it is
// in the file's Problems; an error is that of the reader.
func People(r io.Reader) (*org.File, error) {
	data, err := io.ReadAll(io.LimitReader(r, org.MaxImportBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file of people: %w", err)
	}
	switch {
	case len(data) > org.MaxImportBytes:
		return org.Unreadable("org.problem.too-large", apperr.Args{"max": org.MaxImportBytes >> 20}), nil
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readXLSX(data), nil
	case bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0")): // OLE: the old Excel, or a password
		return org.Unreadable("org.problem.old-excel", nil), nil
	}
	return org.ReadCSV(bytes.NewReader(data))
}

// readXLSX reads the first sheet. The library is trusted with no file: a panic inside
// it is a file that cannot be read.
func readXLSX(data []byte) (f *org.File) {
	defer func() {
		if recover() != nil {
			f = org.Unreadable("org.problem.not-xlsx", nil)
		}
	}()
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return org.Unreadable("org.problem.not-xlsx", nil)
	}
	defer book.Close()
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return org.Unreadable("org.problem.not-xlsx", nil)
	}
	rows, err := book.Rows(sheets[0])
	if err != nil {
		return org.Unreadable("org.problem.not-xlsx", nil)
	}
	defer rows.Close()
	var broken string
	f = org.FromTable(records(rows, &broken))
	if broken != "" {
		f = org.Unreadable(broken, apperr.Args{"max": maxColumns})
	}
	return f
}

// records yields each line of a sheet. Lines are as wide as the first that is not
// empty: a sheet leaves out empty cells at the end.
func records(rows *excelize.Rows, broken *string) iter.Seq2[int, []string] {
	return func(yield func(int, []string) bool) {
		width := 0
		for line := 1; rows.Next(); line++ {
			cells, err := rows.Columns()
			switch {
			case err != nil:
				*broken = "org.problem.not-xlsx"
				return
			case len(cells) > maxColumns:
				*broken = "org.problem.too-many-columns"
				return
			case line > maxLines:
				*broken = "org.problem.too-many-lines"
				return
			}
			if width == 0 {
				width = len(cells)
			}
			for len(cells) > 0 && len(cells) < width {
				cells = append(cells, "")
			}
			if !yield(line, cells) {
				return
			}
		}
		if rows.Error() != nil {
			*broken = "org.problem.not-xlsx"
		}
	}
}
