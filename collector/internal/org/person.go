package org

import (
	"context"
	"slices"
	"strings"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// AddPerson adds somebody. Errors: Invalid with Problems, also when the address is known.
func (d *Directory) AddPerson(ctx context.Context, p Person) error {
	p = tidyPerson(p)
	return d.change(ctx, "person.create", "person/"+p.Email, func(ctx context.Context) (any, any, bool, error) {
		var bad Problems
		if !validEmail(p.Email) {
			bad.add(0, "email", p.Email, "org.problem.email", nil)
		} else if _, err := d.Store.Person(ctx, p.Email); err == nil {
			bad.add(0, "email", p.Email, "org.problem.known", nil)
		} else if !apperr.Is(err, apperr.NotFound) {
			return nil, nil, false, err
		}
		if key := refuseRole(actor.From(ctx), false, Person{}, p); key != "" {
			bad.add(0, "role", string(p.Role), key, nil)
		}
		return d.savePerson(ctx, nil, p, bad)
	})
}

// ChangePerson changes everything of a person but their address and whether they are
// active. Errors: NotFound; Invalid with Problems.
func (d *Directory) ChangePerson(ctx context.Context, p Person) error {
	p = tidyPerson(p)
	return d.change(ctx, "person.change", "person/"+p.Email, func(ctx context.Context) (any, any, bool, error) {
		old, err := d.Store.Person(ctx, p.Email)
		if err != nil {
			return nil, nil, false, err
		}
		p.Active = old.Active
		var bad Problems
		if key := refuseRole(actor.From(ctx), true, old, p); key != "" {
			bad.add(0, "role", string(p.Role), key, nil)
		}
		return d.savePerson(ctx, &old, p, bad)
	})
}

// SetPersonActive ends or brings back somebody. Errors: NotFound; Forbidden when the
// person has a role that the actor may not change, or is the actor.
func (d *Directory) SetPersonActive(ctx context.Context, email string, active bool) error {
	email = strings.ToLower(strings.TrimSpace(email))
	action := "person.deactivate"
	if active {
		action = "person.activate"
	}
	return d.change(ctx, action, "person/"+email, func(ctx context.Context) (any, any, bool, error) {
		old, err := d.Store.Person(ctx, email)
		if err != nil {
			return nil, nil, false, err
		}
		p := old
		p.Active = active
		if key := refuseRole(actor.From(ctx), true, old, p); key != "" {
			return nil, nil, false, apperr.New(apperr.Forbidden, key, nil)
		}
		return old, p, old != p, d.Store.SavePerson(ctx, p)
	})
}

func tidyPerson(p Person) Person {
	p.Email = strings.ToLower(tidy(p.Email))
	p.Name, p.Area, p.Site, p.PrimaryMachine = tidy(p.Name), tidy(p.Area), tidy(p.Site), tidy(p.PrimaryMachine)
	if p.Role == "" {
		p.Role = actor.Employee
	}
	return p
}

// tidy is s with single spaces.
func tidy(s string) string { return strings.Join(strings.Fields(s), " ") }

// savePerson saves p when nothing is wrong with it.
func (d *Directory) savePerson(ctx context.Context, old *Person, p Person, bad Problems) (before, after any, differs bool, err error) {
	for _, f := range []struct{ name, value string }{{"name", p.Name}, {"primary_machine", p.PrimaryMachine}} {
		if !plainText(f.value) {
			bad.add(0, f.name, f.value, "org.problem.text", apperr.Args{"max": maxField})
		}
	}
	if p.Name == "" {
		bad.add(0, "name", "", "org.problem.empty", nil)
	}
	if !slices.Contains(actor.Roles(), p.Role) {
		bad.add(0, "role", string(p.Role), "org.problem.role", apperr.Args{"roles": roleNames()})
	}
	if err := d.checkPlaces(ctx, p, &bad); err != nil {
		return nil, nil, false, err
	}
	if err := bad.inForm(); err != nil {
		return nil, nil, false, err
	}
	if old != nil {
		before = *old
	}
	return before, p, old == nil || *old != p, d.Store.SavePerson(ctx, p)
}

// checkPlaces wants the area and the site to be known.
func (d *Directory) checkPlaces(ctx context.Context, p Person, bad *Problems) error {
	areas, err := d.Store.Areas(ctx)
	if err != nil {
		return err
	}
	if p.Area != "" && !slices.ContainsFunc(areas, func(a Area) bool { return policy.Fold(a.Name) == policy.Fold(p.Area) }) {
		bad.add(0, "area", p.Area, "org.problem.no-area", nil)
	}
	sites, err := d.Store.Sites(ctx)
	if err != nil {
		return err
	}
	if p.Site != "" && !slices.ContainsFunc(sites, func(s Site) bool { return policy.Fold(s.Name) == policy.Fold(p.Site) }) {
		bad.add(0, "site", p.Site, "org.problem.no-site", nil)
	}
	return nil
}
