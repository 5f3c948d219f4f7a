package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

func TestDirectoryCommands(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		c.cli("org", "site", "Mérida", "--remote", "--zone", "America/Merida")
		c.cli("org", "area", "Ventas")
		c.cli("org", "person", "Ana@example.com", "--name", "Ana Ejemplo", "--area", "Ventas", "--site", "merida", "--role", "area-manager")
		c.cli("org", "area", "ventas", "--manager", "ana@example.com", "--rename", "Comercial")
		c.cli("org", "site", "merida", "--remote=false", "--deactivate")
		for args, want := range map[string]string{
			"areas -o json":  `"name": "Comercial",    "manager": "ana@example.com",    "people": 1,    "machines": 0,    "active": true`,
			"sites -o json":  `"name": "Mérida",    "remote": false,    "zone": "America/Merida",    "people": 1,    "machines": 0,    "active": false`,
			"people -o json": `"email": "ana@example.com",    "name": "Ana Ejemplo",    "area": "Comercial",    "site": "Mérida",    "primary_machine": "",    "role": "area-manager",    "active": true`,
		} {
			if out := strings.ReplaceAll(c.cli(append([]string{"org"}, strings.Fields(args)...)...), "\n", ""); !strings.Contains(out, want) {
				t.Errorf("org %s: %s", args, out)
			}
		}
		c.cli("org", "person", "ana@example.com", "--deactivate")
		if out := c.cli("org", "people", "-o", "json"); !strings.Contains(out, `"active": false`) || !strings.Contains(out, `"name": "Ana Ejemplo"`) {
			t.Errorf("after deactivating: %s", out)
		}
		_, errOut, code := c.try("org", "person", "eva@example.com", "--area", "Nada", "--role", "king")
		for _, want := range []string{"nothing was saved:", `name "": It must not be empty`, `area "Nada": There is no such area`, `role "king"`} {
			if code != 2 || !strings.Contains(errOut, want) {
				t.Errorf("exit %d without %q: %s", code, want, errOut)
			}
		}
	})
}

func TestOrgImportReadsWorkbooksAndTellsFields(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		book := excelize.NewFile()
		defer book.Close()
		for i, line := range [][]any{{"email", "name", "area", "site", "remote", "manager_email", "primary_machine", "role"}, {"ana@example.com", "Ana", "Ventas"}} {
			if err := book.SetSheetRow("Sheet1", []string{"A1", "A2"}[i], &line); err != nil {
				t.Fatal(err)
			}
		}
		dir := t.TempDir()
		if err := book.SaveAs(filepath.Join(dir, "people.xlsx")); err != nil {
			t.Fatal(err)
		}
		if out := c.cli("org", "import", filepath.Join(dir, "people.xlsx")); !strings.Contains(out, "people 1 new") {
			t.Errorf("import: %s", out)
		}
		file := filepath.Join(dir, "people.csv")
		if err := os.WriteFile(file, []byte("email,name,area,site,remote,manager_email,primary_machine,role\nana@example.com,Ana,,,,,,hr\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := c.cli("org", "import", "-n", file); !strings.Contains(out, "changed person ana@example.com: area Ventas → none, role employee → hr") {
			t.Errorf("dry run: %s", out)
		}
		if err := os.WriteFile(file, []byte("email,name,area,site,remote,manager_email,primary_machine,role\nana,,,,,,,king\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, errOut, code := c.try("org", "import", file); code != 2 || !strings.Contains(errOut, `line 2: email "ana": Write an address`) || !strings.Contains(errOut, "has 3 problems") {
			t.Errorf("exit %d: %s", code, errOut)
		}
	})
}
