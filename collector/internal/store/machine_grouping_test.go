package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// traitsOf are values that rules and machines of the tests are drawn from: with accents,
// with what LIKE and patterns have a meaning for, and none.
var (
	drawnOS    = []string{"", "Debian GNU/Linux 12 (bookworm)", "Windows 11 Pro", "Ubuntu 24.04", "100%_raro"}
	drawnModel = []string{"", "LENOVO ThinkPad T14", "Dell Inc. OptiPlex 7090", `a\b`}
	drawnTags  = []string{"Préstamo", "kiosco", "a\"b", "[x]"}
	drawnSites = []string{"Querétaro", "Toluca"}
	drawnAreas = []string{"Ventas", "Almacén"}
	drawnHosts = []string{"pc-01", "PC-017", "srv_1", "srvx1", "ñandú", "100%"}
	patterns   = []string{"*", "pc-*", "PC-0?", "srv_1", "*debian*", "windows 1?*", "lenovo*", "*optiplex*", "100%*", `a\b`, "Ñandu", "none", "?"}
)

func draw(r *rand.Rand, from []string, most int) []string {
	var out []string
	for range r.IntN(most + 1) {
		if v := from[r.IntN(len(from))]; !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// fill makes machines of random traits; some are archived.
func fill(t *testing.T, s *store.Store, r *rand.Rand, n int) {
	t.Helper()
	ctx := context.Background()
	for _, name := range drawnSites {
		must(t, s.SaveSite(ctx, org.Site{Name: name}))
	}
	for _, name := range drawnAreas {
		must(t, s.SaveArea(ctx, org.Area{Name: name}))
	}
	var facts []ingest.Machine
	for i := range n {
		m, err := s.CreateMachine(ctx, fleet.Machine{ID: uuid(i + 1), Hostname: drawnHosts[r.IntN(len(drawnHosts))], State: fleet.Active, EnrolledAt: noon})
		must(t, err)
		a := fleet.Assignment{Tags: draw(r, drawnTags, 2), Groups: draw(r, []string{"a mano", "otro"}, 2)}
		if i%3 > 0 {
			a.Site, a.Area = drawnSites[r.IntN(2)], drawnAreas[r.IntN(2)]
		}
		must(t, s.SetAssignment(ctx, m.ID, a))
		facts = append(facts, ingest.Machine{Machine: fleet.Machine{Row: m.Row, Hostname: m.Hostname, OS: drawnOS[r.IntN(len(drawnOS))], Model: drawnModel[r.IntN(len(drawnModel))]}})
		if i%7 == 6 {
			must(t, s.SetMachineState(ctx, m.ID, fleet.Archived, "archived-by", noon))
		}
	}
	must(t, s.InTx(ctx, func(ctx context.Context) error { return s.Save(ctx, &ingest.Changes{Facts: facts}) }))
}

// TestRulesSayTheSameInSQL compares what the database finds with what a machine's traits
// say, for many rules.
func TestRulesSayTheSameInSQL(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, r := context.Background(), rand.New(rand.NewPCG(7, 11))
		fill(t, s, r, 60)
		all, err := s.Machines(ctx, fleet.MachineFilter{})
		must(t, err)
		matched := 0
		for range 150 {
			rule := fleet.Rule{Sites: draw(r, append(drawnSites, "Nowhere"), 1), Areas: draw(r, drawnAreas, 1), OS: draw(r, patterns, 1), Models: draw(r, patterns, 1),
				Hostnames: draw(r, patterns, 2), Tags: draw(r, drawnTags, 1)}
			if rule.IsZero() {
				continue
			}
			g := fleet.NewGrouping([]fleet.Group{{Name: "it", Rule: rule}})
			var want []string
			for _, m := range all {
				if slices.Contains(g.Of(m.Traits()), "it") {
					want = append(want, m.ID)
				}
			}
			found, n, err := s.RuleMembers(ctx, rule, 1000)
			must(t, err)
			var got []string
			for _, m := range found {
				got = append(got, m.ID)
			}
			if !slices.Equal(got, want) || n != len(want) {
				t.Errorf("%+v: the database has %v (%d), the machines say %v", rule, got, n, want)
			}
			matched += n
		}
		if matched < 200 {
			t.Fatalf("the rules matched %d times: the test would prove nothing", matched)
		}
	})
}

func TestGroupsThereAndBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		fill(t, s, rand.New(rand.NewPCG(1, 2)), 30)
		g := fleet.Group{Name: "Portátiles", About: "los que viajan", Rule: fleet.Rule{Models: []string{"*thinkpad*"}}, CreatedAt: noon, CreatedBy: "cli:root", ChangedAt: noon, ChangedBy: "cli:root"}
		must(t, s.SaveGroup(ctx, g))
		row, err := s.GroupRow(ctx, "portatiles")
		must(t, err)
		members, err := s.Machines(ctx, fleet.MachineFilter{Group: "PORTÁTILES"})
		must(t, err)
		if row.Machines == 0 || row.Machines != len(members) || row.About != g.About || !row.CreatedAt.Equal(noon) || row.Row == 0 {
			t.Errorf("%+v, and %d machines are listed", row, len(members))
		}
		for _, m := range members {
			c, err := s.MachineContext(ctx, m.ID)
			if must(t, err); !slices.Contains(m.Groups, "Portátiles") || !slices.Equal(c.Groups, m.Groups) {
				t.Errorf("%s is in %v, and rules of the allowlist see %v", m.Hostname, m.Groups, c.Groups)
			}
		}
		sameNames(t, s)
		hand, err := s.GroupRow(ctx, "A MANO")
		must(t, err)
		listed, err := s.Machines(ctx, fleet.MachineFilter{Group: "a mano"})
		must(t, err)
		if hand.Row != 0 || hand.ByRule() || hand.Machines == 0 || hand.Machines != len(listed) {
			t.Errorf("by hand: %+v, %d listed", hand, len(listed))
		}
		// A rule takes the name of a group by hand; without it those by hand are back.
		must(t, s.SaveGroup(ctx, fleet.Group{Name: "a mano", Rule: fleet.Rule{Hostnames: []string{"none"}}, CreatedAt: noon, ChangedAt: noon}))
		if row, err := s.GroupRow(ctx, "a mano"); err != nil || row.Machines != 0 {
			t.Errorf("%+v %v", row, err)
		}
		must(t, s.SaveGroup(ctx, fleet.Group{Name: "a mano", ChangedAt: noon.Add(time.Hour)}))
		if row, err := s.GroupRow(ctx, "a mano"); err != nil || row.Machines != hand.Machines {
			t.Errorf("%+v %v, want %d again", row, err, hand.Machines)
		}
		must(t, s.DropGroup(ctx, "a mano"))
		_, err = s.GroupRow(ctx, "a mano")
		wantKey(t, err, apperr.NotFound, "group.unknown")
		if other, err := s.GroupRow(ctx, "otro"); err != nil || other.Machines == 0 {
			t.Errorf("the other group went too: %+v %v", other, err)
		}
	})
}

func TestAssignmentsThereAndBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		must(t, s.SaveSite(ctx, org.Site{Name: "Querétaro"}))
		must(t, s.SavePerson(ctx, org.Person{Email: "ana@example.com", Name: "Ana", Active: true}))
		m, err := s.CreateMachine(ctx, fleet.Machine{ID: uuid(1), Hostname: "pc-1", State: fleet.Active, EnrolledAt: noon})
		must(t, err)
		must(t, s.SetAssignment(ctx, m.ID, fleet.Assignment{Site: "queretaro", Person: "Ana@example.com", Tags: []string{"kiosco"}}))
		if m, err = s.Machine(ctx, m.ID); err != nil || m.Site != "Querétaro" || m.Person != "ana@example.com" || !slices.Equal(m.Tags, []string{"kiosco"}) {
			t.Errorf("%+v %v", m, err)
		}
		if found, err := s.Machines(ctx, fleet.MachineFilter{Tag: "KIOSCO"}); err != nil || len(found) != 1 {
			t.Errorf("by tag: %v %v", found, err)
		}
		wantKey(t, s.SetAssignment(ctx, m.ID, fleet.Assignment{Site: "Toluca"}), apperr.NotFound, "site.unknown")
		wantKey(t, s.SetAssignment(ctx, m.ID, fleet.Assignment{Area: "Ventas"}), apperr.NotFound, "area.unknown")
		wantKey(t, s.SetAssignment(ctx, m.ID, fleet.Assignment{Person: "x@example.com"}), apperr.NotFound, "person.unknown")
	})
}

func TestCommandsOfAMachine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		for n := 1; n <= 2; n++ {
			_, err := s.CreateMachine(ctx, fleet.Machine{ID: uuid(n), Hostname: fmt.Sprintf("pc-%d", n), State: fleet.Active, EnrolledAt: noon})
			must(t, err)
		}
		for i, id := range []string{"a", "b", "c"} {
			must(t, s.QueueCommand(ctx, fleet.Command{ID: id, Machine: uuid(1 + i/2), Kind: "report-now", CreatedAt: noon.Add(time.Duration(i) * time.Minute), CreatedBy: "cli:root"}))
		}
		must(t, s.FinishCommand(ctx, "a", false, "busy", noon.Add(time.Hour)))
		list, err := s.Commands(ctx, uuid(1), 10)
		if must(t, err); len(list) != 2 || list[0].ID != "b" || !list[0].DoneAt.IsZero() || list[1].Problem != "busy" || list[1].OK {
			t.Errorf("%+v", list)
		}
	})
}

// sameNames checks that the names alone are those of the groups that are counted.
func sameNames(t *testing.T, s *store.Store) {
	t.Helper()
	rows, err := s.GroupRows(t.Context())
	must(t, err)
	names, err := s.GroupNames(t.Context())
	must(t, err)
	var want, got []string
	for _, g := range rows {
		want = append(want, g.Name)
	}
	for _, g := range names {
		got = append(got, g.Name)
	}
	if len(want) < 3 || !slices.Equal(want, got) {
		t.Errorf("names %q, groups %q", got, want)
	}
}
