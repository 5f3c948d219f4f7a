package allowlist_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/collector/internal/title"
	"vigia/internal/policy"
)

func allow(name, program string) policy.Rule {
	return policy.Rule{Name: name, Effect: policy.Allow, Match: policy.Match{Name: program}, Owner: "it@example.com", Reason: "ticket 12"}
}

// apply is an option that does it, from a version.
func apply(base int64) allowlist.Options {
	return allowlist.Options{Apply: true, MaxOpen: new(-1), Base: &base}
}

func TestRulesAreAddedChangedRemovedAndTakenBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, 3)
		step := func(what string, p allowlist.Plan, err error, version int64, open int) {
			t.Helper()
			if err != nil || !p.Applied || p.Version != version || b.open() != open {
				t.Fatalf("%s: %+v, %v; %d open, want version %d with %d", what, p, err, b.open(), version, open)
			}
		}
		p, err := b.SetMode(b.ctx(), authorization.Monitor, apply(0))
		step("monitor", p, err, 1, 6)
		p, err = b.AddRules(b.ctx(), []policy.Rule{allow("juegos", "juego"), allow("agente", "vigia-*")}, allowlist.Options{})
		if err != nil || p.Applied || p.Impact.Closes != 6 || p.Impact.ClosesMachines != 3 || len(p.Impact.ClosesByProgram) != 2 || p.Cover == nil || p.Cover.Installs != 6 || p.Cover.Programs != 2 || p.Cover.Machines != 3 {
			t.Fatalf("shown: %+v %+v, %v", p, p.Cover, err)
		}
		p, err = b.AddRules(b.ctx(), []policy.Rule{allow("juegos", "juego"), allow("agente", "vigia-*")}, apply(1))
		step("add", p, err, 2, 0)
		r, _, err := b.FindRule(b.ctx(), "JUEGOS")
		if err != nil || r.ID == "" {
			t.Fatalf("%+v, %v", r, err)
		}
		r.Scope.Machines = []string{"pc-1"}
		p, err = b.ChangeRule(b.ctx(), r.ID, r, apply(2))
		step("change", p, err, 3, 2)
		p, err = b.RemoveRules(b.ctx(), []string{"agente"}, apply(3))
		step("remove", p, err, 4, 5)
		if c, err := b.CoverOf(b.ctx(), "juegos"); err != nil || c.Installs != 1 || c.Names[0].Name != "Juego" {
			t.Fatalf("%+v, %v", c, err)
		}
		p, err = b.TakeBack(b.ctx(), 3, apply(4)) // not the newest: what came later stays
		step("take the change back", p, err, 5, 3)
		p, err = b.TakeBack(b.ctx(), 4, apply(5))
		step("take the removal back", p, err, 6, 0)
		if _, d, err := b.Version(b.ctx(), 6); err != nil || len(d.Added) != 1 || d.Added[0].Name != "agente" {
			t.Fatalf("%+v, %v", d, err)
		}
		if _, err := b.TakeBack(b.ctx(), 4, apply(6)); !apperr.Is(err, apperr.Conflict) {
			t.Fatalf("taken back twice: %v", err)
		}
		if n, err := s.VerifyAudit(b.ctx()); err != nil || n != 6 {
			t.Fatalf("%d audit entries, %v", n, err)
		}
	})
}

func TestTwoPeopleChangeAtOnce(t *testing.T) {
	b := newBench(t, storetest.SQLite(t), 1)
	if _, err := b.AddRules(b.ctx(), []policy.Rule{allow("a", "a")}, apply(0)); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"add":    second(b.AddRules(b.ctx(), []policy.Rule{allow("b", "b")}, apply(0))),
		"change": second(b.ChangeRule(b.ctx(), "a", allow("a", "c"), apply(0))),
		"remove": second(b.RemoveRules(b.ctx(), []string{"a"}, apply(0))),
		"mode":   second(b.SetMode(b.ctx(), authorization.Monitor, apply(0))),
		"back":   second(b.TakeBack(b.ctx(), 1, apply(0))),
	} {
		if !apperr.Is(err, apperr.Conflict) {
			t.Errorf("%s from an old version: %v", what, err)
		}
	}
}

func second(_ allowlist.Plan, err error) error { return err }

func TestRulesThatCannotBeKept(t *testing.T) {
	b := newBench(t, storetest.SQLite(t), 1)
	if _, err := b.AddRules(b.ctx(), []policy.Rule{allow("Café", "a")}, apply(0)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		rule  policy.Rule
		field string
	}{
		"a name in use, folded": {allow("CAFE", "b"), "name"},
		"covers all":            {allow("x", ""), "match"},
		"no version range":      {policy.Rule{Name: "x", Effect: policy.Allow, Match: policy.Match{Name: "a", Version: ">1 <"}}, "match.version"},
		"no effect":             {policy.Rule{Name: "x", Match: policy.Match{Name: "a"}}, "effect"},
		"period": {policy.Rule{Name: "x", Effect: policy.Deny, Match: policy.Match{Name: "a"}, ValidFrom: epoch.Add(time.Hour),
			ValidUntil: epoch}, "valid_until"},
	} {
		_, err := b.AddRules(b.ctx(), []policy.Rule{c.rule}, apply(1))
		if p := allowlist.ProblemsOf(err); !apperr.Is(err, apperr.Invalid) || len(p) == 0 || p[0].Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	for what, err := range map[string]error{
		"change": second(b.ChangeRule(b.ctx(), "none", allow("y", "y"), apply(1))),
		"remove": second(b.RemoveRules(b.ctx(), []string{"none"}, apply(1))),
	} {
		if !apperr.Is(err, apperr.NotFound) {
			t.Errorf("%s a rule that is not there: %v", what, err)
		}
	}
	if _, err := b.ChangeRule(b.ctx(), "café", allow("CAFÉ", "b"), apply(1)); err != nil {
		t.Errorf("its own name in capitals: %v", err)
	}
	if got := allowlist.FreeName("cafe", []policy.Rule{allow("Café", ""), allow("café (2)", "")}); got != "cafe (3)" {
		t.Error(got)
	}
}

func TestOnlyITChanges(t *testing.T) {
	b := newBench(t, storetest.SQLite(t), 1)
	for role, may := range map[actor.Role]bool{actor.Administrator: true, actor.Technician: true, actor.Auditor: false, actor.AreaManager: false, actor.Employee: false, "": false} {
		ctx := actor.With(context.Background(), actor.Actor{Kind: actor.Person, ID: "ana@example.com", Role: role})
		_, err := b.AddRules(ctx, []policy.Rule{allow("by the "+string(role)+".", "x")}, allowlist.Options{Apply: true})
		if may != (err == nil) || err != nil && !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("%q: %v", role, err)
		}
	}
}

func TestUsesAreCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, 2)
		if _, err := b.AddRules(b.ctx(), []policy.Rule{allow("agente", "vigia-*"), allow("nada", "nada")}, apply(0)); err != nil {
			t.Fatal(err)
		}
		agent, _, err := b.FindRule(b.ctx(), "agente")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(b.ctx(), time.Minute)
		defer cancel()
		for {
			u, err := b.Uses(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if u == nil {
				continue // Uses waits for a count that is being made
			}
			if len(u.ByRule) != 1 || u.ByRule[agent.ID].Machines != 2 || u.Version != 1 {
				t.Fatalf("%+v", u)
			}
			return
		}
	})
}

func TestWhatWasDoneToARule(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, 3)
		must := func(_ allowlist.Plan, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		none := -1
		apply := allowlist.Options{Apply: true, MaxOpen: &none}
		must(b.Import(b.ctx(), parse(t, file), "rules.yaml", apply))
		must(b.AddRules(b.ctx(), []policy.Rule{{Name: "juego", Effect: policy.Allow, Match: policy.Match{Name: "Juego"}}}, apply))
		rule, _, err := b.FindRule(b.ctx(), "juego")
		if err != nil {
			t.Fatal(err)
		}
		rule.Reason = "torneo"
		must(b.ChangeRule(b.ctx(), rule.ID, rule, apply))
		changes, more, err := b.RuleHistory(b.ctx(), rule.ID)
		if err != nil || more || len(changes) != 2 || changes[0].Kind != "changed" || changes[0].After.Reason != "torneo" || changes[1].Kind != "added" || changes[1].Version.Version != 2 {
			t.Fatalf("%+v, %v, %v", changes, more, err)
		}
		// what removing it would do names the machines; they are those that have it
		plan, err := b.RemoveRules(b.ctx(), []string{rule.ID}, allowlist.Options{})
		if err != nil || plan.Impact.Opens != 3 || plan.Impact.Machines != 3 || strings.Join(plan.Impact.Hostnames, " ") != "pc-1 pc-2 pc-3" {
			t.Errorf("removing: %+v, %v", plan.Impact, err)
		}
		if _, _, err := b.RuleHistory(context.Background(), rule.ID); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("for nobody: %v", err)
		}
	})
}

func TestVerdictOfATitlePerPlace(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s, 3)
		none := -1
		if _, err := b.AddRules(b.ctx(), []policy.Rule{
			{Name: "juego en dos", Effect: policy.Allow, Match: policy.Match{Name: "Juego"}, Scope: policy.Scope{Targets: policy.Targets{Machines: []string{"pc-1", "pc-2"}}}},
			{Name: "no en dos", Effect: policy.Deny, Match: policy.Match{Name: "Juego", Version: "0"}, Scope: policy.Scope{Targets: policy.Targets{Machines: []string{"pc-2"}}}},
		}, allowlist.Options{Apply: true, MaxOpen: &none}); err != nil {
			t.Fatal(err)
		}
		page, err := s.ShownTitlePage(b.ctx(), title.Filter{Query: "juego"}, paging.Order{})
		if err != nil || len(page.Rows) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		places, err := b.TitleVerdicts(b.ctx(), page.Rows[0].ID)
		if err != nil || len(places) == 0 || places[0].Kind != "all" || places[0].Machines != 3 || places[0].Has != 3 {
			t.Fatalf("%+v, %v", places, err)
		}
		got := map[policy.Kind]string{}
		for _, x := range places[0].Says {
			got[x.Verdict] = fmt.Sprintf("%s %d", x.RuleName, x.Has)
		}
		if got[policy.Authorized] != "juego en dos 1" || got[policy.Denied] != "no en dos 1" || got[policy.Unauthorized] != " 1" {
			t.Errorf("verdicts %v", got)
		}
		if list, err := b.TitleVerdicts(b.ctx(), 9999); err != nil || len(list) != 0 {
			t.Errorf("no such title: %+v, %v", list, err)
		}
	})
}
