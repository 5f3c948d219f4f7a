package org

import (
	"context"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// AddArea adds an area. Errors: Invalid with Problems, also when the name is taken.
func (d *Directory) AddArea(ctx context.Context, a Area) error {
	a = tidyArea(a)
	return d.change(ctx, "area.create", "area/"+a.Name, func(ctx context.Context) (any, any, bool, error) {
		if err := d.checkArea(ctx, a, ""); err != nil {
			return nil, nil, false, err
		}
		return nil, a, true, d.Store.SaveArea(ctx, a)
	})
}

// ChangeArea changes the area of that name, also its name. Errors: NotFound; Invalid
// with Problems.
func (d *Directory) ChangeArea(ctx context.Context, name string, a Area) error {
	a = tidyArea(a)
	return d.change(ctx, "area.change", "area/"+name, func(ctx context.Context) (any, any, bool, error) {
		old, err := d.area(ctx, name)
		if err != nil {
			return nil, nil, false, err
		}
		if err := d.checkArea(ctx, a, old.Name); err != nil {
			return nil, nil, false, err
		}
		if a.Name != old.Name {
			if err := d.Store.RenameArea(ctx, old.Name, a.Name); err != nil {
				return nil, nil, false, err
			}
		}
		return old, a, old != a, d.Store.SaveArea(ctx, a)
	})
}

func tidyArea(a Area) Area {
	a.Name, a.Manager = tidy(a.Name), strings.ToLower(tidy(a.Manager))
	return a
}

func (d *Directory) area(ctx context.Context, name string) (Area, error) {
	areas, err := d.Store.Areas(ctx)
	if err != nil {
		return Area{}, err
	}
	n := slices.IndexFunc(areas, func(a Area) bool { return policy.Fold(a.Name) == policy.Fold(name) })
	if n < 0 {
		return Area{}, apperr.New(apperr.NotFound, "area.unknown", apperr.Args{"area": name})
	}
	return areas[n], nil
}

// checkArea looks at an area whose name was was, "" for a new one.
func (d *Directory) checkArea(ctx context.Context, a Area, was string) error {
	var bad Problems
	checkName(a.Name, &bad)
	if policy.Fold(a.Name) != policy.Fold(was) {
		if _, err := d.area(ctx, a.Name); err == nil {
			bad.add(0, "name", a.Name, "org.problem.name-taken", nil)
		} else if !apperr.Is(err, apperr.NotFound) {
			return err
		}
	}
	if a.Manager != "" {
		m, err := d.Store.Person(ctx, a.Manager)
		switch none, err := absent(err); {
		case err != nil:
			return err
		case none:
			bad.add(0, "manager_email", a.Manager, "org.problem.no-person", nil)
		case !m.Active:
			bad.add(0, "manager_email", a.Manager, "org.problem.person-inactive", nil)
		}
	}
	return bad.inForm()
}

func checkName(name string, bad *Problems) {
	switch {
	case policy.Fold(name) == "":
		bad.add(0, "name", name, "org.problem.empty", nil)
	case !plainText(name):
		bad.add(0, "name", name, "org.problem.text", apperr.Args{"max": maxField})
	}
}

// AddSite adds a site. Errors: Invalid with Problems, also when the name is taken.
func (d *Directory) AddSite(ctx context.Context, s Site) error {
	s = tidySite(s)
	return d.change(ctx, "site.create", "site/"+s.Name, func(ctx context.Context) (any, any, bool, error) {
		if err := d.checkSite(ctx, s, ""); err != nil {
			return nil, nil, false, err
		}
		return nil, s, true, d.Store.SaveSite(ctx, s)
	})
}

// ChangeSite changes the site of that name, also its name. Errors: NotFound; Invalid
// with Problems.
func (d *Directory) ChangeSite(ctx context.Context, name string, s Site) error {
	s = tidySite(s)
	return d.change(ctx, "site.change", "site/"+name, func(ctx context.Context) (any, any, bool, error) {
		old, err := d.site(ctx, name)
		if err != nil {
			return nil, nil, false, err
		}
		if err := d.checkSite(ctx, s, old.Name); err != nil {
			return nil, nil, false, err
		}
		if s.Name != old.Name {
			if err := d.Store.RenameSite(ctx, old.Name, s.Name); err != nil {
				return nil, nil, false, err
			}
		}
		return old, s, old != s, d.Store.SaveSite(ctx, s)
	})
}

func tidySite(s Site) Site {
	s.Name, s.Zone = tidy(s.Name), strings.TrimSpace(s.Zone)
	return s
}

func (d *Directory) site(ctx context.Context, name string) (Site, error) {
	sites, err := d.Store.Sites(ctx)
	if err != nil {
		return Site{}, err
	}
	n := slices.IndexFunc(sites, func(s Site) bool { return policy.Fold(s.Name) == policy.Fold(name) })
	if n < 0 {
		return Site{}, apperr.New(apperr.NotFound, "site.unknown", apperr.Args{"site": name})
	}
	return sites[n], nil
}

func (d *Directory) checkSite(ctx context.Context, s Site, was string) error {
	var bad Problems
	checkName(s.Name, &bad)
	if policy.Fold(s.Name) != policy.Fold(was) {
		if _, err := d.site(ctx, s.Name); err == nil {
			bad.add(0, "name", s.Name, "org.problem.name-taken", nil)
		} else if !apperr.Is(err, apperr.NotFound) {
			return err
		}
	}
	if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
		bad.add(0, "zone", s.Zone, "org.problem.zone", nil)
	}
	return bad.inForm()
}
