package policy

import (
	"cmp"
	"slices"
	"time"

	"vigia/internal/inventory"
)

// CheckRow is one line of `vigia-agent check`; its JSON form is what that prints.
type CheckRow struct {
	Program string `json:"program"`
	Version string `json:"version"`
	Source  string `json:"source"`
	Verdict Kind   `json:"verdict"`
	Rule    string `json:"rule"` // the deciding rule's name, "baseline", or empty when nothing covers it
}

// Flagged reports whether the row is anything but authorized.
func (r CheckRow) Flagged() bool { return r.Verdict != Authorized }

// CheckAll evaluates every program of s, normalized, on the document's machine. What
// the document does not tell of the machine (host name, vendor) is taken from s. Denied
// and unauthorized programs come first, then by program, version and source. The result
// is never nil.
func CheckAll(c *Compiled, s *inventory.Snapshot, at time.Time) []CheckRow {
	e := c.On(ContextFor(c.machine, s))
	rows := make([]CheckRow, 0, len(s.Software))
	for i := range s.Software {
		p := &s.Software[i]
		v := e.Evaluate(p, at)
		rows = append(rows, CheckRow{Program: p.Name, Version: p.Version, Source: p.Source, Verdict: v.Kind, Rule: v.RuleName})
	}
	slices.SortStableFunc(rows, func(a, b CheckRow) int {
		return cmp.Or(cmp.Compare(a.Verdict.severity(), b.Verdict.severity()), cmp.Compare(a.Program, b.Program),
			CompareVersions(a.Version, b.Version), cmp.Compare(a.Source, b.Source))
	})
	return rows
}

// severity sorts the worst first.
func (k Kind) severity() int {
	switch k {
	case Denied:
		return 0
	case Unauthorized:
		return 1
	}
	return 2
}

// ContextFor fills what m does not tell from what the machine tells of itself.
func ContextFor(m MachineContext, s *inventory.Snapshot) MachineContext {
	m.Hostname = cmp.Or(m.Hostname, s.Machine.Hostname)
	m.OSVendor = cmp.Or(m.OSVendor, VendorOf(&s.System))
	return m
}
