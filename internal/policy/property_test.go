package policy

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/internal/inventory"
)

// The generators draw from few values, so that rules often match.
func pick(t *rapid.T, label string, values ...string) string {
	return rapid.SampledFrom(values).Draw(t, label)
}

func drawTargets(t *rapid.T, label string) Targets {
	some := func(kind string, values ...string) []string {
		if rapid.IntRange(0, 3).Draw(t, label+kind+"?") > 0 {
			return nil
		}
		return rapid.SliceOfN(rapid.SampledFrom(values), 1, 2).Draw(t, label+kind)
	}
	return Targets{Sites: some("sites", "Querétaro", "Toluca"), Areas: some("areas", "Ventas", "Compras"), Groups: some("groups", "g1", "g2"),
		Machines: some("machines", "pc-1", "pc-*", "id2"), Users: some("users", "ana", "ana@example.com", "bob")}
}

func drawRule(t *rapid.T, i int) Rule {
	r := Rule{ID: fmt.Sprint(i), Name: pick(t, "rule", "A", "b", "Ç") + fmt.Sprint(i/2), Effect: Effect(pick(t, "effect", "allow", "deny")),
		Match: Match{Name: pick(t, "m.name", "", "a", "Á", "b", "a*", "*a", "*", "?b", "[ab]*", "ab"), Publisher: pick(t, "m.publisher", "", "", "", "P", "p*"),
			Version: pick(t, "m.version", "", "", "", "1.*", ">=1, <2", "2.0"), Source: pick(t, "m.source", "", "", "deb", "d*", "file"),
			Origin: pick(t, "m.origin", "", "", "", "Debian", "*bian"), Scope: pick(t, "m.scope", "", "", "", "machine", "user"),
			Path: pick(t, "m.path", "", "", "", "/opt/a", "/opt/*"), SHA256: pick(t, "m.sha256", "", "", "", hash), Signer: pick(t, "m.signer", "", "", "", "s")},
		ValidFrom: drawDay(t, "from"), ValidUntil: drawDay(t, "until"),
	}
	if rapid.Bool().Draw(t, "scoped") {
		r.Scope = Scope{Targets: drawTargets(t, ""), Except: drawTargets(t, "except ")}
	}
	if len(r.Validate()) > 0 { // covers everything, or dates the wrong way round
		r.Match.Name, r.ValidUntil = "a", time.Time{}
	}
	return r
}

func drawDay(t *rapid.T, label string) time.Time {
	if rapid.IntRange(0, 3).Draw(t, label+"?") > 0 {
		return time.Time{}
	}
	return noon.AddDate(0, 0, rapid.IntRange(-2, 2).Draw(t, label))
}

func drawRules(t *rapid.T) []Rule {
	rules := make([]Rule, rapid.IntRange(0, 12).Draw(t, "rules"))
	for i := range rules {
		rules[i] = drawRule(t, i)
	}
	return rules
}

func drawProgram(t *rapid.T) *inventory.Program {
	p := &inventory.Program{Name: pick(t, "name", "a", "A", "á", "b", "ab", "cb"), Version: pick(t, "version", "", "1.5", "2", "1:1.2-3"), Publisher: pick(t, "publisher", "", "p", "pq"),
		Origin: pick(t, "origin", "", "Debian", "Flathub"), Source: pick(t, "source", "deb", "file", "flatpak"), Scope: pick(t, "scope", "machine", "user"),
		Path: pick(t, "path", "", "/opt/a", "/opt/b"), SHA256: pick(t, "sha256", "", hash), Signer: pick(t, "signer", "", "S"),
		Requested: rapid.Bool().Draw(t, "requested"), Base: rapid.Bool().Draw(t, "base"), Hidden: rapid.Bool().Draw(t, "hidden")}
	if p.Scope == inventory.ScopeUser {
		p.User = pick(t, "user", "ana", "bob", `D\bob`)
	}
	return p
}

func drawMachine(t *rapid.T, vendor string) MachineContext {
	return MachineContext{ID: pick(t, "id", "id1", "id2"), Hostname: pick(t, "host", "pc-1", "PC-2.lan", "srv"), Site: pick(t, "site", "", "queretaro", "Toluca"),
		Area: pick(t, "area", "", "VENTAS", "Compras"), Groups: rapid.SampledFrom([][]string{nil, {"g1"}, {"G2", "g3"}}).Draw(t, "groups"),
		Person: pick(t, "person", "", "ana@example.com", "bob@example.com"), OSVendor: vendor}
}

func must(t *rapid.T, rules []Rule, baseline bool) *Compiled {
	c, err := Compile(&Document{Mode: Learn, Baseline: baseline, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// brute evaluates without index and without order of rules.
func brute(c *Compiled, p *inventory.Program, m MachineContext, at time.Time) Verdict {
	f, fm := &folded{p: p}, foldMachine(&m)
	var best *compiledRule
	for i := len(c.rules) - 1; i >= 0; i-- {
		r := &c.rules[i]
		if len(r.misses(f, &m, fm, at)) > 0 {
			continue
		}
		if best == nil {
			best = r
		} else if order, _ := compareRules(r, best); order < 0 {
			best = r
		}
	}
	if best == nil {
		return c.uncovered(p, fm.vendor)
	}
	return best.verdict()
}

func TestProperties(t *testing.T) {
	seen := map[Kind]int{}
	depends := 0
	check := func(t *rapid.T) {
		rules, baseline := drawRules(t), rapid.Bool().Draw(t, "baseline")
		c, p, m := must(t, rules, baseline), drawProgram(t), drawMachine(t, "debian")
		at := noon.Add(time.Duration(rapid.IntRange(-72, 72).Draw(t, "hours")) * time.Hour)
		v := c.Evaluate(p, m, at)
		seen[v.Kind]++

		if want := brute(c, p, m, at); v != want {
			t.Fatalf("index says %+v, brute force %+v", v, want)
		}
		if x := c.Explain(p, m, at); x.Verdict != v || len(x.Trials) != len(rules)+1 {
			t.Fatalf("explained as %+v, evaluated as %+v", x.Verdict, v)
		}
		for _, trial := range c.Explain(p, m, at).Trials {
			if trial.Effect == Deny && trial.Matches && v.Kind != Denied {
				t.Fatalf("deny rule %q matches, verdict %+v", trial.RuleName, v)
			}
		}
		shuffled := rapid.Permutation(rules).Draw(t, "permutation")
		if got := must(t, shuffled, baseline).Evaluate(p, m, at); got != v {
			t.Fatalf("other order of rules: %+v, was %+v", got, v)
		}
		if got := must(t, RulesFor(rules, m), baseline).Evaluate(p, m, at); got != v {
			t.Fatalf("with the machine's own rules: %+v, was %+v", got, v)
		}
		unrelated := Rule{Name: "0 unrelated", Effect: Deny, Match: Match{Name: "zzz"}}
		if got := must(t, append(rules[:len(rules):len(rules)], unrelated), baseline).Evaluate(p, m, at); got != v {
			t.Fatalf("with an unrelated rule: %+v, was %+v", got, v)
		}
		item, dependsOnMachine := c.EvaluateItem(p, "debian", at)
		if !dependsOnMachine && item != v {
			t.Fatalf("for every machine %+v, for this one %+v", item, v)
		}
		if dependsOnMachine {
			depends++
		}
		next := c.NextBoundary(at)
		if !next.IsZero() && !next.After(at) {
			t.Fatalf("next boundary %s is not after %s", next, at)
		}
		until := at.Add(100 * 24 * time.Hour)
		if !next.IsZero() {
			until = next.Add(-1)
		}
		if got := c.Evaluate(p, m, until); got != v {
			t.Fatalf("before the next boundary: %+v, was %+v", got, v)
		}
	}
	for range 10 { // each is 100 draws with a seed of its own
		rapid.Check(t, check)
	}
	for _, k := range []Kind{Authorized, Unauthorized, Denied} {
		if seen[k] < 30 {
			t.Errorf("only %d verdicts %q: the generators prove little", seen[k], k)
		}
	}
	if depends < 30 {
		t.Errorf("only %d depend on the machine: the generators prove little", depends)
	}
}

func TestDependsOnMachineOnlyWhenTheDecidingRuleIsScoped(t *testing.T) {
	scoped := Rule{Name: "here", Effect: Allow, Match: Match{Name: "firefox", Source: "deb"}, Scope: Scope{Targets: Targets{Sites: []string{"x"}}}}
	deny := Rule{Name: "never", Effect: Deny, Match: Match{Name: "fire*"}}
	p := firefox()
	if _, depends := compile(t, true, scoped).EvaluateItem(&p, "debian", noon); !depends {
		t.Error("a scoped rule decides: must depend")
	}
	if v, depends := compile(t, true, scoped, deny).EvaluateItem(&p, "debian", noon); depends || v.Kind != Denied {
		t.Errorf("denied everywhere: %+v %t", v, depends)
	}
	except := Rule{Name: "not there", Effect: Allow, Match: Match{Name: "firefox"}, Scope: Scope{Except: Targets{Sites: []string{"x"}}}}
	if _, depends := compile(t, true, except).EvaluateItem(&p, "debian", noon); !depends {
		t.Error("a rule with exceptions decides: must depend")
	}
}

func TestRulesForLeavesOutWhatIsForOthers(t *testing.T) {
	rules := []Rule{
		{Name: "all"}, {Name: "here", Scope: Scope{Targets: Targets{Sites: []string{"queretaro"}}}}, {Name: "there", Scope: Scope{Targets: Targets{Sites: []string{"Toluca"}}}},
		{Name: "not here", Scope: Scope{Except: Targets{Machines: []string{"pc-017"}}}}, {Name: "somebody", Scope: Scope{Targets: Targets{Users: []string{"bob"}}}},
		{Name: "not ana", Scope: Scope{Except: Targets{Users: []string{"ana"}}}}, {Name: "group", Scope: Scope{Targets: Targets{Groups: []string{"servers"}}}},
	}
	var names []string
	for _, r := range RulesFor(rules, pc()) {
		names = append(names, r.Name)
	}
	if want := []string{"all", "here", "somebody", "not ana"}; !reflect.DeepEqual(names, want) {
		t.Errorf("kept %q, want %q", names, want)
	}
}

// fleet makes a realistic policy and inventory: mostly exact names, some prefixes,
// publishers and paths.
func fleet(rules, programs int) ([]Rule, []inventory.Program) {
	rnd := rand.New(rand.NewPCG(1, 2))
	rs := make([]Rule, rules)
	for i := range rs {
		r := Rule{ID: fmt.Sprint(i), Name: fmt.Sprintf("rule %d", i), Effect: Allow}
		word := fmt.Sprintf("%c%c-tool%d", 'a'+rnd.IntN(26), 'a'+rnd.IntN(26), i)
		switch n := rnd.IntN(100); {
		case n < 60:
			r.Match = Match{Name: word, Source: "deb", Version: ">=1.0, <3"}
		case n < 80:
			r.Match = Match{Name: word + "-*"}
		case n < 88:
			r.Match = Match{Publisher: "Company " + word + "*"}
		case n < 94:
			r.Match = Match{Source: "file", Path: "/opt/" + word + "/*"}
		case n < 97:
			r.Match = Match{Name: "*" + word + "*"}
		default:
			r.Match = Match{Origin: "Repo " + word}
		}
		if rnd.IntN(10) == 0 {
			r.Effect = Deny
		}
		if rnd.IntN(5) == 0 {
			r.Scope.Sites = []string{"Querétaro"}
		}
		rs[i] = r
	}
	ps := make([]inventory.Program, programs)
	for i := range ps {
		ps[i] = inventory.Program{Name: fmt.Sprintf("lib%c%d-dev", 'a'+rnd.IntN(26), i), Version: fmt.Sprintf("%d.%d-1+deb12u%d", rnd.IntN(4), rnd.IntN(9), i%4),
			Publisher: "Debian Maintainers", Origin: "Debian", Source: "deb", Scope: inventory.ScopeMachine, Arch: "amd64", Requested: i%10 == 0}
		if i%3 == 0 {
			ps[i].Name = rs[rnd.IntN(len(rs))].Match.Name + "x"
		}
	}
	return rs, ps
}

func BenchmarkMachine(b *testing.B) {
	rules, programs := fleet(500, 900)
	c := compile(b, true, rules...)
	e := c.On(pc())
	b.ReportAllocs()
	for b.Loop() {
		for i := range programs {
			e.Evaluate(&programs[i], noon)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	rules, _ := fleet(500, 1)
	for b.Loop() {
		compile(b, true, rules...)
	}
}

func TestFleetAgreesWithBruteForce(t *testing.T) {
	rules, programs := fleet(200, 300)
	c := compile(t, true, rules...)
	for i := range programs {
		if got, want := c.Evaluate(&programs[i], pc(), noon), brute(c, &programs[i], pc(), noon); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: index %+v, brute force %+v", programs[i], got, want)
		}
	}
}
