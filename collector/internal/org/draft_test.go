package org_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

func TestAFileIsLookedAtThenConfirmed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		told, n, now := 0, 0, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		i := importer(s, &told)
		i.Now = func() time.Time { return now }
		d := &org.Drafts{Importer: i, Store: s, NewID: func() string { n++; return fmt.Sprint("draft-", n) }}
		ctx := as(actor.Administrator)
		f := parse(t, "ana@example.com,Ana,Ventas,Querétaro,no,,pc-017,hr\n")
		id, err := d.Bring(ctx, "people.csv", f)
		if err != nil {
			t.Fatal(err)
		}
		draft, p, err := d.Look(ctx, id)
		if err != nil || draft.Name != "people.csv" || p.People.New != 1 || p.Changes[2].Line != 2 || p.Changes[2].Fields[0] != (org.FieldChange{Field: "name", To: "Ana"}) {
			t.Fatalf("%+v %+v %v", draft, p, err)
		}
		other := as(actor.Administrator)
		other = actor.With(other, actor.Actor{Kind: actor.Person, ID: "other@example.com", Role: actor.Administrator})
		if _, _, err := d.Look(other, id); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("another person's look: %v", err)
		}
		if err := s.SavePerson(ctx, org.Person{Email: "ana@example.com", Name: "Anna", Role: actor.Employee, Active: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Confirm(ctx, id); !apperr.Is(err, apperr.Conflict) {
			t.Errorf("confirming what is no longer so: %v", err)
		}
		if _, p, err = d.Look(ctx, id); err != nil || p.People.Changed != 1 {
			t.Errorf("the second look: %+v %v", p, err)
		}
		if _, err := d.Confirm(ctx, id); err != nil || told != 1 {
			t.Errorf("confirming: %v, told %d times", err, told)
		}
		if ana, _ := s.Person(ctx, "ana@example.com"); ana.Name != "Ana" || ana.Role != actor.HR {
			t.Errorf("ana is %+v", ana)
		}
		if _, err := d.Confirm(ctx, id); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("confirming twice: %v", err)
		}
		first, err := d.Bring(ctx, "a", f)
		if err != nil {
			t.Fatal(err)
		}
		second, err := d.Bring(ctx, "b", f)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Look(ctx, first); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("the first of two: %v", err)
		}
		now = now.Add(org.DraftLife)
		if _, _, err := d.Look(ctx, second); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("after its time: %v", err)
		}
	})
}

// TestAWrongFileIsShownButNotTaken brings a file with problems of every stage.
func TestAWrongFileIsShownButNotTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		told := 0
		d := &org.Drafts{Importer: importer(s, &told), Store: s, NewID: func() string { return "x" }}
		ctx := as(actor.Administrator)
		f, err := org.ReadCSV(strings.NewReader(head + "ana@example.com,Ana,Ventas,,,ghost@example.com,,\nshort,row\nnobody,,,,,,,\n\"broken\n"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Bring(ctx, "x.csv", f); err != nil {
			t.Fatal(err)
		}
		_, p, err := d.Look(ctx, "x")
		if err != nil || keys(p.Problems) != "email email, fields, manager_email manager, name empty, quotes" || p.People.New != 1 {
			t.Errorf("%v %+v %v", keys(p.Problems), p, err)
		}
		if _, err := d.Confirm(ctx, "x"); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("confirming: %v", err)
		}
		if list, _ := s.People(ctx); len(list) != 0 || told != 0 {
			t.Errorf("%d people were saved", len(list))
		}
	})
}

// TestAFileTakesNothingAway shows what a file leaves alone that does not speak of it.
func TestAFileTakesNothingAway(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		told, ctx := 0, as(actor.Administrator)
		i := importer(s, &told)
		if err := s.SaveSite(ctx, org.Site{Name: "Querétaro", Remote: true, Zone: "America/Mexico_City"}); err != nil {
			t.Fatal(err)
		}
		if err := s.SavePerson(ctx, org.Person{Email: "ana@example.com", Name: "Ana", Site: "Querétaro", Role: actor.Administrator, Active: true}); err != nil {
			t.Fatal(err)
		}
		p, err := i.Import(ctx, parse(t, "ana@example.com,Ana,,QUERETARO,,,,\n"))
		if err != nil || p.Total() != 0 || told != 0 {
			t.Errorf("%+v %v", p, err)
		}
		sites, _ := s.Sites(ctx)
		if ana, _ := s.Person(ctx, "ana@example.com"); ana.Role != actor.Administrator || !sites[0].Remote || sites[0].Zone == "" {
			t.Errorf("%+v %+v", ana, sites)
		}
	})
}
