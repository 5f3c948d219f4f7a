package policy

import (
	"strings"
	"testing"
	"time"

	"vigia/internal/inventory"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const hash = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"

// firefox has every field.
func firefox() inventory.Program {
	return inventory.Program{Name: "Firefox", Version: "115.2.0-1", Publisher: "Fundación Mozilla", Origin: "Mozilla", Source: "deb",
		Scope: inventory.ScopeMachine, Path: "/opt/firefox/firefox", Arch: "amd64", Requested: true, SHA256: hash, Signer: "CN=Mozilla Corp"}
}

func pc() MachineContext {
	return MachineContext{ID: "0190-a", Hostname: "PC-017.example.com", Site: "Querétaro", Area: "Ventas", Groups: []string{"laptops", "piso 2"},
		Person: "ana@example.com", OSVendor: "debian"}
}

func compile(t testing.TB, baseline bool, rules ...Rule) *Compiled {
	t.Helper()
	c, err := Compile(&Document{Mode: Monitor, Baseline: baseline, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryField(t *testing.T) {
	for _, c := range []struct {
		name  string
		match Match
		want  bool
	}{
		{"name", Match{Name: "firefox"}, true}, {"name accents", Match{Name: "FÍREFOX"}, true}, {"name other", Match{Name: "chrome"}, false}, {"name part", Match{Name: "fire"}, false}, {"name glob", Match{Name: "fire*"}, true},
		{"publisher", Match{Publisher: "fundacion mozilla"}, true}, {"publisher other", Match{Publisher: "Mozilla"}, false},
		{"version", Match{Version: ">=115, <116"}, true}, {"version other", Match{Version: "<115"}, false},
		{"source", Match{Source: "DEB"}, true}, {"source other", Match{Source: "snap"}, false},
		{"origin", Match{Origin: "mozilla"}, true}, {"origin other", Match{Origin: "Debian"}, false},
		{"scope", Match{Scope: "machine"}, true}, {"scope other", Match{Scope: "user"}, false},
		{"path", Match{Path: "/opt/*"}, true}, {"path other", Match{Path: "/usr/*"}, false},
		{"sha256", Match{SHA256: strings.ToUpper(hash)}, true}, {"sha256 other", Match{SHA256: strings.Repeat("0", 64)}, false},
		{"signer", Match{Signer: "*mozilla*"}, true}, {"signer other", Match{Signer: "*google*"}, false},
		{"all", Match{Name: "firefox", Publisher: "*mozilla", Version: "115.*", Source: "deb", Origin: "mozilla", Scope: "machine", Path: "/opt/firefox/*", SHA256: hash, Signer: "cn=*"}, true},
		{"all but one", Match{Name: "firefox", Publisher: "*mozilla", Version: "115.*", Source: "deb", Origin: "mozilla", Scope: "machine", Path: "/opt/firefox/*", SHA256: hash, Signer: "cn=x"}, false},
		{"everything", Match{Name: "*"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := firefox()
			for effect, kind := range map[Effect]Kind{Allow: Authorized, Deny: Denied} {
				set := compile(t, false, Rule{ID: "7", Name: "r", Effect: effect, Match: c.match})
				want := Verdict{Kind: Unauthorized, Key: KeyNothing}
				if c.want {
					want = Verdict{Kind: kind, RuleID: "7", RuleName: "r", Key: map[Effect]string{Allow: KeyAllowed, Deny: KeyDenied}[effect]}
				}
				if got := Evaluate(set, &p, pc(), noon); got != want {
					t.Errorf("%s: got %+v, want %+v", effect, got, want)
				}
			}
		})
	}
	nothing := inventory.Program{Name: "x", Source: "file", Scope: inventory.ScopeMachine}
	for _, m := range []Match{{Version: ">=0"}, {Version: "*", Source: "file"}, {SHA256: hash}, {Origin: "?*"}} {
		if v := compile(t, false, Rule{Name: "r", Effect: Allow, Match: m}).Evaluate(&nothing, pc(), noon); v.Kind != Unauthorized {
			t.Errorf("%+v covers a program that does not tell: %+v", m, v)
		}
	}
}

func TestScopes(t *testing.T) {
	ana := inventory.Program{Name: "x", Source: "file", Scope: inventory.ScopeUser, User: "ana"}
	bob := inventory.Program{Name: "x", Source: "file", Scope: inventory.ScopeUser, User: `CORP\bob`}
	all := inventory.Program{Name: "x", Source: "file", Scope: inventory.ScopeMachine}
	for _, c := range []struct {
		name  string
		p     *inventory.Program
		scope Scope
		want  bool
	}{
		{"all", &all, Scope{}, true},
		{"site", &all, Scope{Targets: Targets{Sites: []string{"Toluca", "QUERETARO"}}}, true}, {"site other", &all, Scope{Targets: Targets{Sites: []string{"Toluca"}}}, false},
		{"area", &all, Scope{Targets: Targets{Areas: []string{"ventas"}}}, true}, {"area other", &all, Scope{Targets: Targets{Areas: []string{"Compras"}}}, false},
		{"group", &all, Scope{Targets: Targets{Groups: []string{"Piso 2"}}}, true}, {"group other", &all, Scope{Targets: Targets{Groups: []string{"piso"}}}, false},
		{"host", &all, Scope{Targets: Targets{Machines: []string{"pc-017"}}}, true}, {"fqdn", &all, Scope{Targets: Targets{Machines: []string{"pc-017.EXAMPLE.com"}}}, true},
		{"id", &all, Scope{Targets: Targets{Machines: []string{"0190-A"}}}, true}, {"host glob", &all, Scope{Targets: Targets{Machines: []string{"pc-0*"}}}, true}, {"host other", &all, Scope{Targets: Targets{Machines: []string{"pc-01"}}}, false},
		{"person", &all, Scope{Targets: Targets{Users: []string{"Ana@example.com"}}}, true}, {"login", &all, Scope{Targets: Targets{Users: []string{"ana"}}}, true}, {"person other", &all, Scope{Targets: Targets{Users: []string{"bob"}}}, false},
		{"account", &ana, Scope{Targets: Targets{Users: []string{"ana"}}}, true}, {"account by mail", &ana, Scope{Targets: Targets{Users: []string{"ana@example.com"}}}, true},
		{"domain account", &bob, Scope{Targets: Targets{Users: []string{"bob"}}}, true}, {"whole account", &bob, Scope{Targets: Targets{Users: []string{`corp\bob`}}}, true},
		{"another's install", &bob, Scope{Targets: Targets{Users: []string{"ana"}}}, false}, {"another's install by mail", &bob, Scope{Targets: Targets{Users: []string{"ana@example.com"}}}, false},
		{"two kinds", &all, Scope{Targets: Targets{Sites: []string{"querétaro"}, Areas: []string{"ventas"}}}, true}, {"two kinds, one not", &all, Scope{Targets: Targets{Sites: []string{"querétaro"}, Areas: []string{"compras"}}}, false},
		{"except machine", &all, Scope{Except: Targets{Machines: []string{"pc-017"}}}, false}, {"except another", &all, Scope{Except: Targets{Machines: []string{"pc-018"}}}, true},
		{"site but area", &all, Scope{Targets: Targets{Sites: []string{"querétaro"}}, Except: Targets{Areas: []string{"Ventas"}}}, false},
		{"except any kind", &all, Scope{Except: Targets{Machines: []string{"pc-018"}, Groups: []string{"laptops"}}}, false},
		{"except user", &bob, Scope{Except: Targets{Users: []string{"bob"}}}, false}, {"except site", &all, Scope{Except: Targets{Sites: []string{"Queretaro"}}}, false},
	} {
		set := compile(t, false, Rule{Name: "r", Effect: Allow, Match: Match{Name: "x"}, Scope: c.scope})
		if got := set.Evaluate(c.p, pc(), noon).Kind == Authorized; got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
		if set.Evaluate(c.p, MachineContext{}, noon).Kind == Authorized && !c.scope.Targets.IsZero() && c.p.Scope != inventory.ScopeUser {
			t.Errorf("%s: holds for a machine of which nothing is known", c.name)
		}
	}
}

func TestValidity(t *testing.T) {
	from, _ := ParseBound("2026-03-01", false)
	until, _ := ParseBound("2026-03-31", true)
	set := compile(t, false, Rule{Name: "r", Effect: Allow, Match: Match{Name: "*"}, ValidFrom: from, ValidUntil: until})
	for at, want := range map[string]bool{"2026-02-28T23:59:59Z": false, "2026-03-01T00:00:00Z": true, "2026-03-31T23:59:59.999Z": true, "2026-04-01T00:00:00Z": false,
		"2026-02-28T20:00:00-06:00": true, "2026-03-31T18:00:00-06:00": false} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		p := firefox()
		if got := set.Evaluate(&p, pc(), when).Kind == Authorized; got != want {
			t.Errorf("at %s: %t, want %t", at, got, want)
		}
	}
	end := until.Add(time.Second)
	for _, c := range []struct{ at, want time.Time }{{from.Add(-time.Hour), from}, {from, end}, {end.Add(-1), end}, {end, time.Time{}}} {
		if got := set.NextBoundary(c.at); !got.Equal(c.want) {
			t.Errorf("after %s: %s, want %s", c.at, got, c.want)
		}
	}
	exact, err := ParseBound("2026-03-31T18:00:00-06:00", true)
	if err != nil || !exact.Equal(end) || FormatBound(exact, true) != "2026-04-01T00:00:00Z" || FormatBound(until, true) != "2026-03-31" || FormatBound(until, false) == "2026-03-31" {
		t.Errorf("bounds: %s %v %s", exact, err, FormatBound(until, true))
	}
}

func TestBaseline(t *testing.T) {
	deb := inventory.Program{Name: "libc6", Version: "2.36", Origin: "Debian", Source: "deb", Scope: inventory.ScopeMachine}
	with := func(base inventory.Program, f func(p *inventory.Program)) inventory.Program { f(&base); return base }
	runtime := inventory.Program{Name: "org.gnome.Platform", Origin: "Flathub", Source: "flatpak", Scope: inventory.ScopeMachine, Hidden: true}
	for _, c := range []struct {
		name, vendor string
		p            inventory.Program
		want         bool
	}{
		{"dependency of the vendor", "debian", deb, true},
		{"asked for", "debian", with(deb, func(p *inventory.Program) { p.Requested = true }), false},
		{"asked for, but of the base", "debian", with(deb, func(p *inventory.Program) { p.Requested, p.Base = true, true }), true},
		{"backports", "debian", with(deb, func(p *inventory.Program) { p.Origin = "Debian Backports" }), true},
		{"another origin", "debian", with(deb, func(p *inventory.Program) { p.Origin = "Docker" }), false},
		{"same name, no origin", "debian", with(deb, func(p *inventory.Program) { p.Origin = "" }), false},
		{"base, no origin", "debian", with(deb, func(p *inventory.Program) { p.Origin, p.Base = "", true }), false},
		{"another vendor", "ubuntu", deb, false}, {"vendor not known", "", deb, false}, {"vendor in capitals", "Debian", deb, true},
		{"ubuntu", "ubuntu", with(deb, func(p *inventory.Program) { p.Origin = "Ubuntu" }), true},
		{"vendor by its own name", "devuan", with(deb, func(p *inventory.Program) { p.Origin = "Devuan" }), true},
		{"for one user", "debian", with(deb, func(p *inventory.Program) { p.Scope = inventory.ScopeUser }), false},
		{"a file that claims an origin", "debian", with(deb, func(p *inventory.Program) { p.Source = "file" }), false},
		{"runtime", "debian", runtime, true}, {"runtime anywhere", "", runtime, true},
		{"runtime from elsewhere", "debian", with(runtime, func(p *inventory.Program) { p.Origin = "evil" }), false},
		{"runtime asked for", "debian", with(runtime, func(p *inventory.Program) { p.Requested = true }), false},
		{"application", "debian", with(runtime, func(p *inventory.Program) { p.Hidden = false }), false},
		{"snap base", "debian", with(runtime, func(p *inventory.Program) { p.Source, p.Origin = "snap", "snapcraft" }), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := pc()
			m.OSVendor = c.vendor
			want := Verdict{Kind: Unauthorized, Key: KeyNothing}
			if c.want {
				want = Verdict{Kind: Authorized, RuleID: "baseline", RuleName: "baseline", Key: KeyBaseline}
			}
			if got := compile(t, true).Evaluate(&c.p, m, noon); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got := compile(t, false).Evaluate(&c.p, m, noon).Kind; got != Unauthorized {
				t.Errorf("switched off: %s", got)
			}
			if got := compile(t, true, Rule{Name: "no", Effect: Deny, Match: Match{Name: "*"}}).Evaluate(&c.p, m, noon).Kind; got != Denied {
				t.Errorf("a deny rule is weaker than the baseline: %s", got)
			}
			if got := compile(t, true, Rule{Name: "yes", Effect: Allow, Match: Match{Name: "*"}}).Evaluate(&c.p, m, noon).RuleName; got != "yes" {
				t.Errorf("an allow rule is weaker than the baseline: %s", got)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	good := Rule{Name: "a", Effect: Allow, Match: Match{Name: "x"}}
	for name, change := range map[string]func(r *Rule){
		"name": func(r *Rule) { r.Name = " " }, "baseline": func(r *Rule) { r.Name = "Baseline" }, "effect": func(r *Rule) { r.Effect = "maybe" },
		"match": func(r *Rule) { r.Match = Match{} }, "match all": func(r *Rule) { r.Match = Match{Name: "**"} }, "match all versions": func(r *Rule) { r.Match = Match{Version: "*"} },
		"glob": func(r *Rule) { r.Match.Path = "[" }, "range": func(r *Rule) { r.Match.Version = ">" }, "hash": func(r *Rule) { r.Match.SHA256 = "zz" },
		"scope": func(r *Rule) { r.Match.Scope = "x" }, "utf-8": func(r *Rule) { r.Match.Name = "\xff" }, "long": func(r *Rule) { r.Match.Name = strings.Repeat("a", MaxPattern+1) },
		"target": func(r *Rule) { r.Scope.Except.Sites = []string{""} }, "machine": func(r *Rule) { r.Scope.Machines = []string{"["} }, "targets": func(r *Rule) { r.Scope.Users = make([]string, MaxTargets+1) },
		"period": func(r *Rule) { r.ValidFrom, r.ValidUntil = noon, noon.Add(-time.Second) }, "zone": func(r *Rule) { r.ValidFrom = noon.In(time.FixedZone("x", 3600)) }, "nanoseconds": func(r *Rule) { r.ValidUntil = noon.Add(1) },
	} {
		r := good
		change(&r)
		if _, err := Compile(&Document{Mode: Learn, Rules: []Rule{good, r}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Compile(&Document{Rules: []Rule{good}}); err == nil || !strings.Contains(err.Error(), "mode") {
		t.Errorf("no mode: %v", err)
	}
	if _, err := Compile(&Document{Mode: Learn, Rules: make([]Rule, MaxRules+1)}); err == nil {
		t.Error("too many rules: accepted")
	}
}
