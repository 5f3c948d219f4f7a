package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"
)

// csvTime is how a moment is written: sorts as text, and spreadsheets read it.
const csvTime = "2006-01-02 15:04:05"

type csvTable struct {
	w    *csv.Writer
	zone *time.Location
}

// newCSV writes RFC 4180 with a byte order mark, without which Excel takes UTF-8 for
// the system's old code page and spoils every accent.
func newCSV(w io.Writer, headings []string, zone *time.Location) (Table, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, fmt.Errorf("writing CSV: %w", err)
	}
	t := &csvTable{w: csv.NewWriter(w), zone: zone}
	t.w.UseCRLF = true
	values := make([]any, len(headings))
	for i, h := range headings {
		values[i] = h
	}
	return t, t.Row(values)
}

func (t *csvTable) Row(values []any) error {
	record := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case string:
			record[i] = inert(v)
		case int:
			record[i] = strconv.Itoa(v)
		case int64:
			record[i] = strconv.FormatInt(v, 10)
		case time.Time:
			if !v.IsZero() {
				record[i] = v.In(t.zone).Format(csvTime)
			}
		default:
			return fmt.Errorf("writing CSV: a %T in column %d", v, i+1)
		}
	}
	if err := t.w.Write(record); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func (t *csvTable) Close() error {
	t.w.Flush()
	if err := t.w.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func (t *csvTable) Abandon() error { return nil }
