package access_test

import (
	"context"
	"testing"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

func person(role actor.Role) actor.Actor {
	return actor.Actor{Kind: actor.Person, ID: "ana@example.com", Role: role}
}

// TestTable is the table a second time, role by role: E everything, M managed areas, O
// own, - nothing, in the order of access.Rights.
func TestTable(t *testing.T) {
	want := map[actor.Role]string{
		//                       counts machines programs findings ncs allowlist people agents settings audit requests | decide take-part review machines allowlist people roles settings
		actor.Administrator:     "EEEEEEEEEEE" + "EEEEEEEE",
		actor.Technician:        "EEEEEEEE--E" + "EEEEEE--",
		actor.AreaManager:       "-M-MM-----M" + "MM------",
		actor.HR:                "-O-OE-----O" + "-E------",
		actor.Purchasing:        "-OEOO-----O" + "EO------",
		actor.Treasury:          "-O-OO-----O" + "-O------",
		actor.GeneralManagement: "EO-OE-----O" + "-O------",
		actor.Employee:          "-O-OO-----O" + "-O------",
		actor.Auditor:           "EEEEEEEEEEE" + "-O------",
		"no-role":               "-----------" + "--------",
	}
	for _, role := range append(actor.Roles(), "no-role") {
		got := ""
		for _, right := range access.Rights() {
			got += string("-OME"[access.ReachOf(person(role), right)])
		}
		if got != want[role] {
			t.Errorf("%s: %s, want %s", role, got, want[role])
		}
	}
}

func TestOnlyPeopleAndCommandsHaveRights(t *testing.T) {
	for _, a := range []actor.Actor{{Kind: actor.Machine, ID: "m", Role: actor.Administrator}, {Kind: actor.System, ID: "ingest", Role: actor.Administrator}, actor.From(context.Background()), {}} {
		for _, right := range append(access.Rights(), access.Oneself) {
			if access.May(a, right) {
				t.Errorf("%s may %s", a, right)
			}
		}
		if !access.May(a, access.Anybody) {
			t.Errorf("%s may not what anybody may", a)
		}
	}
	for _, right := range access.Rights() {
		if access.ReachOf(actor.Actor{Kind: actor.CLI, ID: "root"}, right) != access.Everything {
			t.Errorf("commands may not %s", right)
		}
	}
}

func TestUnknownRightsAreNobodys(t *testing.T) {
	if access.May(person(actor.Administrator), "fly") || access.May(person(actor.Administrator), "") || access.Known("") || access.Known("fly") {
		t.Error("a right that is not in the table is given")
	}
}

func TestScope(t *testing.T) {
	for role, want := range map[actor.Role]access.Scope{
		actor.Administrator: {All: true}, actor.AreaManager: {Manager: "ana@example.com", Person: "ana@example.com"},
		actor.Employee: {Person: "ana@example.com"}, actor.Treasury: {Person: "ana@example.com"}, "no-role": {},
	} {
		if got := access.ScopeOf(person(role), access.SeeMachines); got != want {
			t.Errorf("%s: %+v", role, got)
		}
	}
	_, err := access.Need(actor.With(context.Background(), person(actor.HR)), access.SeePrograms)
	if !apperr.Is(err, apperr.Forbidden) {
		t.Errorf("%v", err)
	}
}
