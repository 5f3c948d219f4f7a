package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/internal/inventory"
)

func TestDocumentGoesThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &Document{Mode: Enforce, Baseline: true, Rules: drawRules(t), Machine: drawMachine(t, "debian"), IssuedAt: noon}
		d.Seal()
		b, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeDocument(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(d, back) {
			t.Fatalf("sent %+v\ncame %+v", d, back)
		}
		if v := DocumentVersion(RulesVersion(d.Mode, d.Baseline, d.Rules), d.Machine); v != d.Version {
			t.Fatalf("version in two steps %s, in one %s", v, d.Version)
		}
	})
}

func TestDocumentVersionFollowsContent(t *testing.T) {
	base := Document{Mode: Learn, Rules: []Rule{{Name: "a", Effect: Allow, Match: Match{Name: "x"}}}}
	base.Seal()
	later := base
	later.IssuedAt = noon
	if later.Seal(); later.Version != base.Version {
		t.Error("the time of issue changes the version")
	}
	for name, change := range map[string]func(d *Document){
		"mode": func(d *Document) { d.Mode = Enforce }, "baseline": func(d *Document) { d.Baseline = true }, "machine": func(d *Document) { d.Machine.Site = "x" },
		"rule": func(d *Document) { d.Rules = []Rule{{Name: "a", Effect: Deny, Match: Match{Name: "x"}}} }, "none": func(d *Document) { d.Rules = nil },
	} {
		d := base
		change(&d)
		if d.Seal(); d.Version == base.Version {
			t.Errorf("%s: same version", name)
		}
	}
}

func TestDecodeDocumentRefuses(t *testing.T) {
	d := &Document{Mode: Learn, Rules: []Rule{{Name: "a", Effect: Allow, Match: Match{Name: "x"}}}}
	d.Seal()
	good, _ := d.Encode()
	if _, err := DecodeDocument(bytes.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{
		"empty": "", "no object": "[]", "cut": string(good[:len(good)-1]), "after its end": string(good) + "{}",
		"unknown field": strings.Replace(string(good), `"match":{`, `"match":{"tag":"y",`, 1),
		"large":         `{"version":"` + strings.Repeat("x", MaxDocument) + `"}`,
		"rules":         `{"rules":[` + strings.Repeat("{},", MaxRules) + `{}]}`,
	} {
		if _, err := DecodeDocument(strings.NewReader(in)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	changed := strings.Replace(string(good), `"name":"x"`, `"name":"*"`, 1)
	if _, err := DecodeDocument(strings.NewReader(changed)); !errors.Is(err, ErrVersion) {
		t.Errorf("changed on the way: %v", err)
	}
}

func FuzzDecodeDocument(f *testing.F) {
	d := &Document{Mode: Learn, Rules: []Rule{{Name: "a", Effect: Allow, Match: Match{Name: "[a-z]*", Version: ">1"}, ValidFrom: noon}}, IssuedAt: noon}
	d.Seal()
	b, _ := d.Encode()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d Document
		if json.Unmarshal(b, &d) != nil {
			return
		}
		d.Seal() // so that what comes behind the seal is reached
		sealed, err := d.Encode()
		if err != nil {
			return // a time that JSON cannot hold
		}
		back, err := DecodeDocument(bytes.NewReader(sealed))
		if err != nil {
			return
		}
		c, err := Compile(back)
		if err != nil {
			return
		}
		p := firefox()
		c.Explain(&p, back.Machine, noon)
	})
}

func TestCheckAll(t *testing.T) {
	s := &inventory.Snapshot{Machine: inventory.Machine{Hostname: "pc-1"}, System: inventory.System{OS: "linux", Distribution: "debian"}, Software: []inventory.Program{
		{Name: "libc6", Version: "2.36", Source: "deb", Origin: "Debian", Scope: inventory.ScopeMachine},
		{Name: "tor", Version: "1", Source: "file", Scope: inventory.ScopeMachine},
		{Name: "game", Version: "10", Source: "snap", Scope: inventory.ScopeMachine},
		{Name: "game", Version: "9", Source: "snap", Scope: inventory.ScopeMachine},
		{Name: "vim", Version: "9", Source: "deb", Scope: inventory.ScopeMachine},
	}}
	c := compile(t, true, Rule{Name: "no tor", Effect: Deny, Match: Match{Name: "tor"}},
		Rule{Name: "editors", Effect: Allow, Match: Match{Name: "vim"}, Scope: Scope{Targets: Targets{Machines: []string{"pc-1"}}}})
	want := []CheckRow{{"tor", "1", "file", Denied, "no tor"}, {"game", "9", "snap", Unauthorized, ""}, {"game", "10", "snap", Unauthorized, ""},
		{"libc6", "2.36", "deb", Authorized, "baseline"}, {"vim", "9", "deb", Authorized, "editors"}}
	if got := CheckAll(c, s, noon); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	b, _ := json.Marshal(want[:1])
	if string(b) != `[{"program":"tor","version":"1","source":"file","verdict":"denied","rule":"no tor"}]` {
		t.Errorf("JSON %s", b)
	}
	if b, _ = json.Marshal(CheckAll(c, &inventory.Snapshot{}, time.Time{})); string(b) != "[]" {
		t.Errorf("no programs: %s", b)
	}
}
