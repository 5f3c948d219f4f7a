package ingest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// TestRecordsByHand opens nonconformities for findings of monitor mode and takes them
// back.
func TestRecordsByHand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := actor.With(context.Background(), actor.Actor{Kind: actor.Person, ID: "ana@example.com", Role: actor.Technician})
		var list []inventory.Program
		for i := range 40 { // more names than one line of history holds
			list = append(list, prog(fmt.Sprintf("un programa con un nombre largo %02d", i), "1", "file"))
		}
		in := fleetOf(t, s, at(time.Hour), 2, list)
		save(t, s, authorization.Allowlist{Mode: authorization.Monitor, Rules: []policy.Rule{}})
		if _, err := in.Reevaluate(ctx, 0); err != nil {
			t.Fatal(err)
		}
		found, err := s.Findings(ctx, authorization.FindingFilter{State: authorization.Open})
		if err != nil || len(found) != 80 {
			t.Fatalf("%d findings, %v", len(found), err)
		}
		numbers, err := in.OpenRecords(ctx, found)
		if err != nil || len(numbers) != 80 {
			t.Fatalf("%d joined, %v", len(numbers), err)
		}
		if again, err := in.OpenRecords(ctx, found); err != nil || len(again) != 80 {
			t.Fatalf("%d, %v", len(again), err)
		}
		records, err := s.Nonconformities().List(ctx, nonconformity.Filter{})
		if err != nil || len(records) != 2 || len(records[0].Programs) != 40 || len(records[0].Evidence) != 40 || records[0].Evidence[0].Report == "" {
			t.Fatalf("%d records, %v: %+v", len(records), err, records)
		}
		n, err := s.Nonconformities().ByNumber(ctx, numbers[found[0].Row])
		if err != nil || n.History[0].Actor != "person:ana@example.com" || n.History[0].Kind != "opened" {
			t.Fatalf("%+v, %v", n, err)
		}
		taken, err := in.WithdrawRecords(ctx, found)
		if err != nil || taken != 80 {
			t.Fatalf("%d taken back, %v", taken, err)
		}
		n, err = s.Nonconformities().ByNumber(ctx, n.Number)
		if err != nil || n.State != nonconformity.Withdrawn || n.History[len(n.History)-1].Kind != "withdrawn" || n.Programs[0].State != "withdrawn" {
			t.Fatalf("%+v, %v", n, err)
		}
		if f, err := s.Finding(ctx, found[0].Row); err != nil || f.Nonconformity != "" || f.State != authorization.Open {
			t.Fatalf("%+v, %v", f, err)
		}
		one, err := in.OpenRecords(ctx, found[:1])
		if err != nil || len(one) != 1 || one[found[0].Row] == n.Number {
			t.Fatalf("a withdrawn record takes nothing more: %v, %v", one, err)
		}
		if problems, err := s.CheckInventory(ctx); err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
	})
}

// TestOnlyByHandIsTakenBack keeps what enforce opened.
func TestOnlyByHandIsTakenBack(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := context.Background()
	save(t, s, authorization.Allowlist{Mode: authorization.Enforce, Rules: []policy.Rule{}})
	in := fleetOf(t, s, at(0), 1, []inventory.Program{prog("juego", "1", "file")})
	found, err := s.Findings(ctx, authorization.FindingFilter{State: authorization.Open})
	if err != nil || len(found) != 1 || found[0].Nonconformity == "" {
		t.Fatalf("%+v, %v", found, err)
	}
	if n, err := in.WithdrawRecords(ctx, found); !apperr.Is(err, apperr.Conflict) {
		t.Fatalf("%d taken back, %v", n, err)
	}
}
