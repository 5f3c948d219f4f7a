package policyfile

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"vigia/internal/policy"
)

// texts are nasty for YAML and plain ones.
func text() *rapid.Generator[string] {
	nasty := rapid.SampledFrom([]string{"yes", "No", "null", "~", "1.0", "0x1F", "2027-06-30", "a: b", "a #b", "- a", "*x", "&x", "!x", "%x", "@x", "`x",
		"{a}", "'q'", "\"q\"", "Querétaro", "日本", "a,b", "C:\\Program Files\\*", "|", ">", "=", "<<", "a\u0301", "🐧", "?", "... a", "---"})
	return rapid.OneOf(nasty, rapid.StringMatching(`[a-zé0-9 ._:#,'"\\{}~-]{1,20}`)).Filter(func(s string) bool { return strings.TrimSpace(s) == s && s != "" })
}

func list(t *rapid.T, label string) []string {
	if rapid.Bool().Draw(t, label+"?") {
		return nil
	}
	return rapid.SliceOfN(text(), 1, 3).Draw(t, label)
}

func targets(t *rapid.T) policy.Targets {
	return policy.Targets{Sites: list(t, "sites"), Areas: list(t, "areas"), Groups: list(t, "groups"), Machines: list(t, "machines"), Users: list(t, "users")}
}

func bound(t *rapid.T, label string, end bool) time.Time {
	switch rapid.IntRange(0, 2).Draw(t, label) {
	case 0:
		return time.Time{}
	case 1:
		at, _ := policy.ParseBound(rapid.SampledFrom([]string{"2026-01-01", "2030-02-28"}).Draw(t, label), end)
		return at
	}
	return time.Unix(rapid.Int64Range(4e8, 6e9).Draw(t, label), 0).UTC()
}

func draw(t *rapid.T, i int) policy.Rule {
	opt := func(label string) string {
		if rapid.Bool().Draw(t, label+"?") {
			return ""
		}
		return text().Draw(t, label)
	}
	return policy.Rule{
		Name: text().Draw(t, "name") + strings.Repeat("x", i), Effect: rapid.SampledFrom([]policy.Effect{policy.Allow, policy.Deny}).Draw(t, "effect"),
		Match: policy.Match{Name: opt("m.name"), Publisher: opt("m.publisher"), Source: opt("m.source"), Origin: opt("m.origin"), Path: opt("m.path"), Signer: opt("m.signer"),
			Version: rapid.SampledFrom([]string{"", "1.*", ">=1.0, <3", "=1:2.3-4+deb12u1"}).Draw(t, "m.version"),
			Scope:   rapid.SampledFrom([]string{"", "machine", "user"}).Draw(t, "m.scope"),
			SHA256:  rapid.SampledFrom([]string{"", strings.Repeat("0f", 32), strings.Repeat("12", 32)}).Draw(t, "m.sha256")},
		Scope: policy.Scope{Targets: targets(t), Except: targets(t)},
		Owner: opt("owner"), Reason: opt("reason"), ValidFrom: bound(t, "from", false), ValidUntil: bound(t, "until", true),
	}
}

func TestWriteReadsBackEqual(t *testing.T) {
	written := 0
	rapid.Check(t, func(t *rapid.T) {
		f := &File{Mode: rapid.SampledFrom([]policy.Mode{"", policy.Learn, policy.Monitor, policy.Enforce}).Draw(t, "mode"), Rules: []policy.Rule{}}
		if rapid.Bool().Draw(t, "baseline?") {
			on := rapid.Bool().Draw(t, "baseline")
			f.Baseline = &on
		}
		names := map[string]bool{}
		for i := range rapid.IntRange(0, 4).Draw(t, "rules") {
			if r := draw(t, i); r.Validate() == nil && !names[policy.Fold(r.Name)] {
				f.Rules = append(f.Rules, r)
				names[policy.Fold(r.Name)] = true
				written++
			}
		}
		sameAfterWrite(t, f)
	})
	if written < 50 {
		t.Errorf("only %d rules were written: the generator makes too few valid ones", written)
	}
}

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func sameAfterWrite(t fataler, f *File) {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f); err != nil {
		t.Fatalf("writing: %v", err)
	}
	back, errs := Parse(bytes.NewReader(b.Bytes()))
	if errs != nil {
		t.Fatalf("reading back: %v\n%s", errors.Join(errs...), b.String())
	}
	if !reflect.DeepEqual(f, back) {
		t.Fatalf("wrote %+v\nread  %+v\n%s", f, back, b.String())
	}
	var again bytes.Buffer
	if err := Write(&again, back); err != nil || again.String() != b.String() {
		t.Fatalf("second writing differs: %v\n%s\n%s", err, b.String(), again.String())
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "rules: []", rule("name: a\neffect: allow\nmatch: {name: x}"), bomb(), "rules: [{", "\ufeffrules: []",
		rule("name: a\neffect: deny\nmatch: {name: 'a[b-c]*', version: '>=1.0, <3'}\nscope: {sites: [Á], except: {machines: ['p*']}}\nvalid_until: 2027-01-01\nreason: |\n  a\n  b")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, errs := Parse(bytes.NewReader(b))
		if (file == nil) == (errs == nil) {
			t.Fatalf("file %v, errors %v", file, errs)
		}
		if file == nil {
			return
		}
		if _, err := policy.Compile(file.Document(policy.Learn, true)); err != nil {
			t.Fatalf("parsed but does not compile: %v", err)
		}
		sameAfterWrite(t, file)
	})
}
