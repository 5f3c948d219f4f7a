package title

import (
	"strings"
	"testing"

	"vigia/collector/internal/apperr"
)

func TestStrip(t *testing.T) {
	for name, want := range map[string]string{
		"Foo 1.2.3 (x64)": "Foo", "7-Zip 24.09 (x64)": "7-Zip", "Mozilla Firefox (x64 es-MX)": "Mozilla Firefox", "Visual Studio 2022": "Visual Studio 2022",
		"Notepad++ (64-bit x64)": "Notepad++", "Java 8 Update 401 (64-bit)": "Java 8 Update 401", "Git version 2.45": "Git", "Tool version 7": "Tool",
		"1.2.3": "1.2.3", "": "", "(x64)": "(x64)", "x64 x64": "x64", "LibreOffice 24.8.2.1": "LibreOffice", "App (beta)": "App (beta)", "App - 3.0": "App", "a)": "a)", "b a)": "b a)",
	} {
		if got := Strip(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func FuzzStrip(f *testing.F) {
	f.Add("Foo 1.2.3 (x64)")
	f.Add("( ) (")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Strip(s); strings.TrimSpace(s) != "" && len(strings.Fields(s)) > 0 && got == "" {
			t.Errorf("%q became nothing", s)
		} else if Strip(got) != got {
			t.Errorf("%q: %q is stripped again", s, got)
		}
	})
}

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	s := Ruleset{Rules: []Rule{
		{ID: 3, Name: "keep*", ToPublisher: "Kept"}, {ID: 1, Name: "*FIRÉFOX*", Publisher: "mozilla*", ToName: "Firefox", ToPublisher: "Mozilla"},
		{ID: 2, Publisher: "a?b", Strip: true},
	}}
	for k, want := range map[Key]Key{
		{"Mozilla Firefox", "Mozilla Corp"}: {"Firefox", "Mozilla"}, {"Mozilla Firefox", "other"}: {"Mozilla Firefox", "other"},
		{"Foo 1.2", "AxB"}: {"Foo", "AxB"}, {"keep 1.2", "AxB"}: {"keep 1.2", "Kept"}, {"x", ""}: {"x", ""},
	} {
		if got, _ := s.Show(k); got != want {
			t.Errorf("%v: %v, want %v", k, got, want)
		}
	}
}

func TestWrongRulesAreRefused(t *testing.T) {
	for field, r := range map[string]Rule{"name": {ToName: "x"}, "to_name": {Name: "x"}, "reason": {Name: "x", Strip: true, Reason: strings.Repeat("a", 301)}, "publisher": {Publisher: "a\x00", Strip: true}} {
		err := r.check()
		if !apperr.Is(err, apperr.Invalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	if err := (Rule{Name: "x", Strip: true}).check(); err != nil {
		t.Error(err)
	}
}
