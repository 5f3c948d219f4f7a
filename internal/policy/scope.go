package policy

import (
	"slices"
	"strings"

	"vigia/internal/inventory"
)

// foldedMachine is a MachineContext ready for comparison.
type foldedMachine struct {
	id, hostname, label, site, area string
	groups                          []string
	person, login                   string
	vendor                          string
}

func foldMachine(m *MachineContext) *foldedMachine {
	f := &foldedMachine{id: Fold(m.ID), hostname: Fold(m.Hostname), site: Fold(m.Site), area: Fold(m.Area),
		person: Fold(m.Person), vendor: Fold(m.OSVendor)}
	f.label, _, _ = strings.Cut(f.hostname, ".")
	f.login, _, _ = strings.Cut(f.person, "@")
	for _, g := range m.Groups {
		f.groups = append(f.groups, Fold(g))
	}
	return f
}

// targets is a compiled Targets.
type targets struct {
	sites, areas, groups, users []string // folded
	machines                    []glob
	given                       bool
}

func compileTargets(t *Targets) (targets, error) {
	c := targets{sites: foldAll(t.Sites), areas: foldAll(t.Areas), groups: foldAll(t.Groups), users: foldAll(t.Users), given: !t.IsZero()}
	for _, s := range t.Machines {
		g, err := compileGlob(s)
		if err != nil {
			return c, err
		}
		c.machines = append(c.machines, g)
	}
	return c, nil
}

func foldAll(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, Fold(s))
	}
	return out
}

// kinds of Targets, as explanations name them.
const (
	kindMachines = "machines"
	kindUsers    = "users"
	kindGroups   = "groups"
	kindAreas    = "areas"
	kindSites    = "sites"
)

// missing returns the first given kind that does not hold, or "".
func (t *targets) missing(p *folded, m *foldedMachine) string {
	switch {
	case len(t.machines) > 0 && !t.hasMachine(m):
		return kindMachines
	case len(t.users) > 0 && !t.hasUser(p, m):
		return kindUsers
	case len(t.groups) > 0 && !t.hasGroup(m):
		return kindGroups
	case len(t.areas) > 0 && !has(t.areas, m.area):
		return kindAreas
	case len(t.sites) > 0 && !has(t.sites, m.site):
		return kindSites
	}
	return ""
}

// naming returns the first kind by which t names the machine or user, or "".
func (t *targets) naming(p *folded, m *foldedMachine) string {
	switch {
	case !t.given:
	case t.hasMachine(m):
		return kindMachines
	case t.hasUser(p, m):
		return kindUsers
	case t.hasGroup(m):
		return kindGroups
	case has(t.areas, m.area):
		return kindAreas
	case has(t.sites, m.site):
		return kindSites
	}
	return ""
}

func has(list []string, v string) bool { return v != "" && slices.Contains(list, v) }

func (t *targets) hasGroup(m *foldedMachine) bool {
	return slices.ContainsFunc(m.groups, func(g string) bool { return has(t.groups, g) })
}

func (t *targets) hasMachine(m *foldedMachine) bool {
	for i := range t.machines {
		for _, v := range [...]string{m.id, m.hostname, m.label} {
			if v != "" && t.machines[i].match(v) {
				return true
			}
		}
	}
	return false
}

// hasUser takes the account of a program installed for one user, and the person who
// answers for the machine otherwise. Where that account is the person's login, the
// person's e-mail address names it as well. A Windows domain before \ does not count.
func (t *targets) hasUser(p *folded, m *foldedMachine) bool {
	if len(t.users) == 0 {
		return false
	}
	if p.p.Scope != inventory.ScopeUser {
		return has(t.users, m.person) || has(t.users, m.login)
	}
	user := Fold(p.p.User)
	bare := user[strings.LastIndexByte(user, '\\')+1:]
	return has(t.users, user) || has(t.users, bare) || bare != "" && bare == m.login && has(t.users, m.person)
}

// RulesFor returns the rules that may hold on m, in the order of rules: those whose
// scope asks for another machine, group, area or site, or excepts m by one of these,
// are left out, so that an agent is not told about others. Evaluation on m is the same
// with the result. Rules must be valid; one that is not is kept.
func RulesFor(rules []Rule, m MachineContext) []Rule {
	fm := foldMachine(&m)
	kept := make([]Rule, 0, len(rules))
	for i := range rules {
		if reaches(&rules[i].Scope, fm) {
			kept = append(kept, rules[i])
		}
	}
	return kept
}

// reaches looks at everything of s but users, who differ from program to program.
func reaches(s *Scope, m *foldedMachine) bool {
	if s.IsZero() {
		return true
	}
	in, err1 := compileTargets(&s.Targets)
	out, err2 := compileTargets(&s.Except)
	if err1 != nil || err2 != nil {
		return true
	}
	in.users, out.users = nil, nil
	return in.missing(nil, m) == "" && out.naming(nil, m) == ""
}
