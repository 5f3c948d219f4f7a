package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"vigia/collector/internal/report"
)

var noon = time.Date(2026, 11, 23, 18, 0, 5, 0, time.UTC)

// hostile are names that a spreadsheet would run, and what is kept of each.
func hostile() map[string]string {
	return map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-2": "'-2", "@SUM(A1)": "'@SUM(A1)", "\t=1": "' =1", "\r=1": "' =1", " =1": "' =1",
		"＝1": "'＝1", "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0", "|x": "'|x", "%x": "'%x",
		"plain": "plain", "a=1": "a=1", "1-2": "1-2", "\x00bell\a": " bell ", "two\nlines": "two\nlines", `"q", ñ; 日本`: `"q", ñ; 日本`, "": "",
	}
}

// write makes a file of one row per hostile value.
func write(t *testing.T, f report.Format) ([]byte, []string) {
	t.Helper()
	var b bytes.Buffer
	zone, err := time.LoadLocation("America/Mexico_City")
	if err != nil {
		t.Fatal(err)
	}
	table, err := report.New(f, &b, "Equipos: [todo]/*?", []string{"Nombre", "=Número", "Visto"}, zone)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range hostile() {
		names = append(names, name)
		if err := table.Row([]any{name, len(names), noon}); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Row([]any{"last", int64(-7), time.Time{}}); err != nil {
		t.Fatal(err)
	}
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), names
}

func TestCSVHoldsValuesAndNoFormulas(t *testing.T) {
	b, names := write(t, report.CSV)
	text, ok := strings.CutPrefix(string(b), "\ufeff")
	if !ok {
		t.Error("no byte order mark: Excel spoils accents")
	}
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(records) != len(names)+2 {
		t.Fatalf("%d records: %v", len(records), err)
	}
	if got := fmt.Sprint(records[0]); got != "[Nombre '=Número Visto]" {
		t.Errorf("headings %s", got)
	}
	for i, name := range names {
		if want := []string{hostile()[name], fmt.Sprint(i + 1), "2026-11-23 12:00:05"}; !equal(records[i+1], want) {
			t.Errorf("%q: %q, want %q", name, records[i+1], want)
		}
	}
	if want := []string{"last", "-7", ""}; !equal(records[len(records)-1], want) {
		t.Errorf("last row %q", records[len(records)-1])
	}
}

func TestXLSXHoldsValuesAndNoFormulas(t *testing.T) {
	b, names := write(t, report.XLSX)
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sheet := f.GetSheetName(0)
	if sheet != "Equipos todo" {
		t.Errorf("sheet %q", sheet)
	}
	rows, err := f.GetRows(sheet)
	if err != nil || len(rows) != len(names)+2 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for i, name := range names {
		got := rows[i+1]
		if got[0] != hostile()[name] || got[1] != fmt.Sprint(i+1) || got[2] != "2026-11-23 12:00" {
			t.Errorf("%q: %q", name, got)
		}
		for _, column := range "ABC" {
			if formula, err := f.GetCellFormula(sheet, fmt.Sprintf("%c%d", column, i+2)); err != nil || formula != "" {
				t.Errorf("%q is the formula %q: %v", name, formula, err)
			}
		}
	}
	if kind, err := f.GetCellType(sheet, "B2"); err != nil || (kind != excelize.CellTypeNumber && kind != excelize.CellTypeUnset) {
		t.Errorf("a number is of type %v: %v", kind, err)
	}
}

func TestLongTextsFitACell(t *testing.T) {
	var b bytes.Buffer
	table, err := report.New(report.XLSX, &b, "x", []string{"x"}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(table.Row([]any{strings.Repeat("ñ", 40_000)}), table.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if v, err := f.GetCellValue("x", "A2"); err != nil || len([]rune(v)) != 32_767 {
		t.Errorf("%d characters: %v", len([]rune(v)), err)
	}
}

func TestUnknownFormatsAndValuesAreErrors(t *testing.T) {
	if _, err := report.New("pdf", &bytes.Buffer{}, "x", nil, time.UTC); err == nil {
		t.Error("a table in PDF")
	}
	for _, f := range report.Formats() {
		table, err := report.New(f, &bytes.Buffer{}, "", []string{"x"}, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if err := table.Row([]any{1.5}); err == nil {
			t.Errorf("%s took a float", f)
		}
		if err := table.Close(); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestAWriterThatFailsIsTold(t *testing.T) {
	for _, f := range report.Formats() {
		table, err := report.New(f, broken{}, "x", []string{"x"}, time.UTC)
		if err == nil {
			err = errors.Join(table.Row([]any{"y"}), table.Close())
		}
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

var errBroken = errors.New("broken pipe")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func equal(a, b []string) bool { return fmt.Sprintf("%q", a) == fmt.Sprintf("%q", b) }
