package sheet_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/org"
	"vigia/collector/internal/sheet"
)

func header() []any {
	return []any{"email", "name", "area", "site", "remote", "manager_email", "primary_machine", "role"}
}

// book makes an XLSX file of lines.
func book(t testing.TB, lines ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, l := range lines {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &l); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, data []byte) *org.File {
	t.Helper()
	f, err := sheet.People(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestXLSXAndCSVSayTheSame(t *testing.T) {
	fromXLSX := read(t, book(t, header(),
		[]any{"Ana@example.com", "Ana Núñez", "Ventas", "Querétaro", "no", "luis@example.com", "pc-017"}, // no role: the cell is not there
		nil,
		[]any{"luis@example.com", "Luis", "Ventas", "Celaya", true, "", "", "area-manager"}))
	fromCSV := read(t, []byte("email,name,area,site,remote,manager_email,primary_machine,role\n"+
		"Ana@example.com,Ana Núñez,Ventas,Querétaro,no,luis@example.com,pc-017,\n"+
		"luis@example.com,Luis,Ventas,Celaya,TRUE,,,area-manager\n"))
	for name, f := range map[string]*org.File{"xlsx": fromXLSX, "csv": fromCSV} {
		if err := f.Err(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := org.Person{Email: "ana@example.com", Name: "Ana Núñez", Area: "Ventas", Site: "Querétaro", PrimaryMachine: "pc-017", Role: actor.Employee, Active: true}
		if len(f.People) != 2 || f.People[0] != want || f.People[1].Role != actor.AreaManager || !f.Sites[0].Remote {
			t.Errorf("%s: %+v %+v", name, f.People, f.Sites)
		}
	}
}

func TestProblemsNameTheLineOfTheSheet(t *testing.T) {
	f := read(t, book(t, header(), nil, []any{"no-address", "Ana", "", "", "", "", "", "king"}))
	if f.Err() == nil || len(f.Problems) != 2 || f.Problems[0].Line != 3 || f.Problems[0].Key != "org.problem.email" || f.Problems[1].Field != "role" {
		t.Errorf("%+v", f.Problems)
	}
}

func TestFilesThatAreNoTable(t *testing.T) {
	good := book(t, header())
	wide := make([]any, 101)
	for i := range wide {
		wide[i] = "x"
	}
	for name, x := range map[string]struct {
		data []byte
		key  string
	}{
		"cut short":   {good[:len(good)/2], "org.problem.not-xlsx"},
		"a zip":       {[]byte("PK\x03\x04nothing"), "org.problem.not-xlsx"},
		"old Excel":   {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "org.problem.old-excel"},
		"no header":   {book(t), "org.problem.no-header"},
		"too wide":    {book(t, wide), "org.problem.too-many-columns"},
		"too large":   {make([]byte, org.MaxImportBytes+1), "org.problem.too-large"},
		"NUL":         {[]byte("email\x00"), "org.problem.not-csv"},
		"other table": {book(t, []any{"a", "b"}), "org.problem.header"},
	} {
		f := read(t, x.data)
		if f.Err() == nil || f.Problems[0].Key != x.key {
			t.Errorf("%s: %+v, want %s", name, f.Problems, x.key)
		}
	}
}

// TestABombIsRefused gives a small file that unpacks to more than is allowed.
func TestABombIsRefused(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a", 30_000)
	for i := range 4000 {
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), []any{long}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > org.MaxImportBytes {
		t.Fatalf("%d bytes: not small enough to prove anything", b.Len())
	}
	if got := read(t, b.Bytes()); got.Err() == nil || got.Problems[0].Key != "org.problem.not-xlsx" {
		t.Errorf("%+v", got.Problems)
	}
}

func FuzzPeople(f *testing.F) {
	f.Add(book(f, header(), []any{"ana@example.com", "Ana"}))
	f.Add([]byte("email,name\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := sheet.People(bytes.NewReader(data)); file == nil || err != nil {
			t.Fatalf("%v %v", file, err)
		}
	})
}
