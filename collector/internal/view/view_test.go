package view_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/view"
)

var at = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func id(n int) string { return fmt.Sprintf("0190a1b2-0000-7000-8000-%012d", n) }

// fill makes two areas with a manager each, three machines of the first, one of the
// second and one of none, and a record for each machine with a person.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	must(s.SaveArea(ctx, org.Area{Name: "Ventas", Manager: "marta@example.com"}))
	must(s.SaveArea(ctx, org.Area{Name: "Compras", Manager: "pablo@example.com"}))
	must(s.SaveArea(ctx, org.Area{Name: "Sin jefe"}))
	for email, area := range map[string]string{"ana@example.com": "Ventas", "luis@example.com": "Ventas", "marta@example.com": "Ventas", "pablo@example.com": "Compras"} {
		must(s.SavePerson(ctx, org.Person{Email: email, Name: email, Area: area, Role: actor.Employee, Active: true}))
	}
	for n, m := range []fleet.Machine{
		{Hostname: "pc-1", Area: "Ventas", Person: "ana@example.com"}, {Hostname: "pc-2", Area: "Ventas", Person: "luis@example.com"}, {Hostname: "pc-3", Area: "Ventas"},
		{Hostname: "pc-4", Area: "Compras", Person: "marta@example.com"}, {Hostname: "pc-5", Area: "Sin jefe"},
	} {
		m.ID, m.State, m.EnrolledAt = id(n+1), fleet.Active, at
		_, err := s.CreateMachine(ctx, m)
		must(err)
		_, err = s.Nonconformities().Create(ctx, nonconformity.Nonconformity{State: nonconformity.Open, Machine: m.ID, Hostname: m.Hostname, Person: m.Person, Area: m.Area, OpenedAt: at})
		must(err)
	}
}

func as(t *testing.T, role actor.Role, email string) context.Context {
	return actor.With(t.Context(), actor.Actor{Kind: actor.Person, ID: email, Role: role})
}

// scopes are who sees which machines; a record has the number of its machine.
var scopes = []struct {
	role     actor.Role
	email    string
	machines []int
	records  []int
}{
	{actor.Administrator, "x@example.com", []int{1, 2, 3, 4, 5}, []int{1, 2, 3, 4, 5}},
	{actor.Technician, "x@example.com", []int{1, 2, 3, 4, 5}, []int{1, 2, 3, 4, 5}},
	{actor.Auditor, "x@example.com", []int{1, 2, 3, 4, 5}, []int{1, 2, 3, 4, 5}},
	{actor.AreaManager, "marta@example.com", []int{1, 2, 3, 4}, []int{1, 2, 3, 4}}, // 4 is her own, of another area
	{actor.AreaManager, "pablo@example.com", []int{4}, []int{4}},
	{actor.AreaManager, "nobody@example.com", nil, nil},
	{actor.AreaManager, "", nil, nil}, // an area without a manager is not that of a manager without an address
	{actor.Employee, "ana@example.com", []int{1}, []int{1}},
	{actor.Employee, "marta@example.com", []int{4}, []int{4}}, // manages an area, but has not the role
	{actor.Employee, "", nil, nil},
	{actor.HR, "x@example.com", nil, []int{1, 2, 3, 4, 5}},
	{actor.HR, "ana@example.com", []int{1}, []int{1, 2, 3, 4, 5}}, // everybody's records, and her own machine
	{actor.GeneralManagement, "x@example.com", nil, []int{1, 2, 3, 4, 5}},
	{actor.Purchasing, "x@example.com", nil, nil},
	{actor.Treasury, "x@example.com", nil, nil},
	{actor.Treasury, "luis@example.com", []int{2}, []int{2}},
	{"", "luis@example.com", nil, nil},
}

func TestMachinesInScope(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fill(t, s)
		r := view.New(s)
		for _, x := range scopes {
			who, ctx := string(x.role)+" "+x.email, as(t, x.role, x.email)
			var want []string
			for _, n := range x.machines {
				want = append(want, id(n))
			}
			list, err := r.Machines(ctx, fleet.MachineFilter{})
			may := access.May(actor.From(ctx), access.SeeMachines)
			if may != (err == nil) || !may && !apperr.Is(err, apperr.Forbidden) {
				t.Errorf("%s: listing: %v", who, err)
			}
			if got := ids(list); !slices.Equal(got, want) {
				t.Errorf("%s sees %v, want %v", who, got, want)
			}
			page, _ := r.MachinePage(ctx, fleet.MachineFilter{}, paging.Order{By: "findings"})
			count, _ := r.CountMachines(ctx, fleet.MachineFilter{}, 100)
			if len(page.Rows) != len(want) || count != len(want) {
				t.Errorf("%s: page of %d, count %d, want %d", who, len(page.Rows), count, len(want))
			}
			for n := 1; n <= 5; n++ {
				wantErr := apperr.NotFound
				if !may {
					wantErr = apperr.Forbidden
				}
				if slices.Contains(x.machines, n) {
					wantErr = ""
				}
				_, one := r.Machine(ctx, id(n))
				_, docs := r.Documents(ctx, id(n))
				_, installs := r.Installs(ctx, id(n))
				_, events := r.Events(ctx, id(n), time.Time{}, 10)
				for what, err := range map[string]error{"machine": one, "documents": docs, "installs": installs, "events": events} {
					if apperr.CodeOf(err) != wantErr {
						t.Errorf("%s: %s of machine %d: %v, want %q", who, what, n, err, wantErr)
					}
				}
			}
			if _, err := r.Machine(ctx, ""); err == nil {
				t.Errorf("%s: no id names a machine", who)
			}
		}
	})
}

func ids(list []fleet.Machine) (out []string) {
	for _, m := range list {
		out = append(out, m.ID)
	}
	return out
}

func TestRecordsInScope(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fill(t, s)
		r := view.NewRecords(s.Nonconformities())
		for _, x := range scopes {
			who, ctx := string(x.role)+" "+x.email, as(t, x.role, x.email)
			list, _ := r.List(ctx, nonconformity.Filter{})
			page, _ := r.Page(ctx, nonconformity.Filter{}, paging.Order{By: "machine"})
			count, _ := r.Count(ctx, nonconformity.Filter{}, 100)
			if len(list) != len(x.records) || len(page.Rows) != len(x.records) || count != len(x.records) {
				t.Errorf("%s: list of %d, page of %d, count %d, want %d", who, len(list), len(page.Rows), count, len(x.records))
			}
			for n := 1; n <= 5; n++ {
				_, err := r.ByNumber(ctx, nonconformity.FormatNumber(2026, n))
				if seen := err == nil; seen != slices.Contains(x.records, n) {
					t.Errorf("%s: record %d: %v", who, n, err)
				}
			}
		}
	})
}

func TestFindingsNeedTheirMachine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fill(t, s)
		r := view.New(s)
		for _, x := range scopes {
			ctx := as(t, x.role, x.email)
			_, err := r.Findings(ctx, authorization.FindingFilter{})
			if access.May(actor.From(ctx), access.SeeFindings) != (err == nil) {
				t.Errorf("%s %s: %v", x.role, x.email, err)
			}
			if _, err := r.FindingCounts(ctx); access.May(actor.From(ctx), access.SeeFindings) != (err == nil) {
				t.Errorf("%s %s: counts: %v", x.role, x.email, err)
			}
		}
	})
}

func TestNobodysContextSeesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := view.New(s)
		if _, err := r.Machines(t.Context(), fleet.MachineFilter{}); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("machines: %v", err)
		}
		if _, err := r.Titles(t.Context(), fleet.TitleFilter{}); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("programs: %v", err)
		}
	})
}
