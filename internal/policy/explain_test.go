package policy

import (
	"strings"
	"testing"
	"time"

	"vigia/internal/inventory"
)

func TestExplainTellsEverythingThatKeepsARuleFromMatching(t *testing.T) {
	past, _ := ParseBound("2026-01-31", true)
	future, _ := ParseBound("2027-01-01", false)
	p := firefox()
	set := compile(t, true,
		Rule{Name: "1 old", Effect: Allow, Match: Match{Name: "firefox"}, ValidUntil: past},
		Rule{Name: "2 soon", Effect: Allow, Match: Match{Name: "firefox"}, ValidFrom: future},
		Rule{Name: "3 elsewhere", Effect: Deny, Match: Match{Name: "firefox"}, Scope: Scope{Targets: Targets{Sites: []string{"Toluca"}}}},
		Rule{Name: "4 not there", Effect: Deny, Match: Match{Name: "firefox"}, Scope: Scope{Except: Targets{Areas: []string{"ventas"}}}},
		Rule{Name: "5 many", Effect: Allow, Match: Match{Name: "chrome", Source: "snap", Version: ">=200", SHA256: strings.Repeat("0", 64), Scope: "user"}},
		Rule{Name: "6 yes", Effect: Allow, Match: Match{Name: "firefox", Publisher: "*mozilla"}},
		Rule{Name: "7 weaker", Effect: Allow, Match: Match{Name: "fire*"}},
	)
	x := set.Explain(&p, pc(), noon)
	if x.Kind != Authorized || x.RuleName != "6 yes" || x.Reason().English() != `authorized by the rule "6 yes"` {
		t.Fatalf("verdict %+v", x.Verdict)
	}
	for rule, want := range map[string]string{
		"1 old":       "expired, valid until 2026-01-31",
		"2 soon":      "not valid before 2027-01-01",
		"3 elsewhere": `outside its scope: site is "Querétaro", not "Toluca"`,
		"4 not there": `excluded: its exceptions name the area "Ventas"`,
		"5 many":      `sha256 is "` + hash + `", not "` + strings.Repeat("0", 64) + `" | source is "deb", not "snap" | name is "Firefox", not "chrome" | version is "115.2.0-1", not ">=200" | scope is "machine", not "user"`,
		"6 yes":       "matches, and decides",
		"7 weaker":    `matches, but "6 yes" comes first: it is more specific`,
		"baseline":    `origin is "Mozilla", not the operating system's vendor ("debian")`,
	} {
		if got := told1(x, rule); got != want {
			t.Errorf("%s:\n got %s\nwant %s", rule, got, want)
		}
	}
	none := inventory.Program{Name: "x", Source: "file", Scope: inventory.ScopeUser, User: "bob"}
	y := compile(t, false, Rule{Name: "r", Effect: Allow, Match: Match{Name: "x", Version: "1.*"}, Scope: Scope{Targets: Targets{Users: []string{"ana"}}}}).Explain(&none, pc(), noon)
	if got, want := told1(y, "r"), `the program tells no version, so none in "1.*" | outside its scope: user is "bob", not "ana"`; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := told1(y, "baseline"); got != "the baseline is switched off" || y.Reason().English() != "no rule covers it" {
		t.Errorf("baseline: %s; verdict %s", got, y.Reason().English())
	}
}

// told1 joins the reasons of one rule in English.
func told1(x Explanation, rule string) string {
	var list []string
	for _, trial := range x.Trials {
		if trial.RuleName == rule {
			for _, r := range trial.Reasons {
				list = append(list, r.English())
			}
		}
	}
	return strings.Join(list, " | ")
}

// TestEveryKeyHasEnglish tries each key and each of its variants.
func TestEveryKeyHasEnglish(t *testing.T) {
	for _, key := range []string{KeyAllowed, KeyDenied, KeyBaseline, KeyNothing, KeyDecides, KeyOutranked, KeyField, KeyNoVersion, KeyNotYet, KeyExpired,
		KeyOutsideScope, KeyExcluded, KeyBaselineOff, KeyBaselineGap, KeyBaselineRule, KeyBaselineCovers} {
		if got := (Reason{Key: key}).English(); strings.HasPrefix(got, "policy.") || got == "" {
			t.Errorf("%s has no English: %q", key, got)
		}
	}
	texts := map[string]bool{}
	for _, gap := range []string{gapSource, gapScope, gapOrigin, gapRequested, gapVisible} {
		texts[reason(KeyBaselineGap, "gap", gap).English()] = true
	}
	for _, why := range []string{byDeny, bySpecific, byScope, byName} {
		texts[reason(KeyOutranked, "why", why).English()] = true
	}
	if len(texts) != 9 {
		t.Errorf("%d distinct texts, want 9: %v", len(texts), texts)
	}
}

func TestExplainBaseline(t *testing.T) {
	p := inventory.Program{Name: "libc6", Origin: "Debian", Source: "deb", Scope: inventory.ScopeMachine}
	x := compile(t, true).Explain(&p, pc(), noon)
	if x.RuleName != BaselineRule || len(x.Trials) != 1 || !x.Trials[0].Decides || !x.Trials[0].Matches {
		t.Errorf("%+v", x)
	}
	x = compile(t, true, Rule{Name: "lib", Effect: Deny, Match: Match{Name: "lib*"}}).Explain(&p, pc(), noon)
	if x.Kind != Denied || x.Trials[1].Decides || told1(x, "baseline") != `covers it, but the rule "lib" comes first` {
		t.Errorf("%+v", x)
	}
}

func TestNextBoundaryOfNone(t *testing.T) {
	if b := compile(t, true).NextBoundary(time.Time{}); !b.IsZero() {
		t.Errorf("boundary %s of no rules", b)
	}
}
