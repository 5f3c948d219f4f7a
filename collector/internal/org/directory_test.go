package org_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

func directory(s *store.Store, told *int) *org.Directory {
	return &org.Directory{Tx: s, Store: s, Lister: s, Audit: s, Now: time.Now, Notify: func(context.Context) error { *told++; return nil }}
}

func as(role actor.Role) context.Context {
	return actor.With(context.Background(), actor.Actor{Kind: actor.Person, ID: "me@example.com", Role: role})
}

// keys are the problems of err as "field key", in order.
func keys(err error) string {
	var list org.Problems
	if !errors.As(err, &list) {
		return fmt.Sprint(err)
	}
	var out []string
	for _, p := range list {
		out = append(out, strings.TrimSpace(p.Field+" "+strings.TrimPrefix(p.Key, "org.problem.")))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestDirectoryIsChangedOneByOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		told, ctx := 0, as(actor.Administrator)
		d := directory(s, &told)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(d.AddSite(ctx, org.Site{Name: " Querétaro  centro ", Zone: "America/Mexico_City"}))
		must(d.AddArea(ctx, org.Area{Name: "Ventas"}))
		must(d.AddPerson(ctx, org.Person{Email: " Ana@Example.com ", Name: "Ana Núñez", Area: "ventas", Site: "queretaro CENTRO", Role: actor.HR, Active: true}))
		must(d.ChangeArea(ctx, "ventas", org.Area{Name: "Ventas y postventa", Manager: "ANA@example.com"}))
		must(d.ChangeSite(ctx, "Querétaro centro", org.Site{Name: "Querétaro", Remote: true, Zone: "America/Tijuana"}))
		must(d.ChangePerson(ctx, org.Person{Email: "ana@example.com", Name: "Ana María", Area: "Ventas y postventa", Site: "Querétaro", Role: actor.AreaManager}))
		ana, err := s.Person(ctx, "ana@example.com")
		want := org.Person{Email: "ana@example.com", Name: "Ana María", Area: "Ventas y postventa", Site: "Querétaro", Role: actor.AreaManager, Active: true}
		if err != nil || ana != want {
			t.Errorf("ana is %+v %v", ana, err)
		}
		areas, err := d.AreaRows(ctx)
		if err != nil || len(areas) != 1 || areas[0].ManagerName != "Ana María" || areas[0].People != 1 {
			t.Errorf("areas %+v %v", areas, err)
		}
		sites, err := d.SiteRows(ctx)
		if err != nil || len(sites) != 1 || (sites[0].Site != org.Site{Name: "Querétaro", Remote: true, Zone: "America/Tijuana"}) {
			t.Errorf("sites %+v %v", sites, err)
		}
		must(d.SetPersonActive(ctx, "ana@example.com", false))
		must(d.SetPersonActive(ctx, "ana@example.com", true)) // undone
		before := told
		must(d.SetPersonActive(ctx, "ana@example.com", true))
		if told != before || told != 8 {
			t.Errorf("told %d times of 8 changes", told)
		}
		entries, err := s.AuditList(ctx, audit.Filter{Object: "person/"})
		if err != nil || len(entries) != 4 || entries[3].Action != "person.create" || entries[0].Actor != "person:me@example.com" {
			t.Errorf("%d entries %v", len(entries), err)
		}
	})
}

func TestFormsTellEveryProblem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		told, ctx := 0, as(actor.Administrator)
		d := directory(s, &told)
		for _, x := range []struct {
			err  error
			want string
		}{
			{d.AddSite(ctx, org.Site{Name: "A"}), "<nil>"},
			{d.AddArea(ctx, org.Area{Name: "A"}), "<nil>"},
			{d.AddPerson(ctx, org.Person{Email: "old@example.com", Name: "Old"}), "<nil>"},
			{d.AddSite(ctx, org.Site{Name: " á ", Zone: "Mars/Olympus"}), "name name-taken, zone zone"},
			{d.AddSite(ctx, org.Site{Zone: "Local"}), "name empty, zone zone"},
			{d.AddArea(ctx, org.Area{Name: "a", Manager: "ghost@example.com"}), "manager_email no-person, name name-taken"},
			{d.AddArea(ctx, org.Area{Name: "B\x00", Manager: "old@example.com"}), "manager_email person-inactive, name text"},
			{d.AddPerson(ctx, org.Person{Email: "x", Role: "king", Area: "Z", Site: "Z", PrimaryMachine: "a\x00"}), "area no-area, email email, name empty, primary_machine text, role role, site no-site"},
			{d.AddPerson(ctx, org.Person{Email: "OLD@example.com", Name: "Again"}), "email known"},
		} {
			if got := keys(x.err); got != x.want {
				t.Errorf("%s, want %s", got, x.want)
			}
		}
		if err := d.ChangeArea(ctx, "none", org.Area{Name: "x"}); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("an unknown area: %v", err)
		}
		if err := d.ChangePerson(ctx, org.Person{Email: "none@example.com", Name: "x"}); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("an unknown person: %v", err)
		}
		if told != 3 {
			t.Errorf("told %d times", told)
		}
	})
}

// TestNobodyRaisesThemselves shows that a technician keeps the directory but not the
// roles in it, and that nobody takes their own away.
func TestNobodyRaisesThemselves(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		told, ctx := 0, as(actor.Technician)
		d := directory(s, &told)
		for _, p := range []org.Person{{Email: "me@example.com", Name: "Me", Role: actor.Technician, Active: true}, {Email: "boss@example.com", Name: "Boss", Role: actor.Administrator, Active: true},
			{Email: "eva@example.com", Name: "Eva", Role: actor.Employee, Active: true}} {
			if err := s.SavePerson(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		refused := map[string]error{
			"own role":       d.ChangePerson(ctx, org.Person{Email: "me@example.com", Name: "Me", Role: actor.Administrator}),
			"another's role": d.ChangePerson(ctx, org.Person{Email: "eva@example.com", Name: "Eva", Role: actor.Administrator}),
			"a new one":      d.AddPerson(ctx, org.Person{Email: "n@example.com", Name: "N", Role: actor.Administrator}),
			"demotion":       d.ChangePerson(ctx, org.Person{Email: "boss@example.com", Name: "Boss", Role: actor.Employee}),
			"end of another": d.SetPersonActive(ctx, "boss@example.com", false),
			"own end":        d.SetPersonActive(ctx, "me@example.com", false),
		}
		for what, err := range refused {
			if err == nil {
				t.Errorf("%s: allowed", what)
			}
		}
		for what, err := range map[string]error{
			"a name":             d.ChangePerson(ctx, org.Person{Email: "boss@example.com", Name: "The Boss", Role: actor.Administrator}),
			"end of an employee": d.SetPersonActive(ctx, "eva@example.com", false),
			"a new employee":     d.AddPerson(ctx, org.Person{Email: "n@example.com", Name: "N"}),
		} {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		i := importer(s, &told)
		p, err := i.Preview(ctx, parse(t, "eva@example.com,Eva,,,,,,administrator\nboss@example.com,Boss,,,,,,\n"))
		if err != nil || keys(p.Problems) != "role role-right" {
			t.Errorf("import: %v %v", keys(p.Problems), err)
		}
		if _, err := i.Import(ctx, parse(t, "eva@example.com,Eva,,,,,,administrator\n")); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("import: %v", err)
		}
		admin := as(actor.Administrator)
		if err := d.ChangePerson(admin, org.Person{Email: "me@example.com", Name: "Me", Role: actor.Employee}); keys(err) != "role own-role" {
			t.Errorf("an administrator's own role: %v", err)
		}
		if boss, _ := s.Person(ctx, "boss@example.com"); boss.Role != actor.Administrator || !boss.Active {
			t.Errorf("the boss is %+v", boss)
		}
	})
}

func TestTheDirectoryAsksForRights(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		told := 0
		d, i := directory(s, &told), importer(s, &told)
		drafts := &org.Drafts{Importer: i, Store: s, NewID: func() string { return "1" }}
		f := parse(t, "ana@example.com,Ana,,,,,,\n")
		for _, role := range actor.Roles() {
			ctx := as(role)
			_, sites := d.SiteRows(ctx)
			_, site := d.SiteRow(ctx, 1)
			_, areas := d.AreaRows(ctx)
			_, area := d.AreaRow(ctx, 1)
			_, person := d.PersonRow(ctx, 1)
			_, people := d.PersonPage(ctx, org.PersonFilter{}, paging.Order{})
			_, count := d.CountPeople(ctx, org.PersonFilter{}, 1)
			reads := role == actor.Administrator || role == actor.Technician || role == actor.Auditor
			for n, err := range []error{sites, site, areas, area, person, people, count} {
				if reads == apperr.Is(err, apperr.Forbidden) {
					t.Errorf("%s: read %d: %v", role, n, err)
				}
			}
			_, preview := i.Preview(ctx, f)
			_, imported := i.Import(ctx, f)
			_, brought := drafts.Bring(ctx, "f", f)
			_, _, looked := drafts.Look(ctx, "none")
			_, confirmed := drafts.Confirm(ctx, "none")
			changes := role == actor.Administrator || role == actor.Technician
			for n, err := range []error{preview, imported, brought, looked, confirmed, d.AddSite(ctx, org.Site{}), d.ChangeSite(ctx, "x", org.Site{}), d.AddArea(ctx, org.Area{}),
				d.ChangeArea(ctx, "x", org.Area{}), d.AddPerson(ctx, org.Person{}), d.ChangePerson(ctx, org.Person{}), d.SetPersonActive(ctx, "x", false)} {
				if changes == apperr.Is(err, apperr.Forbidden) {
					t.Errorf("%s: change %d: %v", role, n, err)
				}
			}
		}
	})
}

func TestPeopleAreListed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := as(actor.Auditor)
		for n := range 25 {
			p := org.Person{Email: fmt.Sprintf("p%02d@example.com", n), Name: fmt.Sprintf("Persona %02d", n%7), Role: actor.Employee, Active: n%5 != 0}
			if n%2 == 0 {
				p.Area, p.Site = "Ñandú", "Mérida"
			}
			if err := s.SavePerson(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		told := 0
		d := directory(s, &told)
		for _, by := range []string{"", "name", "email", "area", "site", "role", "machine", "machines", "active"} {
			for _, desc := range []bool{false, true} {
				seen := map[string]bool{}
				o := paging.Order{By: by, Desc: desc, Limit: 4}
				for range 20 {
					page, err := d.PersonPage(ctx, org.PersonFilter{}, o)
					if err != nil {
						t.Fatalf("%s: %v", by, err)
					}
					for _, r := range page.Rows {
						seen[r.Email] = true
					}
					if o.After = page.Next; o.After.IsZero() {
						break
					}
				}
				if len(seen) != 25 {
					t.Errorf("by %q desc %v: %d of 25 people", by, desc, len(seen))
				}
			}
		}
		for want, f := range map[int]org.PersonFilter{13: {Area: "nandu"}, 5: {Inactive: true}, 20: {Active: true}, 1: {Query: "P03@"}, 4: {Query: "persona 00"}, 0: {Role: actor.HR}, 3: {Site: "MERIDA", Inactive: true}} {
			if n, err := d.CountPeople(ctx, f, 100); err != nil || n != want {
				t.Errorf("%+v: %d, want %d, %v", f, n, want, err)
			}
		}
		if _, err := d.PersonRow(ctx, 999); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}
