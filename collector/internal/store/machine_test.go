package store_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

func ids(machines []fleet.Machine) (out []string) {
	for _, m := range machines {
		out = append(out, m.Hostname)
	}
	return out
}

func TestMachineThereAndBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		must(t, s.SavePerson(ctx, org.Person{Email: "ana@example.com", Name: "Ana", Active: true}))
		want := fleet.Machine{
			ID: uuid(1), Hostname: "PC-Ñandú", Serial: "sn-1", UUID: "hw-1", MachineID: "mid-1", OS: "Debian 12", Site: "Querétaro", Area: "Sistemas",
			Person: "ana@example.com", State: fleet.Active, EnrolledAt: noon,
		}
		got, err := s.CreateMachine(ctx, want)
		must(t, err)
		want.Row, want.StateAt = got.Row, noon
		for name, read := range map[string]func() (fleet.Machine, error){
			"created":  func() (fleet.Machine, error) { return got, nil },
			"id":       func() (fleet.Machine, error) { return s.Machine(ctx, uuid(1)) },
			"hostname": func() (fleet.Machine, error) { return s.FindMachine(ctx, "pc-nandu") },
			"hardware": func() (fleet.Machine, error) { return s.MachineByHardware(ctx, "sn-1", "hw-1") },
		} {
			if m, err := read(); err != nil || !reflect.DeepEqual(m, want) {
				t.Errorf("by %s: got %+v, %v\nwant %+v", name, m, err, want)
			}
		}
		_, err = s.Machine(ctx, uuid(2))
		wantKey(t, err, apperr.NotFound, "machine.unknown")
		_, err = s.MachineByHardware(ctx, "", "")
		wantKey(t, err, apperr.NotFound, "machine.unknown")
		_, err = s.CreateMachine(ctx, want)
		wantKey(t, err, apperr.Conflict, "store.exists")

		must(t, s.SetMachineFacts(ctx, uuid(1), "pc-2", "sn-2", "hw-2", "mid-2", "Debian 13"))
		must(t, s.SetMachineState(ctx, uuid(1), fleet.Revoked, "revoked-by", noon.Add(time.Hour)))
		m, err := s.FindMachine(ctx, "PC-2")
		if err != nil || m.Serial != "sn-2" || m.UUID != "hw-2" || m.MachineID != "mid-2" || m.OS != "Debian 13" || m.State != fleet.Revoked || m.StateReason != "revoked-by" {
			t.Errorf("after changes: %+v, %v", m, err)
		}
		wantKey(t, s.SetMachineState(ctx, uuid(9), fleet.Revoked, "", noon), apperr.NotFound, "machine.unknown")
	})
}

func TestFindMachineAmongSeveral(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		for n := 1; n <= 2; n++ {
			_, err := s.CreateMachine(ctx, fleet.Machine{ID: uuid(n), Hostname: "same", State: fleet.Active, EnrolledAt: noon})
			must(t, err)
		}
		_, err := s.FindMachine(ctx, "SAME")
		wantKey(t, err, apperr.Conflict, "machine.several")
		must(t, s.SetMachineState(ctx, uuid(1), fleet.Archived, "", noon))
		if m, err := s.FindMachine(ctx, "same"); err != nil || m.ID != uuid(2) {
			t.Errorf("got %s, %v", m.ID, err)
		}
	})
}

func TestMachineListPagesAndFilters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		sites := []string{"Querétaro", "León", ""}
		must(t, s.InTx(ctx, func(ctx context.Context) error {
			for n := range 30 {
				m := fleet.Machine{ID: uuid(n), Hostname: fmt.Sprintf("PC-%02d", (n*7)%30/2), Serial: fmt.Sprintf("S%d", n), Site: sites[n%3], Area: "Área " + sites[n%3], State: fleet.Active, EnrolledAt: noon}
				if n == 29 {
					m.State = fleet.Archived
				}
				if _, err := s.CreateMachine(ctx, m); err != nil {
					return err
				}
			}
			return nil
		}))
		all, err := s.Machines(ctx, fleet.MachineFilter{})
		must(t, err)
		if len(all) != 29 {
			t.Fatalf("%d machines", len(all))
		}
		var paged []fleet.Machine
		for f := (fleet.MachineFilter{Limit: 4}); ; f.After = paged[len(paged)-1].ID {
			page, err := s.Machines(ctx, f)
			must(t, err)
			if len(page) == 0 {
				break
			}
			paged = append(paged, page...)
		}
		if !reflect.DeepEqual(all, paged) {
			t.Errorf("pages differ from the whole:\n%v\n%v", ids(all), ids(paged))
		}
		for i := 1; i < len(all); i++ {
			if all[i-1].Hostname > all[i].Hostname || all[i-1].Hostname == all[i].Hostname && all[i-1].ID >= all[i].ID {
				t.Errorf("out of order at %d: %v", i, ids(all))
			}
		}
		for want, f := range map[int]fleet.MachineFilter{
			30: {Archived: true}, 1: {State: fleet.Archived}, 10: {Site: "QUERETARO"}, 0: {Site: "nowhere"}, 9: {Area: "area", State: fleet.Active, Query: "pc-_"},
		} {
			if f.Query != "" {
				f.Area, want = "area leon", 0 // "_" is no wildcard
			}
			if got, err := s.Machines(ctx, f); err != nil || len(got) != want {
				t.Errorf("%+v: %d machines, %v", f, len(got), err)
			}
		}
		if got, err := s.Machines(ctx, fleet.MachineFilter{Query: "leon"}); err != nil || len(got) != 10 {
			t.Errorf("query by site: %d, %v", len(got), err)
		}
		_, err = s.Machines(ctx, fleet.MachineFilter{After: "gone"})
		wantKey(t, err, apperr.NotFound, "page.unknown")
	})
}

func TestDuplicates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		for n, m := range []fleet.Machine{{Hostname: "a", Serial: "X"}, {Hostname: "A", Serial: "X"}, {Hostname: "b", Serial: "Y", UUID: "u"}, {Hostname: "c", UUID: "u"}, {Hostname: "d"}, {Hostname: "e"}} {
			m.ID, m.State, m.EnrolledAt = uuid(n), fleet.Active, noon
			_, err := s.CreateMachine(ctx, m)
			must(t, err)
		}
		found, err := s.Duplicates(ctx)
		must(t, err)
		got := map[string][]string{}
		for _, d := range found {
			got[d.Fact+" "+d.Value] = ids(d.Machines)
		}
		want := map[string][]string{"serial X": {"a", "A"}, "uuid u": {"b", "c"}, "hostname a": {"a", "A"}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %v", got)
		}
	})
}

func TestDirectory(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		must(t, s.SaveSite(ctx, org.Site{Name: "queretaro"}))
		must(t, s.SaveSite(ctx, org.Site{Name: "Querétaro", Remote: true}))
		must(t, s.SaveArea(ctx, org.Area{Name: "Ventas", Manager: "eva@example.com"}))
		if got, err := s.Sites(ctx); err != nil || !reflect.DeepEqual(got, []org.Site{{Name: "Querétaro", Remote: true}}) {
			t.Errorf("sites %v, %v", got, err)
		}
		ana := org.Person{Email: "Ana@Example.com", Name: "Ana", Area: "VENTAS", Site: "Querétaro", PrimaryMachine: "PC-001", Role: actor.Employee, Active: true}
		must(t, s.SavePerson(ctx, ana))
		must(t, s.SavePerson(ctx, org.Person{Email: "bob@example.com", PrimaryMachine: uuid(2), Role: actor.HR, Active: true}))
		must(t, s.SavePerson(ctx, org.Person{Email: "zoe@example.com", PrimaryMachine: "pc-001", Role: actor.HR, Active: true}))
		must(t, s.SavePerson(ctx, org.Person{Email: "old@example.com", PrimaryMachine: "pc-003"}))
		ana.Email, ana.Area = "ana@example.com", "Ventas"
		if got, err := s.Person(ctx, "ANA@example.com"); err != nil || got != ana {
			t.Errorf("person %+v, %v", got, err)
		}
		if got, err := s.PeopleByRole(ctx, actor.HR); err != nil || len(got) != 2 || got[0].Email != "bob@example.com" {
			t.Errorf("hr %+v, %v", got, err)
		}
		for n := 1; n <= 3; n++ {
			newMachine(t, s, n)
		}
		for _, want := range []int{2, 0} {
			if n, err := s.AssignPrimary(ctx); err != nil || n != want {
				t.Errorf("assigned %d, %v, want %d", n, err, want)
			}
		}
		if m, err := s.Machine(ctx, uuid(1)); err != nil || m.Person != "ana@example.com" || m.Area != "Ventas" || m.Site != "Querétaro" {
			t.Errorf("machine 1: %+v, %v", m, err)
		}
		if m, err := s.Machine(ctx, uuid(2)); err != nil || m.Person != "bob@example.com" {
			t.Errorf("machine 2: %+v, %v", m, err)
		}
		if m, err := s.Machine(ctx, uuid(3)); err != nil || m.Person != "" {
			t.Errorf("machine 3: %+v, %v", m, err)
		}
		wantKey(t, s.SavePerson(ctx, org.Person{Email: " "}), apperr.Invalid, "org.empty")
		_, err := s.Person(ctx, "nobody@example.com")
		wantKey(t, err, apperr.NotFound, "person.unknown")
	})
}
