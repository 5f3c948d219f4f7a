package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	vigiav1 "vigia/proto/vigia/v1"
)

// enforced is a collector with one machine that has one unauthorized program, an
// allowlist in enforce, and the people who answer for it.
func enforced(t *testing.T, where string) *collector {
	t.Helper()
	c := start(t, where)
	people := filepath.Join(t.TempDir(), "people.csv")
	text := "email,name,area,site,remote,manager_email,primary_machine,role\nana@example.com,Ana,Ventas,Querétaro,no,luis@example.com,pc-017,\n" +
		"luis@example.com,Luis,Ventas,Querétaro,,,,area-manager\nrh@example.com,Eva,RH,Querétaro,,,,hr\n"
	if err := os.WriteFile(people, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := c.enroll(c.token("--site", "Querétaro", "--area", "Ventas"), facts)
	if out := c.cli("org", "import", people); !strings.Contains(out, "people 3 new") || !strings.Contains(out, "1 machine assigned") {
		t.Errorf("org import: %s", out)
	}
	c.cli("allowlist", "import", allowlistFile(t, "mode: enforce\nbaseline: true\nrules: []\n"), "--yes")
	l, _ := a.connect(c)
	l.submit(snapshot("pc-017", inventory.Program{Name: "quake", Version: "3", Source: "file", Scope: "machine", Path: "/opt/quake", Requested: true}))
	return c
}

func allowlistFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "allowlist.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAllowlistCommands(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := enforced(t, where)
		open := func() int {
			return strings.Count(c.cli("finding", "list", "--state", "open", "-o", "json"), `"program"`)
		}
		if open() != 1 {
			t.Fatalf("%d findings", open())
		}
		allow := allowlistFile(t, "mode: enforce\nbaseline: true\nrules:\n  - name: games\n    effect: allow\n    match: {name: \"qua*\"}\n    owner: it@example.com\n    reason: ticket 1\n")
		if out := c.cli("allowlist", "import", allow); !strings.Contains(out, "authorizes 1 open one") || !strings.Contains(out, "add --yes") || open() != 1 {
			t.Errorf("shown: %s", out)
		}
		c.cli("allowlist", "import", allow, "--yes")
		eventually(t, "the finding is authorized", func() bool { return open() == 0 })
		if out := c.cli("allowlist", "explain", "quake", "--machine", "pc-017"); !strings.Contains(out, "games") || !strings.Contains(out, "matches, and decides") {
			t.Errorf("explain: %s", out)
		}
		if out := c.cli("allowlist", "export"); !strings.Contains(out, "qua*") || !strings.Contains(out, "mode: enforce") {
			t.Errorf("export: %s", out)
		}
		deny := allowlistFile(t, "mode: enforce\nbaseline: true\nrules:\n  - {name: none, effect: deny, match: {name: \"*\"}, owner: it@example.com, reason: test}\n")
		if _, errOut, code := c.try("allowlist", "import", deny, "--yes", "--max-open", "0"); code != 4 || !strings.Contains(errOut, "--max-open 1") || open() != 0 {
			t.Errorf("--max-open 0 lets something open: %d %s", code, errOut)
		}
		if out, errOut, code := c.try("allowlist", "import", deny, "--yes"); code != 0 {
			t.Errorf("below the default cap: %d %s %s", code, out, errOut)
		}
		eventually(t, "the finding is open again", func() bool { return open() == 1 })
		c.cli("allowlist", "undo", "--yes")
		eventually(t, "the finding is authorized again", func() bool { return open() == 0 })
		if out := c.cli("allowlist", "mode"); strings.TrimSpace(out) != "enforce" {
			t.Errorf("mode: %s", out)
		}
		if out := c.cli("allowlist", "history", "-o", "json"); strings.Count(out, `"version"`) != 4 {
			t.Errorf("history: %s", out)
		}
		c.cli("allowlist", "propose")
		c.cli("check")
		bad := allowlistFile(t, "mode: strict\nrules:\n  - name: x\n    efect: allow\n")
		if _, errOut, code := c.try("allowlist", "check", bad); code != 2 || !strings.Contains(errOut, "1") || !strings.Contains(errOut, "efect") || !strings.Contains(errOut, "strict") {
			t.Errorf("a bad file: %d %s", code, errOut)
		}
	})
}

func TestAllowlistIsCapped(t *testing.T) {
	c := start(t, t.TempDir())
	for _, host := range []string{"pc-1", "pc-2"} {
		l, _ := c.enroll(c.token(), &vigiav1.MachineFacts{Hostname: host}).connect(c)
		l.submit(snapshot(host, inventory.Program{Name: "quake", Version: "3", Source: "file", Scope: "machine", Path: "/opt/quake"}))
	}
	file := allowlistFile(t, "mode: monitor\nbaseline: true\nrules: []\n")
	out, errOut, code := c.try("allowlist", "import", file, "--yes", "--max-open", "1")
	if code != 4 || !strings.Contains(errOut, "--max-open 2") || !strings.Contains(out, "opens 2 findings on 2 machines") {
		t.Errorf("above the cap: %d\n%s%s", code, out, errOut)
	}
	c.cli("allowlist", "import", file, "--yes", "--max-open", "2")
}

// TestJSONNames holds the names that checks from outside rely on.
func TestJSONNames(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := enforced(t, where)
		for command, fields := range map[string]string{
			"machine list":       "id hostname serial os site area state last_seen programs findings",
			"finding list":       "id machine hostname program version source scope user verdict state rule reason first_seen last_seen nonconformity",
			"software list":      "name version publisher source installs first_seen",
			"nonconformity list": "number state machine hostname person opened_at programs parties evidence contained_at",
		} {
			var rows []map[string]any
			out := c.cli(append(strings.Fields(command), "--output", "json")...)
			if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) == 0 {
				t.Errorf("%s: %v: %s", command, err, out)
				continue
			}
			for _, f := range strings.Fields(fields) {
				v, ok := rows[0][f]
				if !ok {
					t.Errorf("%s has no field %s", command, f)
				}
				if s, _ := v.(string); strings.HasSuffix(f, "_seen") || strings.HasSuffix(f, "_at") && v != nil {
					if at, err := time.Parse(time.RFC3339, s); err != nil || at.Location() != time.UTC {
						t.Errorf("%s: %s is %v, want RFC 3339 in UTC", command, f, v)
					}
				}
			}
		}
		if out := c.cli("nonconformity", "list", "-o", "json"); !strings.Contains(out, `"number": "NC-`) || !strings.Contains(out, "luis@example.com") || !strings.Contains(out, "rh@example.com") {
			t.Errorf("record without its parties: %s", out)
		}
		if out := c.cli("finding", "list", "-o", "json", "--state", "open", "--machine", "pc-017"); !strings.Contains(out, `"no rule covers it"`) {
			t.Errorf("finding without its reason: %s", out)
		}
		for _, command := range []string{"machine show pc-017", "machine show pc-017 --summary", "machine show pc-017 -o json", "finding show 1", "finding show 1 -o json",
			"nonconformity show " + number(t, c), "machine duplicates", "token list", "org people", "software list", "check"} {
			if out := c.cli(strings.Fields(command)...); out == "" {
				t.Errorf("%s prints nothing", command)
			}
		}
		if out := c.cli("machine", "show", "pc-017", "--summary"); !strings.Contains(out, "quake 3 (file): no rule covers it") || !strings.Contains(out, "1: 1 file") {
			t.Errorf("summary:\n%s", out)
		}
	})
}

func number(t *testing.T, c *collector) string {
	t.Helper()
	var rows []recordRow
	if err := json.Unmarshal([]byte(c.cli("nonconformity", "list", "-o", "json")), &rows); err != nil || len(rows) != 1 {
		t.Fatalf("records: %v %v", rows, err)
	}
	return rows[0].Number
}

func TestEmptyListsAreArrays(t *testing.T) {
	c := start(t, t.TempDir())
	for _, command := range []string{"machine list", "machine duplicates", "software list", "finding list", "nonconformity list", "token list", "org people", "check"} {
		if out := c.cli(append(strings.Fields(command), "--output", "json")...); strings.TrimSpace(out) != "[]" {
			t.Errorf("%s: %q, want []", command, out)
		}
	}
}

func TestExitCodesAndSentences(t *testing.T) {
	c := start(t, t.TempDir())
	empty := t.TempDir()
	for _, x := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"machine", "show", "nobody", c.data[0], c.data[1]}, 3, "there is no machine \"nobody\""},
		{[]string{"machine", "list", "--data", empty}, 3, "vigia-collector serve --data"},
		{[]string{"machine", "list", "--output", "xml"}, 2, "output"},
		{[]string{"nonsense"}, 2, "nonsense"},
		{[]string{"token", "create", "--uses", "0", c.data[0], c.data[1]}, 2, "--uses \"0\": want 1 to"},
		{[]string{"token", "create", "--collector-address", "nowhere", c.data[0], c.data[1]}, 2, "host:port"},
		{[]string{"token", "revoke", "T99", c.data[0], c.data[1]}, 3, "there is no token T99"},
		{[]string{"org", "import", filepath.Join(empty, "none.csv"), c.data[0], c.data[1]}, 2, "no such file"},
		{[]string{"signin-link", "--person", "ghost@example.com", c.data[0], c.data[1]}, 3, "ghost@example.com"},
		{[]string{"serve", "--data", c.data[1], "--agents", "127.0.0.1:0", "--web", "127.0.0.1:0"}, 1, "another collector"},
		{[]string{"serve", "--agents", "x", "--web", "y", "--metrics", "z", "--time-zone", "Mars"}, 2, "--web \"y\""},
		{[]string{"machine", "list", "--database-url", "mysql://x"}, 2, "postgres://"},
		{[]string{"machine", "list", "--database-url", "postgres://vigia:hush@127.0.0.1:1/x"}, 5, ""},
		{[]string{"ready", "--web", "127.0.0.1:1"}, 5, "not ready"},
	} {
		out, errOut, code := command(x.args...)
		if code != x.code || !strings.Contains(errOut, x.says) || errOut == "" {
			t.Errorf("%v: exit %d, %q; want %d, %q", x.args, code, errOut, x.code, x.says)
		}
		if strings.Contains(errOut+out, "hush") {
			t.Errorf("%v tells a password: %s", x.args, errOut)
		}
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	for _, args := range leaves(t) {
		out, errOut, code := command(append(args, "--help")...)
		if code != 0 || !strings.Contains(out, "Examples:") || !strings.Contains(out, "vigia-collector "+strings.Join(args, " ")) || !strings.Contains(out, "Exit codes:") {
			t.Errorf("%v --help: exit %d, no example or exit codes:\n%s%s", args, code, out, errOut)
		}
	}
}

// leaves lists every command.
func leaves(t *testing.T) [][]string {
	t.Helper()
	var c commands
	k, err := newParser(&c, Process{Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}})
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for _, n := range k.Model.Leaves(true) {
		var words []string
		for at := n; at.Parent != nil; at = at.Parent {
			words = append(words, at.Name)
		}
		slices.Reverse(words)
		all = append(all, words)
	}
	if len(all) < 20 {
		t.Fatalf("only %d commands", len(all))
	}
	return all
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		if out, errOut, code := command(arg); code != 0 || !strings.HasPrefix(out, "vigia-collector ") {
			t.Errorf("%s: exit %d %q %q", arg, code, out, errOut)
		}
	}
}

func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "collector.yaml")
	text := "data: /nowhere\nagents: 127.0.0.1:x\nwebb: 1\nmax-connections: many\nyes: true\nsmtp-url: http://eva:hush@mail.example.com\ntime-zone: Mars\ntrusted-proxy: [10.0.0.0/8, proxy]\nmetrics: \"\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, errOut, code := command("--config", file, "serve")
	if code != 2 {
		t.Errorf("exit %d", code)
	}
	for _, want := range []string{`:2: agents: "127.0.0.1:x": want host:port`, ":3: webb: no such setting", ":4: max-connections", ":5: yes: no such setting",
		`:6: smtp-url: "http://eva:xxxxx@mail.example.com": want smtp://`, `:7: time-zone: "Mars": want`, `:8: trusted-proxy: "proxy": want`} {
		if !strings.Contains(errOut, want) {
			t.Errorf("no %q in %s", want, errOut)
		}
	}
	if strings.Contains(errOut, "metrics:") || strings.Contains(errOut, "hush") {
		t.Errorf("too much is told: %s", errOut)
	}
	sample, err := filepath.Abs("../../installer/config/collector.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, errOut, code := command("--config", sample, "version"); code != 0 {
		t.Errorf("the sample settings: exit %d: %s", code, errOut)
	}
}

func TestBackupAndRestore(t *testing.T) {
	c := enforced(t, t.TempDir())
	copied := filepath.Join(t.TempDir(), "copy.db")
	c.cli("backup", copied)
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("copy: %v %v", info.Mode(), err)
	}
	if _, errOut, code := c.try("backup", copied); code != 1 || !strings.Contains(errOut, "exists already") {
		t.Errorf("over a file: %d %s", code, errOut)
	}
	place := filepath.Join(t.TempDir(), "new")
	if _, errOut, code := command("restore", copied, "--data", place); code != 0 {
		t.Fatalf("restore: %d %s", code, errOut)
	}
	if _, errOut, code := command("restore", copied, "--data", place); code != 1 || !strings.Contains(errOut, "empty place") {
		t.Errorf("into a full place: %d %s", code, errOut)
	}
	out, _, _ := command("machine", "list", "--data", place, "-o", "json")
	if want := c.cli("machine", "list", "-o", "json"); out != want {
		t.Errorf("restored\n%s\nwant\n%s", out, want)
	}
	junk := filepath.Join(t.TempDir(), "junk.db")
	if err := os.WriteFile(junk, []byte("no database at all, whatever it is called"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad")
	if _, errOut, code := command("restore", junk, "--data", bad); code != 2 || !strings.Contains(errOut, "no usable copy") {
		t.Errorf("junk: %d %s", code, errOut)
	}
	if _, err := os.Stat(databaseFile(bad)); err == nil {
		t.Error("junk was put in place")
	}
}

func TestBackupAndRestoreOfPostgres(t *testing.T) {
	t.Setenv("PATH", "/usr/lib/postgresql/15/bin:"+os.Getenv("PATH"))
	c := enforced(t, storetest.Postgres(t))
	copied := filepath.Join(t.TempDir(), "copy.dump")
	c.cli("backup", copied)
	empty := storetest.NewServer(t).URL(t, "restored")
	if _, errOut, code := command("restore", copied, "--database-url", empty); code != 0 {
		t.Fatalf("restore: %d %s", code, errOut)
	}
	out, _, _ := command("machine", "list", "--database-url", empty, "-o", "json")
	if want := c.cli("machine", "list", "-o", "json"); out != want {
		t.Errorf("restored\n%s\nwant\n%s", out, want)
	}
}

func TestCheckFindsABrokenChain(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir)
	c.token()
	c.cli("check")
	damage(t, dir)
	out, _, code := c.try("check")
	if code != 6 || !strings.Contains(out, "audit") {
		t.Errorf("check of a changed entry: exit %d\n%s", code, out)
	}
}

// TestCheckOfADatabaseThatCannotBeRead: damage is told as damage, however deep it goes.
func TestCheckOfADatabaseThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir)
	c.token()
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(databaseFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	junk := bytes.Repeat([]byte("not a page of a database "), 4000)
	for name, content := range map[string][]byte{
		"no database":   junk,
		"damaged pages": append(append(bytes.Clone(whole[:4096]), junk[:8*4096]...), whole[9*4096:]...),
	} {
		if err := os.WriteFile(databaseFile(dir), content, 0o600); err != nil {
			t.Fatal(err)
		}
		out, errOut, code := command("check", "--data", dir, "--output", "json")
		var rows []problemRow
		if err := json.Unmarshal([]byte(out), &rows); err != nil || code != 6 || len(rows) == 0 || rows[0].Part != "database" || !strings.Contains(errOut, "check found") {
			t.Errorf("%s: exit %d, %v: %s%s", name, code, err, out, errOut)
		}
		if _, errOut, code := command("machine", "list", "--data", dir); code != 1 || !strings.Contains(errOut, "restore") {
			t.Errorf("%s: a list: exit %d: %s", name, code, errOut)
		}
	}
}

// TestNamesThatNobodyKnowsAreNoted: a scope or a token may name what comes later; what
// is a slip of the pen is seen all the same, and standard output stays what it was.
func TestNamesThatNobodyKnowsAreNoted(t *testing.T) {
	c := enforced(t, t.TempDir())
	file := allowlistFile(t, "mode: enforce\nbaseline: true\nrules:\n  - name: tools\n    effect: allow\n    match: {name: \"vigia-*\"}\n"+
		"    scope: {sites: [queretaro, Querrétaro], areas: [Ventas, Nowhere], except: {machines: [pc-017, pc-099, \"lab-*\"]}}\n    owner: it@example.com\n    reason: ours\n")
	out, errOut, code := c.try("allowlist", "import", file, "--yes", "--output", "json")
	if code != 0 || !json.Valid([]byte(out)) {
		t.Fatalf("exit %d: %s%s", code, out, errOut)
	}
	want := "note: rule \"tools\": there is no area \"Nowhere\" yet\nnote: rule \"tools\": there is no machine \"pc-099\" yet\nnote: rule \"tools\": there is no site \"Querrétaro\" yet\n"
	if errOut != want {
		t.Errorf("told:\n%swant:\n%s", errOut, want)
	}
	out, errOut, code = c.try("token", "create", "--site", "Celaya", "--area", "Ventas")
	if code != 0 || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "vigia1.") || errOut != "note: there is no site \"Celaya\" yet; it comes with the first machine\n" {
		t.Errorf("exit %d: %q, %q", code, out, errOut)
	}
}
