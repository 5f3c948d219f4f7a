package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/internal/inventory"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// TestPeriodicWorkForgetsWhatIsOld: reports' ids are kept longer than any spool, finished
// commands for a while, and neither for ever.
func TestPeriodicWorkForgetsWhatIsOld(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		ctx := context.Background()
		a := c.enroll(c.token(), facts)
		l, _ := a.connect(c)
		r, body := report(t, snapshot("pc-017", inventory.Program{Name: "x\x00y", Version: "1", Source: "deb"}))
		for _, p := range wire.Split(r.ID[:], body) {
			l.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Report{Report: p}})
		}
		l.next(func(m *vigiav1.FromCollector) bool { return m.GetAck() != nil })
		c.cli("machine", "report", "pc-017")
		cmd := l.next(func(m *vigiav1.FromCollector) bool { return m.GetCommand() != nil }).GetCommand().GetId()
		l.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_CommandResult{CommandResult: &vigiav1.CommandResult{Id: cmd, Ok: true}}})
		eventually(t, "the answer is stored", func() bool {
			list, err := c.desk.store.PendingCommands(ctx, a.id)
			return err == nil && len(list) == 0
		})
		for _, x := range []struct {
			after           time.Duration
			report, command bool
		}{{0, true, true}, {89 * 24 * time.Hour, true, true}, {91 * 24 * time.Hour, true, false}, {121 * 24 * time.Hour, false, false}} {
			c.clock.Store(int64(x.after))
			for _, j := range c.desk.jobs() {
				if err := j.Run(ctx); err != nil {
					t.Fatalf("%s after %s: %v", j.Name, x.after, err)
				}
			}
			known, err := c.desk.store.KnownReports(ctx, []wire.ID{r.ID})
			if err != nil || (len(known) == 1) != x.report {
				t.Errorf("after %s: reports %v, %v", x.after, known, err)
			}
			err = c.desk.store.FinishCommand(ctx, cmd, true, "", time.Now())
			if apperr.Is(err, apperr.NotFound) == x.command {
				t.Errorf("after %s: the command: %v", x.after, err)
			}
		}
	})
}

// TestPeriodicWorkIsListedOnce: a job is known by its name, which its lease carries.
func TestPeriodicWorkIsListedOnce(t *testing.T) {
	c := start(t, t.TempDir())
	seen := map[string]bool{}
	for _, j := range c.desk.jobs() {
		if seen[j.Name] {
			t.Errorf("%s is listed twice", j.Name)
		}
		seen[j.Name] = true
	}
}

func TestTheSpoolOfAMachineIsShown(t *testing.T) {
	c := start(t, t.TempDir())
	a := c.enroll(c.token(), facts)
	l := a.open(c)
	m := hello(a.nonce)
	m.GetHello().Spooled = 7
	l.send(m)
	waiting := func() int { return rowsOf[machineRow](t, c, "machine", "list")[0].Spooled }
	eventually(t, "what waited at Hello is shown", func() bool { return waiting() == 7 })
	l.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Status{Status: &vigiav1.AgentStatus{Spooled: 3}}})
	eventually(t, "what waits now is shown", func() bool { return waiting() == 3 })
}

func TestHomeCounts(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := enforced(t, where)
		for _, host := range []string{"pc-018", "pc-019", "pc-020"} {
			f := &vigiav1.MachineFacts{Hostname: host}
			l, _ := c.enroll(c.token(), f).connect(c)
			s := snapshot(host)
			if host != "pc-018" {
				s.Sources = []inventory.Source{{Source: "deb", Outcome: inventory.OutcomeStale, Error: "no"}, {Source: "snap", Outcome: inventory.OutcomeFailed, Error: "no"}}
			}
			l.submit(s)
		}
		c.cli("machine", "archive", "pc-020")
		type figures = struct{ Machines, Silent, Quarantined, FailingMachines, OpenFindings, OpenNonconformities int }
		for since, want := range map[time.Time]figures{
			time.Now().Add(-time.Hour): {3, 0, 0, 1, 1, 1},
			time.Now().Add(time.Hour):  {3, 3, 0, 1, 1, 1},
		} {
			n, err := homeCounts(c.desk)(context.Background(), since)
			if err != nil || figures(n) != want {
				t.Errorf("counts %+v, %v, want %+v", n, err, want)
			}
		}
		rows := rowsOf[machineRow](t, c, "machine", "list", "pc-019")
		if len(rows) != 1 || rows[0].Failing != 2 {
			t.Errorf("machine list: %+v", rows)
		}
	})
}

// TestWhatChangedWhileNoCollectorRan: people move while the server is down; the findings
// follow when it starts.
func TestWhatChangedWhileNoCollectorRan(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		c.cli("allowlist", "import", allowlistFile(t, "mode: monitor\nrules:\n  - {name: games, effect: allow, match: {name: quake}, scope: {areas: [Ventas]}, owner: it@example.com, reason: test}\n"), "--yes")
		l, _ := c.enroll(c.token(), facts).connect(c)
		l.submit(withQuake(facts))
		if err := c.stop(); err != nil {
			t.Fatal(err)
		}
		people := filepath.Join(t.TempDir(), "people.csv")
		text := "email,name,area,site,remote,manager_email,primary_machine,role\nana@example.com,Ana,Ventas,Querétaro,no,,pc-017,\n"
		if err := os.WriteFile(people, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.cli("org", "import", people)
		again := start(t, where)
		eventually(t, "the finding follows the machine's new area", func() bool {
			return strings.Contains(again.cli("finding", "list", "-o", "json"), `"state": "authorized"`)
		})
	})
}
