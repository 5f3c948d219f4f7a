package ncr_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/report"
	"vigia/collector/internal/report/ncr"
)

var opened = time.Date(2026, 11, 3, 16, 0, 0, 0, time.UTC)

// sample is a record whose whole life is told.
func sample() ncr.Record {
	n := nonconformity.Nonconformity{Number: "NC-2026-0007", State: nonconformity.Closed, Hostname: "pc-017", Person: "luis@example.com", PersonName: "Luis Peña Núñez", Area: "Ingeniería",
		Site: "Querétaro", OpenedAt: opened, RoundAt: opened, Round: 1, Severity: nonconformity.Critical, NotifiedAt: opened.Add(time.Minute), ContainedAt: opened.Add(26 * time.Hour),
		CauseAt: opened.Add(30 * time.Hour), PlannedAt: opened.Add(31 * time.Hour), ImplementedAt: opened.Add(50 * time.Hour), VerifiedAt: opened.Add(800 * time.Hour), EndedAt: opened.Add(820 * time.Hour),
		Parties:  []nonconformity.Party{{Part: "user", Email: "luis@example.com", Name: "Luis Peña Núñez"}, {Part: "area-manager", Email: "marta@example.com", Name: "Marta Ibáñez"}, {Part: "hr", Email: "rosa@example.com", Name: "Rosa"}},
		Programs: []nonconformity.Program{{Name: "AnyDesk", Version: "6.3.2", Source: "deb", State: "gone", GoneAt: opened.Add(26 * time.Hour)}},
		Evidence: []nonconformity.Evidence{{Kind: "found", Program: "AnyDesk", Path: "/usr/bin/anydesk", SHA256: strings.Repeat("ab", 32), At: opened, Report: "00000000-0000-4000-8000-000000000001"}, {Kind: "absent", At: opened.Add(800 * time.Hour)}},
		History:  []nonconformity.Event{{At: opened, Kind: "opened", Actor: "machine:x", Detail: "AnyDesk 6.3.2"}, {At: opened.Add(time.Hour), Kind: "overdue", Actor: "system:nonconformity", Detail: "cause"}, {At: opened.Add(820 * time.Hour), Kind: "close", Actor: "person:ana@example.com"}},
		Steps: []nonconformity.Step{
			{Kind: "statement", Round: 1, Part: "user", Author: "person:luis@example.com", AuthorName: "Luis Peña Núñez", At: opened.Add(2 * time.Hour), Address: "192.0.2.7", Hash: strings.Repeat("cd", 32), Answer: nonconformity.Answer{Text: "Lo instalé para ayudar a un cliente — “urgente”.\nNo sabía que hacía falta permiso."}},
			{Kind: "cause", Round: 1, Part: "area-manager", Author: "person:marta@example.com", AuthorName: "Marta Ibáñez", At: opened.Add(30 * time.Hour), Hash: strings.Repeat("ef", 32), Answer: nonconformity.Answer{Whys: []string{"No había herramienta", "Nadie la pidió"}, Cause: "need"}},
			{Kind: "plan", Round: 1, Part: "area-manager", Author: "person:ana@example.com", OnBehalf: true, At: opened.Add(31 * time.Hour), Hash: strings.Repeat("01", 32), Answer: nonconformity.Answer{Actions: []nonconformity.Action{{What: "Pedir una herramienta autorizada", Who: "Marta", By: "2026-11-20"}}}},
			{Kind: "measure", Round: 1, Part: "hr", Author: "person:rosa@example.com", AuthorName: "Rosa", At: opened.Add(33 * time.Hour), Hash: strings.Repeat("23", 32), Answer: nonconformity.Answer{Measure: "talk"}},
		}}
	e := audit.Entry{Seq: 12, At: opened, Actor: "person:luis@example.com", Action: "nonconformity.statement", Object: "nonconformity/NC-2026-0007"}
	e.Hash = e.Sum()
	return ncr.Record{Nonconformity: n, Company: "Empresa Ejemplo", Trail: []audit.Entry{e}}
}

func printer(t *testing.T, lang string) *locale.Printer {
	t.Helper()
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	return texts.For(lang, time.UTC)
}

func TestTheSameRecordIsTheSamePDF(t *testing.T) {
	for lang, words := range map[string][]string{"es": {"No conformidad NC-2026-0007", "Luis Peña Núñez", "Ingeniería", "“urgente”", "Pedir una herramienta autorizada", "Plática con la persona", "Último asiento", strings.Repeat("cd", 32)},
		"en": {"Nonconformity NC-2026-0007", "Talk with the person", "Last entry of this record: 12", "Action planned"}} {
		var one, two bytes.Buffer
		if err := ncr.Write(&one, printer(t, lang), sample()); err != nil {
			t.Fatal(err)
		}
		if err := ncr.Write(&two, printer(t, lang), sample()); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Fatalf("%s: the same record gave another file, %v", lang, err)
		}
		path := filepath.Join(t.TempDir(), lang+".pdf")
		if err := os.WriteFile(path, one.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		tool, err := exec.LookPath("pdftotext")
		if err != nil {
			t.Fatal("pdftotext is not installed; make parts brings it")
		}
		text, err := exec.Command(tool, "-layout", path, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s: the PDF lacks %q:\n%s", lang, w, text)
			}
		}
		if strings.Contains(string(text), "‹") {
			t.Errorf("%s: a key without words:\n%s", lang, text)
		}
	}
}

func TestRegisterHoldsARowForEachRecord(t *testing.T) {
	n := sample().Nonconformity
	n.PersonName = "=HYPERLINK(1)"
	var b bytes.Buffer
	if err := ncr.Register(&b, printer(t, "es"), report.XLSX, "2026", []nonconformity.Nonconformity{n, sample().Nonconformity}); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := f.GetRows("2026")
	if err != nil || len(rows) != 3 || rows[1][0] != "NC-2026-0007" || rows[1][1] != "Cerrada" || rows[2][9] != "Necesidad de trabajo sin programa autorizado" || rows[2][12] != "1" {
		t.Fatalf("%v, %v", rows, err)
	}
	if formula, _ := f.GetCellFormula("2026", "E2"); formula != "" {
		t.Error("a name is a formula")
	}
}
