package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vigia/internal/inventory"
)

// TestGroupsByRule: a rule of a group holds for machines that are there and for what
// they become, and rules of the allowlist follow it.
func TestGroupsByRule(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		c.cli("allowlist", "import", allowlistFile(t, "mode: enforce\nbaseline: true\nrules:\n  - {name: games, effect: allow, match: {name: quake}, scope: {groups: [Diseño]}, owner: it@example.com, reason: test}\n"), "--yes")
		a := c.enroll(c.token(), facts)
		l, _ := a.connect(c)
		l.document()
		s := withQuake(facts)
		s.Hardware.Vendor, s.Hardware.Model = "LENOVO", "ThinkPad T14"
		s.Normalize()
		l.submit(s)
		state := func(want string) {
			t.Helper()
			eventually(t, "a finding that is "+want, func() bool {
				rows := rowsOf[findingRow](t, c, "finding", "list")
				return len(rows) == 1 && rows[0].State == want
			})
		}
		state("open")
		if out := c.cli("group", "create", "diseno", "--model", "*thinkpad*", "--dry-run"); !strings.Contains(out, "pc-017") || !strings.Contains(out, "1 machines would") {
			t.Errorf("dry run: %s", out)
		}
		if len(rowsOf[groupRow](t, c, "group", "list")) != 0 {
			t.Error("the dry run made a group")
		}
		c.cli("group", "create", "diseno", "--model", "*thinkpad*", "--about", "los que dibujan")
		state("authorized")
		if rows := rowsOf[machineRow](t, c, "machine", "list", "--group", "DISEÑO"); len(rows) != 1 || !slices.Equal(rows[0].Groups, []string{"diseno"}) || rows[0].Model != "LENOVO ThinkPad T14" {
			t.Errorf("machine list: %+v", rows)
		}
		if rows := rowsOf[groupRow](t, c, "group", "list"); len(rows) != 1 || rows[0].Kind != "rule" || rows[0].Machines != 1 || rows[0].CreatedBy == "" {
			t.Errorf("group list: %+v", rows)
		}
		if _, errOut, code := c.try("machine", "group", "pc-017", "--add", "diseno"); code == 0 || !strings.Contains(errOut, "filled by a rule") {
			t.Errorf("by hand into a group by rule: %d %s", code, errOut)
		}
		// another board: the report itself takes it out of the group, and judges by that
		s.Hardware.Model = "IdeaPad 3"
		s.Normalize()
		l.submit(s)
		state("open")
		c.cli("group", "change", "diseno", "--tag", "dibujo")
		c.cli("machine", "assign", "pc-017", "--tag", "Dibujo")
		state("authorized")
		if out := c.cli("group", "show", "diseno"); !strings.Contains(out, "tag dibujo") || !strings.Contains(out, "pc-017") {
			t.Errorf("show: %s", out)
		}
		c.cli("group", "delete", "Diseño")
		state("open")
		for _, bad := range [][]string{{"create", " "}, {"create", "x", "--tag", strings.Repeat("y", 201)}, {"delete", "none"}, {"change", "none"}} {
			if _, errOut, code := c.try(append([]string{"group"}, bad...)...); code == 0 || strings.Contains(errOut, "‹") {
				t.Errorf("%q: exit %d, %s", bad, code, errOut)
			}
		}
		c.cli("check")
	})
}

// TestAssignAndRestore: what somebody chose stays when the directory changes; an
// archiving taken back brings the certificates back too.
func TestAssignAndRestore(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		people := orgFile(t, "email,name,area,site,remote,manager_email,primary_machine,role\nana@example.com,Ana,Ventas,Toluca,no,,pc-017,employee\nluis@example.com,Luis,Ventas,Toluca,no,,,employee\n")
		c.cli("org", "import", people)
		a := c.enroll(c.token(), facts)
		l, _ := a.connect(c)
		l.submit(snapshot("pc-017", inventory.Program{Name: "nano", Version: "1", Source: "deb"}))
		row := func() machineRow { return rowsOf[machineRow](t, c, "machine", "list", "--all")[0] }
		if m := row(); m.Person != "ana@example.com" {
			t.Fatalf("%+v", m)
		}
		c.cli("machine", "assign", "pc-017", "--person", "luis@example.com", "--site", "Toluca")
		c.cli("org", "import", people)
		if m := row(); m.Person != "luis@example.com" || m.Site != "Toluca" {
			t.Errorf("the directory took it back: %+v", m)
		}
		if _, errOut, code := c.try("machine", "assign", "pc-017", "--person", "x@example.com"); code != 3 {
			t.Errorf("an unknown person: %d %s", code, errOut)
		}
		c.cli("machine", "archive", "pc-017")
		if m := row(); m.State != "archived" {
			t.Errorf("%+v", m)
		}
		c.cli("machine", "restore", "pc-017")
		if m := row(); m.State != "active" || m.Reason != "" {
			t.Errorf("%+v", m)
		}
		again := a.connectSoon(c)
		again.submit(snapshot("pc-017", inventory.Program{Name: "nano", Version: "2", Source: "deb"}))
		c.cli("machine", "revoke", "pc-017")
		c.cli("machine", "archive", "pc-017")
		if _, errOut, _ := c.try("machine", "restore", "pc-017"); row().State != "revoked" || !strings.Contains(errOut, "revoked again") {
			t.Errorf("revoked before: %+v %s", row(), errOut)
		}
		c.cli("check")
	})
}

func orgFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
