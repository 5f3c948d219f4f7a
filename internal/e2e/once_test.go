package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

const allowNothing = `
mode: monitor
baseline: true
rules: []
`

// TestOnce is the shortest whole way: token, enrollment, one report, what is stored.
func TestOnce(t *testing.T) {
	c := newCollector(t)
	c.allow(allowNothing)
	a := newAgent(t)

	if r := a.cli("run", "--once", "--state", a.state); r.code != 5 {
		t.Errorf("run --once without identity ends with %d, want 5\n%s", r.code, r.err)
	}
	if r := a.cli("status", "--state", a.state); r.code != 5 {
		t.Errorf("status without identity ends with %d, want 5", r.code)
	}
	a.enroll(c)
	must(t, a.cli("run", "--once", "--state", a.state))

	machines := list[machineRow](c, "machine", "list")
	if len(machines) != 1 {
		t.Fatalf("%d machines, want 1", len(machines))
	}
	m := machines[0]
	var taken struct {
		Software []struct{ Name string } `json:"software"`
	}
	out := must(t, a.cli("inventory", "--output", "json", "--cache", t.TempDir())).out
	if err := json.Unmarshal([]byte(out), &taken); err != nil {
		t.Fatal(err)
	}
	if m.Programs != len(taken.Software) || m.Programs < 100 {
		t.Errorf("the collector holds %d programs, the machine has %d", m.Programs, len(taken.Software))
	}
	open := list[findingRow](c, "finding", "list", "--state", "open")
	if m.Findings != len(open) {
		t.Errorf("the machine counts %d findings, %d are listed", m.Findings, len(open))
	}
	for _, f := range open {
		if f.Reason == "" || f.Hostname != m.Hostname || f.Machine != m.ID || f.State != "open" {
			t.Errorf("odd finding %+v", f)
		}
	}
	checkAgrees(t, a, open)

	since := time.Now()
	must(t, a.cli("run", "--once", "--state", a.state)) // nothing changed
	if again := list[machineRow](c, "machine", "list")[0]; again.LastSeen.Before(since.Add(-time.Second)) || again.Programs != m.Programs {
		t.Errorf("after an unchanged report: %+v", again)
	}
}

// checkAgrees compares what the agent flags by itself with what the collector found.
func checkAgrees(t *testing.T, a *agent, open []findingRow) {
	t.Helper()
	r := a.cli("check", "--state", a.state, "--output", "json")
	if r.code != 3 {
		t.Fatalf("check ends with %d, want 3 since there are findings\n%s", r.code, r.err)
	}
	var rows []struct{ Program, Version, Source, Verdict, Rule string }
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil {
		t.Fatal(err)
	}
	var local, central []string
	for _, row := range rows {
		if row.Verdict != "authorized" {
			local = append(local, row.Program+" "+row.Version+" "+row.Source)
		}
	}
	for _, f := range open {
		central = append(central, f.Program+" "+f.Version+" "+f.Source)
	}
	slices.Sort(local)
	slices.Sort(central)
	if local, central = slices.Compact(local), slices.Compact(central); !slices.Equal(local, central) {
		t.Errorf("the agent flags %d programs, the collector %d:\n%v\n%v", len(local), len(central), local, central)
	}
}

// TestFieldNames holds the names that outside programs rely on, on real data.
func TestFieldNames(t *testing.T) {
	c := newCollector(t)
	c.allow("mode: enforce\nbaseline: true\nrules: []\n")
	people := filepath.Join(t.TempDir(), "people.csv")
	csv := "email,name,area,site,remote,manager_email,primary_machine,role\n" +
		"gerente@example.com,Sample Manager,Muestras,Querétaro,no,,,area-manager\n" +
		"rh@example.com,Sample HR,Recursos Humanos,Querétaro,no,,,hr\n" +
		"empleado@example.com,Sample Employee,Muestras,Querétaro,no,gerente@example.com," + hostname(t) + ",employee\n"
	if err := os.WriteFile(people, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, c.cli("org", "import", people))
	a := newAgent(t).enroll(c)
	must(t, c.cli("org", "import", people)) // now the primary machine is known
	must(t, a.cli("run", "--once", "--state", a.state))
	for _, want := range []struct {
		args   []string
		fields []string
	}{
		{[]string{"machine", "list"}, []string{"id", "hostname", "serial", "os", "site", "area", "state", "last_seen", "programs", "findings"}},
		{[]string{"finding", "list"}, []string{"id", "machine", "hostname", "program", "version", "source", "scope", "user", "verdict", "state", "rule", "reason", "first_seen", "last_seen", "nonconformity"}},
		{[]string{"software", "list"}, []string{"name", "version", "publisher", "source", "installs", "first_seen"}},
		{[]string{"nonconformity", "list"}, []string{"number", "state", "machine", "hostname", "person", "opened_at", "programs", "parties", "evidence", "contained_at"}},
	} {
		rows := list[map[string]any](c, want.args...)
		if len(rows) == 0 {
			t.Errorf("%v: no rows", want.args)
			continue
		}
		for _, f := range want.fields {
			if _, ok := rows[0][f]; !ok {
				t.Errorf("%v: no field %q in %v", want.args, f, rows[0])
			}
		}
	}
	records := list[nonconformityRow](c, "nonconformity", "list")
	if len(records) != 1 || records[0].Person != "empleado@example.com" {
		t.Fatalf("want one record of the machine's person, got %+v", records)
	}
	parts := map[string]string{}
	for _, p := range records[0].Parties {
		parts[p.Part] = p.Email
	}
	for part, email := range map[string]string{"user": "empleado@example.com", "area-manager": "gerente@example.com", "hr": "rh@example.com"} {
		if parts[part] != email {
			t.Errorf("party %s is %q, want %s", part, parts[part], email)
		}
	}
}

func hostname(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestSampleSettings loads every sample that is shipped, with the real programs.
func TestSampleSettings(t *testing.T) {
	dir := programs(t)
	samples, err := filepath.Glob("../../installer/config/*.yaml")
	if err != nil || len(samples) < 3 {
		t.Fatalf("samples: %v, %v", samples, err)
	}
	for _, sample := range samples {
		switch name := filepath.Base(sample); name {
		case "agent.yaml":
			must(t, command(t, filepath.Join(dir, "vigia-agent"), "version", "--config", sample))
		case "collector.yaml":
			must(t, command(t, filepath.Join(dir, "vigia-collector"), "version", "--config", sample))
		case "allowlist.yaml":
			if r := command(t, filepath.Join(dir, "vigia-agent"), "check", "--allowlist", sample); r.code != 0 && r.code != 3 {
				t.Errorf("%s: exit code %d\n%s", name, r.code, r.err)
			}
		default:
			t.Errorf("%s: no test loads it", name)
		}
	}
}
