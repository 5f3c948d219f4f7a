package inventory

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

func (n *normalizer) machine(m *Machine) {
	n.section, n.entry = SectionMachine, m.Hostname
	n.texts("hostname", &m.Hostname, "domain", &m.Domain, "serial", &m.Serial, "uuid", &m.UUID, "machine_id", &m.MachineID)
	m.UUID = strings.ToLower(m.UUID)
}

func (n *normalizer) software(list []Program) []Program {
	n.section = SectionSoftware
	kept := list[:0]
	for i := range list {
		p := &list[i]
		n.entry = p.Name
		if n.program(p) {
			kept = append(kept, *p)
		}
	}
	SortPrograms(kept)
	kept = n.distinct(kept)
	if over := len(kept) - MaxPrograms; over > 0 {
		n.entry = ""
		n.remark("software", ProblemTooMany, fmt.Sprint(over))
		kept = kept[:MaxPrograms]
	}
	return kept
}

// program normalizes p and reports whether it can be kept.
func (n *normalizer) program(p *Program) bool {
	n.texts("name", &p.Name, "version", &p.Version, "publisher", &p.Publisher, "origin", &p.Origin,
		"source", &p.Source, "user", &p.User, "arch", &p.Arch, "signer", &p.Signer)
	n.text("path", &p.Path, MaxPath)
	n.time("installed_at", &p.InstalledAt)
	if p.Scope != ScopeUser && p.Scope != ScopeMachine {
		n.oneOf("scope", &p.Scope, ScopeMachine, ScopeMachine, ScopeUser)
	}
	if p.SHA256 != "" {
		p.SHA256 = strings.ToLower(p.SHA256)
		if len(p.SHA256) != 64 || strings.Trim(p.SHA256, "0123456789abcdef") != "" {
			n.remark("sha256", ProblemUnknown, p.SHA256)
			p.SHA256 = ""
		}
	}
	switch {
	case p.Name == "":
		n.remark("name", ProblemNoName, p.Path)
		return false
	case p.Source == "":
		n.remark("source", ProblemNoName, p.Name)
		return false
	}
	return true
}

// distinct drops entries with the same key from a sorted list, keeping the earliest
// time of installation.
func (n *normalizer) distinct(list []Program) []Program {
	seen := make(map[Key]int, len(list))
	kept := list[:0]
	for i := range list {
		k := list[i].Key()
		at, dup := seen[k]
		if !dup {
			seen[k] = len(kept)
			kept = append(kept, list[i])
			continue
		}
		n.entry = list[i].Name
		n.remark("name", ProblemDuplicate, list[i].Version)
		if was := kept[at].InstalledAt; was.IsZero() || (!list[i].InstalledAt.IsZero() && list[i].InstalledAt.Before(was)) {
			kept[at].InstalledAt = list[i].InstalledAt
		}
	}
	return kept
}

func (n *normalizer) system(s *System) {
	n.section, n.entry = SectionSystem, s.Name
	n.texts("os", &s.OS, "name", &s.Name, "distribution", &s.Distribution, "version", &s.Version, "kernel", &s.Kernel,
		"arch", &s.Arch, "timezone", &s.Timezone, "locale", &s.Locale, "init", &s.Init)
	n.oneOf("os", &s.OS, "", "linux", "windows", "")
	n.oneOf("secure_boot", &s.SecureBoot, "", "on", "off", "")
	n.time("installed_at", &s.InstalledAt)
	n.time("booted_at", &s.BootedAt)
	n.date("support_ends", &s.SupportEnds)
	n.windows(s)
	s.Users = limit(n, "users", s.Users)
	for i := range s.Users {
		n.texts("users.name", &s.Users[i].Name)
	}
	slices.SortFunc(s.Users, func(a, b Account) int { return cmp.Compare(a.Name, b.Name) })
}

// windows normalizes what Windows alone tells. Lists stay nil where there are none, so
// that other systems' documents do not grow.
func (n *normalizer) windows(s *System) {
	n.texts("edition", &s.Edition, "joined_to", &s.JoinedTo)
	n.oneOf("join", &s.Join, "", "domain", "entra", "hybrid", "none", "")
	n.oneOf("auto_update", &s.AutoUpdate, "", "on", "off", "")
	n.date("updated_on", &s.UpdatedOn)
	s.RebootReasons = some(n, "reboot_reasons", s.RebootReasons)
	for i := range s.RebootReasons {
		n.texts("reboot_reasons", &s.RebootReasons[i])
	}
	s.Firewall = some(n, "firewall", s.Firewall)
	for i := range s.Firewall {
		n.oneOf("firewall.name", &s.Firewall[i].Name, "public", "domain", "private", "public")
	}
	s.Activations = some(n, "activations", s.Activations)
	for i := range s.Activations {
		a := &s.Activations[i]
		n.texts("activations.product", &a.Product, "activations.partial_key", &a.PartialKey)
		n.oneOf("activations.state", &a.State, "unknown", "licensed", "unlicensed", "grace", "not-genuine", "notification", "unknown")
		n.date("activations.ends_on", &a.EndsOn)
	}
	slices.SortStableFunc(s.Activations, func(a, b Activation) int {
		return cmp.Or(cmp.Compare(a.Product, b.Product), cmp.Compare(a.PartialKey, b.PartialKey))
	})
	s.Features = some(n, "features", s.Features)
	for i := range s.Features {
		n.texts("features", &s.Features[i])
	}
	slices.Sort(s.Features)
	s.Hotfixes = some(n, "hotfixes", s.Hotfixes)
	for i := range s.Hotfixes {
		h := &s.Hotfixes[i]
		n.texts("hotfixes.id", &h.ID, "hotfixes.kind", &h.Kind)
		n.date("hotfixes.installed_on", &h.InstalledOn)
	}
	slices.SortStableFunc(s.Hotfixes, func(a, b Hotfix) int { return cmp.Compare(a.ID, b.ID) })
}

// some is limit for lists that are left out when they are empty.
func some[T any](n *normalizer, field string, list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return limit(n, field, list)
}

func (n *normalizer) antivirus(list []Antivirus) []Antivirus {
	n.section = SectionAntivirus
	list = limit(n, "antivirus", list)
	for i := range list {
		a := &list[i]
		n.entry = a.Product
		n.texts("product", &a.Product, "source", &a.Source, "engine", &a.Engine, "version", &a.Version, "definitions_version", &a.DefinitionsVersion)
		n.oneOf("state", &a.State, "unknown", "on", "off", "snoozed", "expired", "unknown")
		n.oneOf("real_time", &a.RealTime, "unknown", "on", "off", "unknown")
		n.oneOf("updater", &a.Updater, "", "on", "off", "unknown", "")
		n.time("definitions_at", &a.DefinitionsAt)
		n.oneOf("tamper_protection", &a.TamperProtection, "", "on", "off", "")
		n.time("last_scan_at", &a.LastScanAt)
		n.time("quick_scan_at", &a.QuickScanAt)
		n.time("full_scan_at", &a.FullScanAt)
		n.notNegative("last_scan_infected", &a.LastScanInfected)
		if a.Signatures < 0 {
			n.remark("signatures", ProblemNegative, fmt.Sprint(a.Signatures))
			a.Signatures = 0
		}
		a.Problems = limit(n, "problems", a.Problems)
		for j := range a.Problems {
			n.texts("problems", &a.Problems[j])
		}
		slices.Sort(a.Problems)
		a.Problems = slices.Compact(a.Problems)
		a.Detections = limit(n, "detections", a.Detections)
		for j := range a.Detections {
			d := &a.Detections[j]
			n.texts("threat", &d.Threat, "where", &d.Where, "action", &d.Action)
			n.time("at", &d.At)
		}
		slices.SortStableFunc(a.Detections, func(x, y Detection) int {
			return cmp.Or(y.At.Compare(x.At), cmp.Compare(x.Threat, y.Threat), cmp.Compare(x.Where, y.Where))
		})
	}
	slices.SortStableFunc(list, func(a, b Antivirus) int { return cmp.Compare(a.Product, b.Product) })
	return list
}

func (n *normalizer) sources(list []Source) []Source {
	n.section = SectionSources
	list = limit(n, "sources", list)
	for i := range list {
		s := &list[i]
		n.entry = s.Source
		n.texts("source", &s.Source, "error", &s.Error)
		if o := string(s.Outcome); o != "ok" && o != "absent" && o != "failed" && o != "stale" {
			n.remark("outcome", ProblemUnknown, o)
			s.Outcome = OutcomeFailed
		}
		n.notNegative("entries", &s.Entries)
		s.DurationMS = max(0, s.DurationMS)
	}
	slices.SortStableFunc(list, func(a, b Source) int { return cmp.Compare(a.Source, b.Source) })
	return list
}

// limit cuts a list to MaxListed with a remark, and makes nil an empty list, so that
// both have one digest and one JSON form.
func limit[T any](n *normalizer, field string, list []T) []T {
	if list == nil {
		return []T{}
	}
	if over := len(list) - MaxListed; over > 0 {
		n.remark(field, ProblemTooMany, fmt.Sprint(over))
		return list[:MaxListed]
	}
	return list
}

// addresses keeps what parses as an address with a prefix, sorted.
func (n *normalizer) addresses(list []string) []string {
	list = limit(n, "addresses", list)
	kept := list[:0]
	for _, a := range list {
		if p, err := netip.ParsePrefix(a); err == nil {
			kept = append(kept, p.String())
		} else {
			n.remark("addresses", ProblemUnknown, a)
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}
