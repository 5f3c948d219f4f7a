package report

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// MaxXLSX is how many rows a sheet holds below its headings (ECMA-376: 1,048,576 lines).
const MaxXLSX = 1_048_575

type xlsxTable struct {
	out    io.Writer
	file   *excelize.File
	rows   *excelize.StreamWriter
	line   int
	zone   *time.Location
	moment int // style
}

// newXLSX writes rows to a temporary file as they come, and the whole to w at Close.
func newXLSX(w io.Writer, sheet string, headings []string, zone *time.Location) (Table, error) {
	t := &xlsxTable{out: w, file: excelize.NewFile(), zone: zone}
	if err := t.begin(sheetName(sheet), headings); err != nil {
		return nil, errors.Join(fmt.Errorf("writing XLSX: %w", err), t.file.Close())
	}
	return t, nil
}

func (t *xlsxTable) begin(sheet string, headings []string) error {
	if err := t.file.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	format := "yyyy-mm-dd hh:mm"
	var err error
	if t.moment, err = t.file.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
		return err
	}
	bold, err := t.file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	if t.rows, err = t.file.NewStreamWriter(sheet); err != nil {
		return err
	}
	if err := t.rows.SetColWidth(1, max(1, len(headings)), 22); err != nil {
		return err
	}
	if err := t.rows.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	cells := make([]any, len(headings))
	for i, h := range headings {
		cells[i] = excelize.Cell{StyleID: bold, Value: inert(h)}
	}
	t.line = 1
	return t.rows.SetRow("A1", cells)
}

func (t *xlsxTable) Row(values []any) error {
	cells := make([]any, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case string:
			if v != "" {
				cells[i] = inert(v)
			}
		case int, int64:
			cells[i] = v
		case time.Time:
			if !v.IsZero() { // a spreadsheet's date has no zone: it is what the clock showed
				l := v.In(t.zone)
				clock := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), l.Second(), 0, time.UTC)
				cells[i] = excelize.Cell{StyleID: t.moment, Value: clock}
			}
		default:
			return fmt.Errorf("writing XLSX: a %T in column %d", v, i+1)
		}
	}
	t.line++
	if err := t.rows.SetRow(fmt.Sprintf("A%d", t.line), cells); err != nil {
		return fmt.Errorf("writing XLSX: %w", err)
	}
	return nil
}

func (t *xlsxTable) Close() error {
	err := t.rows.Flush()
	if err == nil {
		_, err = t.file.WriteTo(t.out)
	}
	if err = errors.Join(err, t.file.Close()); err != nil {
		return fmt.Errorf("writing XLSX: %w", err)
	}
	return nil
}

func (t *xlsxTable) Abandon() error { return t.file.Close() }

// sheetName leaves out what a sheet's name may not hold, and cuts it to 31 characters.
func sheetName(s string) string {
	s = strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]`, r) || r < ' ' {
			return -1
		}
		return r
	}, s), "' ")
	if r := []rune(s); len(r) > 31 {
		s = string(r[:31])
	}
	if s == "" {
		return "Vigía"
	}
	return s
}
