package org

import (
	"context"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// plan compares the file with the directory.
func (i *Importer) plan(ctx context.Context, f *File) (plan, error) {
	p := plan{Preview: Preview{Problems: append(Problems(nil), f.Problems...)}}
	sites, err := i.Store.Sites(ctx)
	if err != nil {
		return p, err
	}
	areas, err := i.Store.Areas(ctx)
	if err != nil {
		return p, err
	}
	people, err := i.Store.People(ctx)
	if err != nil {
		return p, err
	}
	p.compareSites(f, sites)
	p.compareAreas(f, areas)
	known := make(map[string]Person, len(people))
	for _, x := range people {
		known[x.Email] = x
	}
	p.comparePeople(f, known, actor.From(ctx))
	p.checkManagers(f, known)
	return p, p.seal()
}

func (p *plan) compareSites(f *File, sites []Site) {
	byName := map[string]Site{}
	for _, s := range sites {
		byName[policy.Fold(s.Name)] = s
	}
	for _, s := range f.Sites {
		old, known := byName[policy.Fold(s.Name)]
		if known {
			s.Name, s.Zone, s.Inactive = old.Name, old.Zone, old.Inactive // a file says nothing of them
			if !f.remote[policy.Fold(s.Name)] {
				s.Remote = old.Remote
			}
		}
		if p.note(&p.Sites, known, Change{Kind: "site", Name: s.Name, Fields: siteFields(old, s)}) {
			p.sites = append(p.sites, s)
			p.was(known, old)
		}
	}
}

func (p *plan) compareAreas(f *File, areas []Area) {
	byName := map[string]Area{}
	for _, a := range areas {
		byName[policy.Fold(a.Name)] = a
	}
	for _, a := range f.Areas {
		old, known := byName[policy.Fold(a.Name)]
		if known {
			a.Name, a.Inactive = old.Name, old.Inactive
			if a.Manager == "" { // a file that names no manager takes none away
				a.Manager = old.Manager
			}
		}
		if p.note(&p.Areas, known, Change{Kind: "area", Name: a.Name, Fields: areaFields(old, a)}) {
			p.areas = append(p.areas, a)
			p.was(known, old)
		}
	}
}

func (p *plan) comparePeople(f *File, people map[string]Person, who actor.Actor) {
	for _, x := range f.People {
		old, known := people[x.Email]
		if known {
			if !f.roles[x.Email] { // a file that tells no role takes none away
				x.Role = old.Role
			}
			if policy.Fold(x.Area) == policy.Fold(old.Area) {
				x.Area = old.Area
			}
			if policy.Fold(x.Site) == policy.Fold(old.Site) {
				x.Site = old.Site
			}
		}
		if !p.note(&p.People, known, Change{Line: f.lines[x.Email], Kind: "person", Name: x.Email, Fields: personFields(old, x)}) {
			continue
		}
		if key := refuseRole(who, known, old, x); key != "" {
			p.Problems.add(f.lines[x.Email], "role", string(x.Role), key, nil)
		}
		p.people = append(p.people, x)
		p.was(known, old)
	}
}

func (p *plan) was(known bool, old any) {
	if known {
		p.before = append(p.before, old)
	}
}

// refuseRole is the key of why who may not make old into x, or empty. Only who may
// change roles gives one, takes one, or brings back or ends somebody who has one; and
// nobody does so to themselves, so that no company locks itself out.
func refuseRole(who actor.Actor, known bool, old, x Person) string {
	if !known {
		old.Role = actor.Employee
	}
	changes := old.Role != x.Role || known && old.Active != x.Active && old.Role != actor.Employee
	switch {
	case known && who.Kind == actor.Person && who.ID == old.Email && (old.Role != x.Role || old.Active != x.Active):
		return "org.problem.own-role"
	case changes && !access.May(who, access.ChangeRoles):
		return "org.problem.role-right"
	}
	return ""
}

// checkManagers wants every manager to be somebody.
func (p *plan) checkManagers(f *File, known map[string]Person) {
	for _, a := range f.Areas {
		if a.Manager == "" {
			continue
		}
		if _, ok := known[a.Manager]; ok || f.lines[a.Manager] > 0 {
			continue
		}
		p.Problems.add(1, "manager_email", a.Manager, "org.problem.manager", apperr.Args{"area": a.Name})
	}
}

// differ lists the fields whose values differ; values are texts by name.
func differ(names []string, old, is []string) []FieldChange {
	var list []FieldChange
	for i, n := range names {
		if old[i] != is[i] {
			list = append(list, FieldChange{n, old[i], is[i]})
		}
	}
	return list
}

func siteFields(old, is Site) []FieldChange {
	return differ([]string{"name", "remote", "zone", "active"},
		[]string{old.Name, strconv.FormatBool(old.Remote), old.Zone, strconv.FormatBool(!old.Inactive)},
		[]string{is.Name, strconv.FormatBool(is.Remote), is.Zone, strconv.FormatBool(!is.Inactive)})
}

func areaFields(old, is Area) []FieldChange {
	return differ([]string{"name", "manager_email", "active"},
		[]string{old.Name, old.Manager, strconv.FormatBool(!old.Inactive)}, []string{is.Name, is.Manager, strconv.FormatBool(!is.Inactive)})
}

func personFields(old, is Person) []FieldChange {
	return differ([]string{"name", "area", "site", "primary_machine", "role", "active"},
		[]string{old.Name, old.Area, old.Site, old.PrimaryMachine, string(old.Role), strconv.FormatBool(old.Active)},
		[]string{is.Name, is.Area, is.Site, is.PrimaryMachine, string(is.Role), strconv.FormatBool(is.Active)})
}
