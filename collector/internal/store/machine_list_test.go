package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// A page of machines must stay quick in a large fleet, wherever the page is. The plan
// is what is tested: an index in the list's order and no sort of the whole.
func TestMachineListReadsAnIndexInOrder(t *testing.T) {
	s := storetest.SQLite(t)
	for where, index := range map[string]string{
		"state <> 'archived' AND (hostname_fold, uuid) > ('pc', '0')":              "machine_hostname",
		"state = 'quarantined' AND (hostname_fold, uuid) > ('pc', '0')":            "machine_state",
		"state <> 'archived' AND site_id = 3 AND (hostname_fold, uuid) > ('', '')": "machine_site",
		"state <> 'archived' AND area_id = 3":                                      "machine_area",
	} {
		plan := explain(t, s, "SELECT id, site, person, last_seen FROM machine_view WHERE "+where+" ORDER BY hostname_fold, uuid LIMIT 100")
		if !contains(plan, "INDEX "+index) || contains(plan, "TEMP B-TREE") {
			t.Errorf("%s: plan %q", where, plan)
		}
	}
}

func BenchmarkMachinesPage(b *testing.B) {
	s := storetest.SQLite(b)
	ctx := context.Background()
	const fleetSize = 100000
	err := s.InTx(ctx, func(ctx context.Context) error {
		for n := range fleetSize {
			m := fleet.Machine{ID: uuid(n), Hostname: fmt.Sprintf("PC-%06d", n*7919%fleetSize), Site: fmt.Sprintf("Site %d", n%50), State: fleet.Active, EnrolledAt: noon}
			if _, err := s.CreateMachine(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]fleet.MachineFilter{
		"first 100": {Limit: 100}, "middle 100": {Limit: 100, After: uuid(50000)}, "site 100": {Limit: 100, Site: "site 7"}, "query none": {Limit: 100, Query: "no such"},
	} {
		b.Run(name, func(b *testing.B) { page(b, s, f) })
	}
}

func page(b *testing.B, s *store.Store, f fleet.MachineFilter) {
	for b.Loop() {
		if _, err := s.Machines(context.Background(), f); err != nil {
			b.Fatal(err)
		}
	}
}

// explain returns SQLite's plan of a query, line by line.
func explain(t *testing.T, s *store.Store, query string) []string {
	t.Helper()
	found, err := s.Writer().QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query)
	must(t, err)
	defer found.Close()
	var plan []string
	for found.Next() {
		var id, parent, unused int
		var line string
		must(t, found.Scan(&id, &parent, &unused, &line))
		plan = append(plan, line)
	}
	must(t, found.Err())
	return plan
}

func contains(lines []string, part string) bool {
	for _, l := range lines {
		if strings.Contains(l, part) {
			return true
		}
	}
	return false
}
