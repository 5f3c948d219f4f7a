package policy

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vigia/internal/inventory"
)

func TestPropose(t *testing.T) {
	deb := func(name, version, publisher string) Seen {
		return Seen{Program: inventory.Program{Name: name, Version: version, Publisher: publisher, Origin: "Debian", Source: "deb", Scope: inventory.ScopeMachine}, Installs: 2}
	}
	shop := func(name string) Seen {
		return Seen{Program: inventory.Program{Name: name, Version: "1", Publisher: "Games [Inc]", Origin: "Flathub", Source: "flatpak", Scope: inventory.ScopeMachine}, Installs: 2}
	}
	file := func(path, sha string) Seen {
		return Seen{Program: inventory.Program{Name: "tool", Source: "file", Scope: inventory.ScopeMachine, Path: path, SHA256: sha}, Installs: 1}
	}
	got := Propose([]Seen{
		deb("vim", "9.0", "Vim Team"), deb("vim", "9.1", "Vim Team"), deb("git", "2", "Git Team"),
		deb("sed", "2", "Vim Team"), deb("ed", "2", "Vim Team"), // a third and fourth of one maintainer stay apart
		shop("a"), shop("b"), shop("c"),
		file("/opt/a", hash), file("/opt/b", ""), file("/opt/b", ""),
	})
	type row struct {
		name               string
		match              Match
		programs           string
		versions, installs int
	}
	var rows []row
	for _, p := range got {
		rows = append(rows, row{p.Rule.Name, p.Rule.Match, strings.Join(p.Programs, " "), p.Versions, p.Installs})
	}
	want := []row{
		{"Games [Inc] · flatpak · Flathub", Match{Source: "flatpak", Origin: "Flathub", Publisher: "Games [[]Inc]"}, "a b c", 3, 6},
		{"vim · deb · Debian", Match{Name: "vim", Source: "deb", Origin: "Debian"}, "vim", 2, 4},
		{"ed · deb · Debian", Match{Name: "ed", Source: "deb", Origin: "Debian"}, "ed", 1, 2},
		{"git · deb · Debian", Match{Name: "git", Source: "deb", Origin: "Debian"}, "git", 1, 2},
		{"sed · deb · Debian", Match{Name: "sed", Source: "deb", Origin: "Debian"}, "sed", 1, 2},
		{"tool · file", Match{Name: "tool", Source: "file", Scope: "machine", Path: "/opt/b"}, "tool", 1, 2},
		{"tool · file (2)", Match{Name: "tool", Source: "file", Scope: "machine", SHA256: hash}, "tool", 1, 1},
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("got  %+v\nwant %+v", rows, want)
	}
}

// TestProposalsCoverWhatWasSeen holds for any programs and in any order.
func TestProposalsCoverWhatWasSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seen := make([]Seen, rapid.IntRange(0, 12).Draw(t, "n"))
		for i := range seen {
			seen[i] = Seen{Program: *drawProgram(t), Installs: 1}
			seen[i].Program.Name = pick(t, "odd name", "a", "b", "c", "*", "x[1]", strings.Repeat("ñ", 250), strings.Repeat("[", 512), "\ue000 x")
			if seen[i].Program.Path != "" && rapid.Bool().Draw(t, "long path") {
				seen[i].Program.Path = "/opt/" + strings.Repeat("[é", 1300)
			}
		}
		proposals := Propose(seen)
		if other := Propose(rapid.Permutation(seen).Draw(t, "permutation")); !reflect.DeepEqual(proposals, other) {
			t.Fatalf("order matters: %+v and %+v", proposals, other)
		}
		rules := make([]Rule, len(proposals))
		names := map[string]bool{}
		for i, p := range proposals {
			rules[i] = p.Rule
			if names[Fold(p.Rule.Name)] {
				t.Fatalf("name %q twice", p.Rule.Name)
			}
			names[Fold(p.Rule.Name)] = true
		}
		c := must(t, rules, false)
		for i := range seen {
			if v := c.Evaluate(&seen[i].Program, MachineContext{}, noon); v.Kind != Authorized {
				t.Fatalf("%+v is not covered by %+v", seen[i].Program, rules)
			}
		}
	})
}
