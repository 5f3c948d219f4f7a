package policy

import "testing"

// TestPrecedence has pairs of rules that both cover firefox on pc; the first must win
// whatever the order.
func TestPrecedence(t *testing.T) {
	m := func(m Match) Rule { return Rule{Match: m} }
	in := func(t, except Targets) Rule {
		return Rule{Match: Match{Name: "firefox"}, Scope: Scope{Targets: t, Except: except}}
	}
	site, area, group := Targets{Sites: []string{"querétaro"}}, Targets{Areas: []string{"ventas"}}, Targets{Groups: []string{"laptops"}}
	machine, user := Targets{Machines: []string{"pc-017"}}, Targets{Users: []string{"ana"}}
	two := Targets{Sites: []string{"querétaro", "toluca"}}
	for _, c := range []struct {
		name          string
		first, second Rule
		why           string
	}{
		{"sha256 before signer", m(Match{SHA256: hash}), m(Match{Signer: "cn=mozilla corp", Path: "/opt/firefox/firefox", Name: "firefox", Version: "115.2.0-1"}), bySpecific},
		{"signer before path", m(Match{Signer: "cn=*"}), m(Match{Path: "/opt/firefox/firefox", Name: "firefox"}), bySpecific},
		{"path before name", m(Match{Path: "/opt/*"}), m(Match{Name: "firefox", Version: "115.2.0-1"}), bySpecific},
		{"name and version before name", m(Match{Name: "firefox", Version: ">=1"}), m(Match{Name: "firefox", Publisher: "*mozilla", Origin: "mozilla"}), bySpecific},
		{"version before range", m(Match{Name: "firefox", Version: "115.2.0-1"}), m(Match{Name: "firefox", Version: "115.*"}), bySpecific},
		{"name before publisher", m(Match{Name: "fire*"}), m(Match{Publisher: "fundación mozilla", Origin: "mozilla", Source: "deb"}), bySpecific},
		{"publisher before origin", m(Match{Publisher: "*mozilla"}), m(Match{Origin: "mozilla", Source: "deb"}), bySpecific},
		{"origin before source", m(Match{Origin: "moz*"}), m(Match{Source: "deb", Scope: "machine"}), bySpecific},
		{"source before scope", m(Match{Source: "d*"}), m(Match{Scope: "machine"}), bySpecific},
		{"exact before pattern", m(Match{Name: "firefox"}), m(Match{Name: "firefox*", Source: "deb"}), bySpecific},
		{"more fields", m(Match{Name: "firefox", Source: "deb"}), m(Match{Name: "firefox"}), bySpecific},
		{"more literals", m(Match{Name: "firef*"}), m(Match{Name: "fire*"}), bySpecific},
		{"anything before everything", m(Match{Scope: "machine"}), m(Match{Name: "*"}), bySpecific},
		{"specific before narrow", m(Match{Name: "firefox", Source: "deb"}), in(machine, Targets{}), bySpecific},
		{"machine before user", in(machine, Targets{}), in(user, Targets{}), byScope},
		{"user before group", in(user, Targets{}), in(group, Targets{}), byScope},
		{"group before area", in(group, Targets{}), in(area, Targets{}), byScope},
		{"area before site", in(area, Targets{}), in(site, Targets{}), byScope},
		{"site before all", in(site, Targets{}), in(Targets{}, Targets{}), byScope},
		{"site and area before area", in(Targets{Sites: site.Sites, Areas: area.Areas}, Targets{}), in(area, Targets{}), byScope},
		{"area before site with exceptions", in(area, Targets{}), in(site, Targets{Machines: []string{"pc-1"}}), byScope},
		{"with exceptions before without", in(Targets{}, Targets{Sites: []string{"toluca"}}), in(Targets{}, Targets{}), byScope},
		{"one site before two", in(site, Targets{}), in(two, Targets{}), byScope},
	} {
		for _, effect := range []Effect{Allow, Deny} {
			first, second := c.first, c.second
			first.Name, second.Name = "z first", "a second" // the name would decide the other way
			first.Effect, second.Effect = effect, effect
			wins(t, c.name, first, second, c.why)
		}
		first, second := c.second, c.first // deny wins over anything
		first.Name, second.Name, first.Effect, second.Effect = "z first", "a second", Deny, Allow
		wins(t, c.name+", turned by deny", first, second, byDeny)
	}
	same := Match{Name: "firefox"}
	wins(t, "name", Rule{Name: "Á", Effect: Allow, Match: same}, Rule{Name: "b", Effect: Allow, Match: same}, byName)
	wins(t, "name as written", Rule{Name: "A", Effect: Allow, Match: same}, Rule{Name: "a", Effect: Allow, Match: same}, byName)
	wins(t, "id", Rule{ID: "1", Name: "a", Effect: Allow, Match: same}, Rule{ID: "2", Name: "a", Effect: Allow, Match: same}, byName)
}

func wins(t *testing.T, name string, first, second Rule, why string) {
	t.Helper()
	p := firefox()
	for _, rules := range [][]Rule{{first, second}, {second, first}} {
		x := compile(t, true, rules...).Explain(&p, pc(), noon)
		if x.RuleName != first.Name || x.RuleID != first.ID {
			t.Errorf("%s: %q decides, want %q", name, x.RuleName, first.Name)
			continue
		}
		if len(x.Trials) != 3 || !x.Trials[0].Decides || !x.Trials[1].Matches || x.Trials[1].Reasons[0].Args["why"] != why || x.Trials[1].Reasons[0].Args["by"] != first.Name {
			t.Errorf("%s: tried %+v, want the second outranked by %s", name, x.Trials, why)
		}
	}
}
