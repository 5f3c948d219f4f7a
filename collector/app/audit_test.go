package app

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigia/internal/inventory"
)

func TestTheAuditLogByCommand(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		a := c.enroll(c.token("--site", "Querétaro", "--note", "ñandú \u2028 \"x\""), facts)
		l, _ := a.connect(c)
		l.submit(snapshot("pc-017", inventory.Program{Name: "curl", Version: "8", Source: "deb", Scope: "machine"}))
		c.cli("token", "revoke", "T1")
		rows := func(args ...string) (list []auditRow) {
			t.Helper()
			if err := json.Unmarshal([]byte(c.cli(append([]string{"audit", "list", "-o", "json"}, args...)...)), &list); err != nil {
				t.Fatal(err)
			}
			return list
		}
		all := rows()
		if len(all) < 4 || all[0].Action != "token.revoke" || all[len(all)-1].Seq != 1 {
			t.Fatalf("%+v", all)
		}
		for want, args := range map[int][]string{2: {"--object", "token/T1"}, 1: {"--action", "machine.enroll"}, 0: {"--until", "2020-01-01"}, 3: {"--limit", "3"}} {
			if got := rows(args...); len(got) != want {
				t.Errorf("%v: %d entries, want %d", args, len(got), want)
			}
		}
		if got := rows("--action", "token"); len(got) != 2 {
			t.Errorf("a kind of actions: %+v", got)
		}
		if _, _, code := c.try("audit", "list", "--since", "yesterday"); code != 2 {
			t.Errorf("a wrong day: %d", code)
		}
		var v verdict
		if err := json.Unmarshal([]byte(c.cli("audit", "verify", "-o", "json")), &v); err != nil || !v.Holds || v.Entries != all[0].Seq || v.LastHash != all[0].Hash {
			t.Errorf("%+v %v", v, err)
		}
		file := filepath.Join(t.TempDir(), "log.jsonl")
		c.cli("audit", "export", file, "--from", "2")
		if out := c.cli("audit", "verify", file); !strings.Contains(out, "the file holds") {
			t.Error(out)
		}
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(strings.TrimSuffix(string(whole), "\n"), "\n")
		for name, text := range map[string]string{
			"altered": strings.Replace(string(whole), "Querétaro", "Toluca", 1), "an entry left out": strings.Join(append(lines[:2:2], lines[3:]...), ""),
			"cut short": strings.Join(lines[:len(lines)-1], ""), "another file": "{}\n", "empty": "", "swapped": strings.Join(append([]string{lines[0], lines[2], lines[1]}, lines[3:]...), ""),
		} {
			other := filepath.Join(t.TempDir(), "x.jsonl")
			if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, _, code := command("audit", "verify", other, "--alone"); code != 6 && code != 2 {
				t.Errorf("%s: %d", name, code)
			}
		}
		d := c.App.desk // somebody at the database
		driver, dsn := "sqlite3", databaseFile(where)
		if strings.HasPrefix(where, "postgres") {
			driver, dsn = "pgx", where
		}
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec("UPDATE audit SET actor = 'cli:nobody' WHERE seq = 2"); err != nil {
			t.Fatal(err)
		}
		out, _, code := c.try("audit", "verify")
		if code != 6 || !strings.Contains(out, "broken at entry 2: content") {
			t.Errorf("an altered log: %d %s", code, out)
		}
		if _, _, code := c.try("audit", "verify", file); code != 0 { // its own entries are as they were written
			t.Errorf("the file against the altered log: %d", code)
		}
		if _, _, code := c.try("audit", "export", file, "--from", "9999"); code != 2 {
			t.Errorf("a range that is not there: %d", code)
		}
		if err := d.proveAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		past, err := d.store.Proofs(t.Context(), 10)
		if err != nil || len(past) < 3 || past[0].Holds() || past[0].BrokenAt != 2 || past[0].StartedBy != "system:audit" || !past[2].Holds() || !strings.Contains(c.log.String(), "the audit log is damaged") {
			t.Errorf("%+v %v", past, err)
		}
	})
}
