package org_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// commands is the context of whoever may run the collector's commands.
func commands() context.Context {
	return actor.With(context.Background(), actor.Actor{Kind: actor.CLI, ID: "root"})
}

const head = "email,name,area,site,remote,manager_email,primary_machine,role\n"

func importer(s *store.Store, told *int) *org.Importer {
	return &org.Importer{Tx: s, Store: s, Audit: s, Now: time.Now, Notify: func(context.Context) error { *told++; return nil }}
}

func parse(t *testing.T, text string) *org.File {
	t.Helper()
	f, err := org.ParseFile(strings.NewReader(head + text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, told := commands(), 0
		i := importer(s, &told)
		f := parse(t, "ana@example.com,Ana,Ventas,Querétaro,no,luis@example.com,pc-017,\nluis@example.com,Luis,Ventas,Querétaro,,,,area-manager\n")
		p, err := i.Preview(ctx, f)
		if err != nil || p.People.New != 2 || p.Areas.New != 1 || told != 0 {
			t.Fatalf("preview %+v %v", p, err)
		}
		if list, _ := s.People(ctx); len(list) != 0 {
			t.Fatal("a preview saved people")
		}
		if _, err := i.Import(ctx, f); err != nil || told != 1 {
			t.Fatalf("import: %v, told %d times", err, told)
		}
		p, err = i.Import(ctx, parse(t, "ana@example.com,Ana María,ventas,Querétaro,no,,pc-018,hr\n"))
		if err != nil || p.People.Changed != 1 || p.People.New != 0 || p.Areas.New != 0 {
			t.Fatalf("second import %+v %v", p, err)
		}
		ana, err := s.Person(ctx, "ana@example.com")
		if err != nil || ana.Name != "Ana María" || ana.Role != actor.HR {
			t.Errorf("ana is %+v, %v", ana, err)
		}
		areas, err := s.Areas(ctx)
		if err != nil || len(areas) != 1 || areas[0].Manager != "luis@example.com" {
			t.Errorf("areas %+v, %v: a file that names no manager takes none away", areas, err)
		}
	})
}

func TestImportOfAnUnknownManagerSavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		told := 0
		_, err := importer(s, &told).Import(commands(), parse(t, "ana@example.com,Ana,Ventas,Querétaro,no,ghost@example.com,,\n"))
		if err == nil || !strings.Contains(err.Error(), "ghost@example.com") {
			t.Errorf("%v", err)
		}
		if list, _ := s.People(context.Background()); len(list) != 0 || told != 0 {
			t.Errorf("%d people were saved, told %d times", len(list), told)
		}
	})
}
