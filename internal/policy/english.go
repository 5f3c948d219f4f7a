package policy

import "fmt"

// English tells r in English, for the command line. Pages and reports translate Key.
func (r Reason) English() string {
	a := func(name string) string { return r.Args[name] }
	switch r.Key {
	case KeyAllowed:
		return fmt.Sprintf("authorized by the rule %q", a("rule"))
	case KeyDenied:
		return fmt.Sprintf("denied by the rule %q", a("rule"))
	case KeyBaseline:
		return "part of the operating system, by its origin"
	case KeyNothing:
		return "no rule covers it"
	case KeyDecides:
		return "matches, and decides"
	case KeyOutranked:
		return fmt.Sprintf("matches, but %q comes first: %s", a("by"), outranked(a("why")))
	case KeyField:
		return fmt.Sprintf("%s is %s, not %q", a("field"), told(a("got")), a("want"))
	case KeyNoVersion:
		return fmt.Sprintf("the program tells no version, so none in %q", a("want"))
	case KeyNotYet:
		return "not valid before " + a("from")
	case KeyExpired:
		return "expired, valid until " + a("until")
	case KeyOutsideScope:
		return fmt.Sprintf("outside its scope: %s is %s, not %q", singular(a("kind")), told(a("got")), a("want"))
	case KeyExcluded:
		return fmt.Sprintf("excluded: its exceptions name the %s %s", singular(a("kind")), told(a("got")))
	case KeyBaselineOff:
		return "the baseline is switched off"
	case KeyBaselineRule:
		return fmt.Sprintf("covers it, but the rule %q comes first", a("by"))
	case KeyBaselineCovers:
		return fmt.Sprintf("covers it: origin %q, part of the system", a("origin"))
	case KeyBaselineGap:
		return baselineEnglish(r)
	}
	return r.Key
}

func baselineEnglish(r Reason) string {
	switch r.Args["gap"] {
	case gapSource:
		return fmt.Sprintf("source %s cannot tell what belongs to the operating system", told(r.Args["source"]))
	case gapScope:
		return "installed for one user, not for the machine"
	case gapOrigin:
		if r.Args["source"] == "snap" || r.Args["source"] == "flatpak" {
			return fmt.Sprintf("origin is %s, not a known shop", told(r.Args["origin"]))
		}
		return fmt.Sprintf("origin is %s, not the operating system's vendor (%s)", told(r.Args["origin"]), told(r.Args["vendor"]))
	case gapRequested:
		return "somebody asked for it; it did not come as a dependency"
	}
	return "a product of its own, not a part of one"
}

func outranked(why string) string {
	switch why {
	case byDeny:
		return "deny wins"
	case bySpecific:
		return "it is more specific"
	case byScope:
		return "its scope is narrower"
	}
	return "its name sorts first"
}

func singular(kind string) string {
	if n := len(kind); n > 0 {
		return kind[:n-1]
	}
	return kind
}

func told(v string) string {
	if v == "" {
		return "not told"
	}
	return fmt.Sprintf("%q", v)
}
