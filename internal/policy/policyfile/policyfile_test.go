package policyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"vigia/internal/policy"
)

func TestParseSample(t *testing.T) {
	b, err := os.ReadFile("testdata/sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, errs := Parse(bytes.NewReader(b))
	if errs != nil {
		t.Fatal(errors.Join(errs...))
	}
	yes := true
	want := &File{Mode: policy.Enforce, Baseline: &yes, Rules: []policy.Rule{{
		Name: "tools of the IT department", Effect: policy.Allow,
		Match: policy.Match{Source: "deb", Name: "vigia-*", Version: ">=1.0, <3"},
		Scope: policy.Scope{Targets: policy.Targets{Sites: []string{"Querétaro"}}, Except: policy.Targets{Machines: []string{"pc-017"}}},
		Owner: "it@example.com", Reason: "ticket 4711",
		ValidUntil: time.Date(2027, 6, 30, 23, 59, 59, 0, time.UTC),
	}}}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got %+v\nwant %+v", f, want)
	}
	if _, err := policy.Compile(f.Document(policy.Learn, false)); err != nil {
		t.Error(err)
	}
}

func TestParseKeepsTextAsWritten(t *testing.T) {
	f, errs := Parse(strings.NewReader("rules:\n- {name: 7, effect: deny, match: {version: 1.10, name: yes}, valid_from: 2026-01-02}\n"))
	if errs != nil {
		t.Fatal(errs)
	}
	r := f.Rules[0]
	if r.Name != "7" || r.Match.Version != "1.10" || r.Match.Name != "yes" || !r.ValidFrom.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v", r)
	}
	if f.Mode != "" || f.Baseline != nil {
		t.Errorf("mode %q baseline %v, want untold", f.Mode, f.Baseline)
	}
}

// rule wraps the body of one rule in a file; its first line is line 2.
func rule(body string) string { return "rules:\n- " + strings.ReplaceAll(body, "\n", "\n  ") + "\n" }

func TestParseTellsEveryFaultWithItsPlace(t *testing.T) {
	const ok = "name: a\neffect: allow\nmatch: {name: x}\n"
	for _, c := range []struct{ name, in, at, field, key, word string }{
		{"empty", "", "1:1", "", KeyMissing, "empty"},
		{"comment only", "# x\n", "1:1", "", KeyMissing, "empty"},
		{"syntax", "rules: [\n", "2:1", "", KeySyntax, "brackets"},
		{"tab", "rules:\n\t- a\n", "2:1", "", KeySyntax, "indentation"},
		{"latin1", "mode: learn\nrules:\n - name: caf\xe9\n", "3:13", "", policy.KeyBadText, "UTF-8"},
		{"two documents", "rules: []\n---\nrules: []\n", "2:1", "", KeySyntax, "one document"},
		{"a list", "- a\n", "1:1", "", KeyKind, "mapping"},
		{"no rules", "mode: learn\n", "1:1", "rules", KeyMissing, "rules: []"},
		{"null rules", "rules:\n", "1:7", "rules", KeyKind, "rules: []"},
		{"unknown top key", "rules: []\nmodo: learn\n", "2:1", "modo", KeyUnknown, "mode, baseline, rules"},
		{"twice", "mode: learn\nrules: []\nmode: enforce\n", "3:1", "mode", KeyDuplicate, "line 1"},
		{"bad mode", "mode: strict\nrules: []\n", "1:7", "mode", policy.KeyUnknown, "learn, monitor or enforce"},
		{"bad baseline", "baseline: si\nrules: []\n", "1:11", "baseline", KeyKind, "true or false"},
		{"anchor", "rules: &a []\n", "1:8", "rules", KeyAlias, "anchor"},
		{"alias", "mode: &m learn\nrules: []\n", "1:7", "mode", KeyAlias, "anchor"},
		{"tag", "mode: !x learn\nrules: []\n", "1:7", "mode", KeyKind, "tag"},
		{"merge", rule(ok + "<<: {owner: x}"), "5:3", "rules[0].<<", KeyUnknown, "name, effect"},
		{"unknown key", rule(ok + "until: 2027-01-01"), "5:3", "rules[0].until", KeyUnknown, "valid_until"},
		{"unknown match key", rule("name: a\neffect: allow\nmatch: {name: x, vendor: y}"), "4:20", "rules[0].match.vendor", KeyUnknown, "publisher"},
		{"unknown scope key", rule(ok + "scope: {site: [x]}"), "5:11", "rules[0].scope.site", KeyUnknown, "sites"},
		{"rule a text", rule("firefox"), "2:3", "rules[0]", KeyKind, "mapping"},
		{"no name", rule("effect: allow\nmatch: {name: x}"), "2:3", "rules[0].name", policy.KeyMissing, "name of its own"},
		{"null name", rule("name: ~\neffect: allow\nmatch: {name: x}"), "2:9", "rules[0].name", policy.KeyMissing, "empty"},
		{"reserved", rule("name: Baseline\neffect: allow\nmatch: {name: x}"), "2:9", "rules[0].name", policy.KeyReserved, "another"},
		{"no effect", rule("name: a\nmatch: {name: x}"), "2:3", "rules[0].effect", policy.KeyUnknown, "allow or deny"},
		{"bad effect", rule("name: a\neffect: permit\nmatch: {name: x}"), "3:11", "rules[0].effect", policy.KeyUnknown, "allow or deny"},
		{"no match", rule("name: a\neffect: allow"), "2:3", "rules[0].match", KeyMissing, "match: {name"},
		{"empty match", rule("name: a\neffect: allow\nmatch: {}"), "4:10", "rules[0].match", policy.KeyTooBroad, `name: "*"`},
		{"match all by another field", rule("name: a\neffect: allow\nmatch: {source: '*'}"), "4:10", "rules[0].match", policy.KeyTooBroad, `name: "*"`},
		{"name as a list", rule("name: a\neffect: allow\nmatch: {name: [x, y]}"), "4:17", "rules[0].match.name", KeyKind, "a rule for each"},
		{"bad glob", rule("name: a\neffect: allow\nmatch: {name: 'a[b'}"), "4:17", "rules[0].match.name", policy.KeyPattern, "[[]"},
		{"bad range", rule("name: a\neffect: allow\nmatch: {name: x, version: '>=1 <3'}"), "4:29", "rules[0].match.version", policy.KeyRange, "comma"},
		{"impossible range", rule("name: a\neffect: allow\nmatch: {name: x, version: '>3, <1'}"), "4:29", "rules[0].match.version", policy.KeyRange, "bounds"},
		{"bad hash", rule("name: a\neffect: allow\nmatch: {sha256: abc}"), "4:19", "rules[0].match.sha256", policy.KeyHash, "64"},
		{"bad program scope", rule("name: a\neffect: allow\nmatch: {scope: all}"), "4:18", "rules[0].match.scope", policy.KeyUnknown, "machine or user"},
		{"scope a text", rule(ok + "scope: {sites: Querétaro}"), "5:18", "rules[0].scope.sites", KeyKind, "brackets"},
		{"empty list", rule(ok + "scope: {sites: []}"), "5:18", "rules[0].scope.sites", policy.KeyMissing, "at least one"},
		{"null scope", rule(ok + "scope:"), "5:9", "rules[0].scope", KeyKind, "mapping"},
		{"empty entry", rule(ok + "scope: {except: {users: [a, '']}}"), "5:31", "rules[0].scope.except.users[1]", policy.KeyMissing, "empty"},
		{"bad date", rule(ok + "valid_until: 30/06/2027"), "5:16", "rules[0].valid_until", KeyDate, "2027-06-30"},
		{"no such day", rule(ok + "valid_from: 2027-02-30"), "5:15", "rules[0].valid_from", KeyDate, "2027-06-30"},
		{"year 9999", rule(ok + "valid_until: 9999-12-31"), "5:16", "rules[0].valid_until", policy.KeyPeriod, "year"},
		{"dates exchanged", rule(ok + "valid_from: 2027-02-03\nvalid_until: 2027-02-02"), "6:16", "rules[0].valid_until", policy.KeyPeriod, "exchange"},
		{"same name", rule(ok) + "- {name: Á, effect: deny, match: {name: y}}\n", "6:10", "rules[1].name", KeyDuplicate, "line 2"},
		{"escape", rule("name: \"a\\ab\"\neffect: allow\nmatch: {name: x}"), "2:9", "rules[0].name", policy.KeyBadText, "remove it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, errs := Parse(strings.NewReader(c.in))
			if f != nil || len(errs) != 1 {
				t.Fatalf("file %v, errors %v; want exactly one error", f, errs)
			}
			var e *Error
			if !errors.As(errs[0], &e) {
				t.Fatalf("error is a %T", errs[0])
			}
			if at := fmt.Sprintf("%d:%d", e.Line, e.Column); at != c.at || e.Field != c.field || e.Key != c.key || !strings.Contains(e.Error(), c.word) {
				t.Errorf("got %s %s %s: %v\nwant %s %s %s … %s", at, e.Field, e.Key, e, c.at, c.field, c.key, c.word)
			}
		})
	}
}

func TestParseTellsAllAtOnceInOrder(t *testing.T) {
	in := "mode: strict\nextra: 1\nrules:\n- name: a\n  effect: permit\n  match: {name: '[', version: '1 <'}\n- effect: allow\n  match: {nome: x}\n  valid_from: soon\n"
	_, errs := Parse(strings.NewReader(in))
	var lines []int
	for _, err := range errs {
		lines = append(lines, err.(*Error).Line)
	}
	if want := []int{1, 2, 5, 6, 6, 7, 8, 9}; !reflect.DeepEqual(lines, want) {
		t.Errorf("errors in lines %v, want %v:\n%v", lines, want, errors.Join(errs...))
	}
}

func TestParseIsBounded(t *testing.T) {
	_, errs := Parse(strings.NewReader("rules:\n" + strings.Repeat("- 1\n", 1000)))
	if len(errs) != MaxErrors || errs[MaxErrors-1].(*Error).Key != KeyMore || errs[MaxErrors-1].(*Error).Value != "801" {
		t.Errorf("%d errors, last %v", len(errs), errs[len(errs)-1])
	}
	for name, in := range map[string]string{
		"size":     "rules: []\n" + strings.Repeat("#\n", MaxSize/2),
		"brackets": strings.Repeat("[", MaxSize),
		"dashes":   strings.Repeat("- ", MaxSize/2),
		"braces":   strings.Repeat("{a: ", MaxSize/4),
		"bomb":     bomb(),
		"rules":    "rules:\n" + strings.Repeat("- 1\n", policy.MaxRules+1),
	} {
		if f, errs := Parse(strings.NewReader(in)); f != nil || len(errs) == 0 {
			t.Errorf("%s: accepted", name)
		}
	}
	_, errs = Parse(io.MultiReader(strings.NewReader("rules: []"), failing{}))
	if len(errs) != 1 || errs[0].(*Error).Key != KeyRead {
		t.Errorf("reader that fails: %v", errs)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

// bomb is ten to the power of nine when its aliases are followed.
func bomb() string {
	var b strings.Builder
	b.WriteString("mode: learn\na0: &a0 [x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String() + "rules: *a9\n"
}

func TestEmptyRulesAreRules(t *testing.T) {
	f, errs := Parse(strings.NewReader("\ufeffmode: learn\r\nrules: []\r\n"))
	if errs != nil || len(f.Rules) != 0 || f.Mode != policy.Learn {
		t.Errorf("%+v %v", f, errs)
	}
}
