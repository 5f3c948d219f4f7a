package authorization

import (
	"slices"
	"strings"
)

// Severity is how grave it is that a program is somewhere without authorization.
// Deadlines and escalations of nonconformities hang on it.
type Severity string

// The severities. Ungraded is that of a finding which nobody has looked up in the
// catalogue yet; it counts as Minor.
const (
	Ungraded Severity = ""
	Minor    Severity = "minor"
	Major    Severity = "major"
	Critical Severity = "critical"
)

// Severities lists every severity, the gravest first.
func Severities() []Severity { return []Severity{Critical, Major, Minor} }

// Rank orders severities: 0 for Ungraded to 3 for Critical.
func (s Severity) Rank() int {
	return slices.Index([]Severity{Ungraded, Minor, Major, Critical}, s)
}

// Known reports whether s is one of Severities.
func (s Severity) Known() bool { return slices.Contains(Severities(), s) }

// SeverityOfRank is the way back from Rank; numbers that are none are Ungraded.
func SeverityOfRank(n int) Severity {
	list := []Severity{Ungraded, Minor, Major, Critical}
	if n < 0 || n >= len(list) {
		return Ungraded
	}
	return list[n]
}

// Worst returns the gravest of severities, Minor when there is none: what a record of
// several programs has.
func Worst(list ...Severity) Severity {
	worst := Minor
	for _, s := range list {
		if s.Rank() > worst.Rank() {
			worst = s
		}
	}
	return worst
}

// Category is what kind of program something is.
type Category string

// The categories of the catalogue.
const (
	RemoteControl    Category = "remote-control"
	HackingTool      Category = "hacking-tool" // passwords, sniffing, breaking in
	PeerToPeer       Category = "peer-to-peer"
	Commercial       Category = "commercial" // needs a license that may be missing
	Game             Category = "game"
	WideExtension    Category = "wide-extension" // a browser extension that may read every page
	UnsupportedThing Category = "unsupported"    // a version that gets no fixes any more
	UnknownThing     Category = "unknown"        // nothing in the catalogue matches
)

// Categories lists every category, in the order in which they are tried.
func Categories() []Category {
	return []Category{HackingTool, RemoteControl, PeerToPeer, WideExtension, UnsupportedThing, Commercial, Game, UnknownThing}
}

// Known reports whether c is one of Categories.
func (c Category) Known() bool { return slices.Contains(Categories(), c) }

// Grade is what the catalogue says of a program.
type Grade struct {
	Category Category `json:"category"`
	Severity Severity `json:"severity"`
}

// tidyText is s with single spaces and nothing around it.
func tidyText(s string) string { return strings.Join(strings.Fields(s), " ") }
