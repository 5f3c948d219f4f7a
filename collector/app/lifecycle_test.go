package app

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"vigia/internal/inventory"
	vigiav1 "vigia/proto/vigia/v1"
)

// rowsOf runs a list command and decodes what it prints.
func rowsOf[T any](t *testing.T, c *collector, args ...string) []T {
	t.Helper()
	var rows []T
	if out := c.cli(append(args, "-o", "json")...); json.Unmarshal([]byte(out), &rows) != nil {
		t.Fatalf("%v: %s", args, out)
	}
	return rows
}

// withQuake is a machine that tells its hardware and has one unauthorized program.
func withQuake(f *vigiav1.MachineFacts) *inventory.Snapshot {
	s := snapshot(f.GetHostname(), inventory.Program{Name: "quake", Version: "3", Source: "file", Scope: "machine", Path: "/opt/quake", Requested: true})
	s.Machine.Serial, s.Machine.UUID = f.GetSerial(), f.GetUuid()
	s.Normalize()
	return s
}

// TestFindingsOfARetiredMachine: what a machine that was taken out of use had is no
// work for anybody; it is again when the machine comes back.
func TestFindingsOfARetiredMachine(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		c.cli("allowlist", "import", allowlistFile(t, "mode: enforce\nbaseline: true\nrules: []\n"), "--yes")
		a := c.enroll(c.token(), facts)
		l, _ := a.connect(c)
		l.submit(withQuake(facts))
		finding := func(state, reason string) findingRow {
			t.Helper()
			rows := rowsOf[findingRow](t, c, "finding", "list")
			if len(rows) != 1 || rows[0].State != state || rows[0].Reason != reason || rows[0].Recurrences != 0 {
				t.Fatalf("findings %+v, want one that is %s, %q", rows, state, reason)
			}
			open := 0
			if state == "open" {
				open = 1
			}
			m := rowsOf[machineRow](t, c, "machine", "list", "--all")
			if len(m) != 1 || m[0].Findings != open {
				t.Fatalf("machines %+v, want %d findings", m, open)
			}
			return rows[0]
		}
		record := func(state, program string, kinds ...string) {
			t.Helper()
			rows := rowsOf[recordRow](t, c, "nonconformity", "list")
			if len(rows) != 1 || rows[0].State != state || rows[0].Programs[0].State != program || rows[0].Recurrences != 0 {
				t.Fatalf("records %+v, want one that is %s with a program that is %s", rows, state, program)
			}
			var shown struct {
				History []struct{ Kind, Actor string }
			}
			if err := json.Unmarshal([]byte(c.cli("nonconformity", "show", rows[0].Number, "-o", "json")), &shown); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range shown.History {
				got = append(got, e.Kind)
			}
			if !slices.Equal(got, kinds) {
				t.Errorf("history %q, want %q", got, kinds)
			}
		}
		finding("open", "no rule covers it")
		record("open", "present", "opened")

		c.cli("machine", "revoke", "pc-017")
		f := finding("gone", "its machine was revoked, so it reports no more")
		if f.GoneAt == nil || f.Report == "" {
			t.Errorf("revoked: %+v", f)
		}
		record("open", "present", "opened", "revoked") // nothing proves that the program is gone
		c.cli("machine", "archive", "pc-017")
		finding("gone", "its machine was archived")
		record("contained", "gone", "opened", "revoked", "archived", "contained")

		l.end(5e9)
		tok := c.token()
		again := c.enroll(tok, facts)
		if again.id != a.id {
			t.Fatalf("enrolled again as %s, was %s", again.id, a.id)
		}
		finding("open", "no rule covers it")
		record("open", "present", "opened", "revoked", "archived", "contained", "restored")
		l2, _ := again.connect(c)
		clean := withQuake(facts)
		clean.Software = nil
		l2.submit(clean)
		finding("gone", "no rule covers it") // proven by a report
		record("contained", "gone", "opened", "revoked", "archived", "contained", "restored", "contained")
		c.cli("check")
	})
}

// TestAFindingThatWasAuthorizedMeanwhile: a machine that comes back follows the
// allowlist as it is then.
func TestAFindingThatWasAuthorizedMeanwhile(t *testing.T) {
	c := start(t, t.TempDir())
	c.cli("allowlist", "import", allowlistFile(t, "mode: monitor\nbaseline: true\nrules: []\n"), "--yes")
	l, _ := c.enroll(c.token(), facts).connect(c)
	l.submit(withQuake(facts))
	c.cli("machine", "archive", "pc-017")
	l.end(5e9)
	c.cli("allowlist", "import", allowlistFile(t, "mode: monitor\nrules:\n  - {name: games, effect: allow, match: {name: quake}, owner: it@example.com, reason: test}\n"), "--yes")
	if rows := rowsOf[findingRow](t, c, "finding", "list"); len(rows) != 1 || rows[0].State != "gone" {
		t.Fatalf("archived: %+v", rows)
	}
	c.enroll(c.token(), facts)
	if rows := rowsOf[findingRow](t, c, "finding", "list"); len(rows) != 1 || rows[0].State != "authorized" || rows[0].Rule != "games" || rows[0].GoneAt != nil {
		t.Fatalf("back: %+v", rows)
	}
	c.cli("check")
}

func TestMachineGroups(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		c.cli("allowlist", "import", allowlistFile(t, "mode: enforce\nbaseline: true\nrules:\n  - {name: games, effect: allow, match: {name: quake}, scope: {groups: [Diseño]}, owner: it@example.com, reason: test}\n"), "--yes")
		a := c.enroll(c.token(), facts)
		l, _ := a.connect(c)
		l.document()
		l.submit(withQuake(facts))
		state := func() string {
			rows := rowsOf[findingRow](t, c, "finding", "list")
			if len(rows) != 1 {
				t.Fatalf("findings %+v", rows)
			}
			return rows[0].State + " " + rows[0].Rule
		}
		if got := state(); got != "open " {
			t.Errorf("outside the group: %q", got)
		}
		if out := c.cli("machine", "group", "pc-017", "--add", "diseno", "--add", "laptops", "--add", "LAPTOPS"); out != "diseno\nlaptops\n" {
			t.Errorf("added: %q", out)
		}
		if got := state(); got != "authorized games" { // at once: not when a collector comes to it
			t.Errorf("in the group: %q", got)
		}
		if rows := rowsOf[machineRow](t, c, "machine", "list"); !slices.Equal(rows[0].Groups, []string{"diseno", "laptops"}) {
			t.Errorf("machine list: %+v", rows)
		}
		if out := c.cli("machine", "show", "pc-017"); !strings.Contains(out, "diseno, laptops") {
			t.Errorf("machine show: %s", out)
		}
		for doc := l.document(); len(doc.Rules) != 1 || !slices.Equal(doc.Machine.Groups, []string{"diseno", "laptops"}); doc = l.document() {
			t.Logf("first told %+v", doc) // how things stood before; document fails where nothing comes
		}
		if out := c.cli("machine", "group", "pc-017", "--remove", "Diseño", "-o", "json"); strings.Join(strings.Fields(out), "") != `["laptops"]` {
			t.Errorf("removed: %q", out)
		}
		if got := state(); got != "open " {
			t.Errorf("outside again: %q", got)
		}
		for _, bad := range [][]string{{"--add", " "}, {"--add", strings.Repeat("x", 101)}, {"--remove", "a\nb"}} {
			if _, errOut, code := c.try(append([]string{"machine", "group", "pc-017"}, bad...)...); code != 2 || !strings.Contains(errOut, bad[0]) || !strings.Contains(errOut, "want") {
				t.Errorf("%q: exit %d, %s", bad, code, errOut)
			}
		}
		if _, errOut, code := c.try("machine", "group", "nobody", "--add", "x"); code != 3 {
			t.Errorf("unknown machine: exit %d, %s", code, errOut)
		}
		c.cli("check")
	})
}
