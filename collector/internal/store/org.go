package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store/internal/db"
)

var _ org.Store = (*Store)(nil)

// siteID returns the site of that name, which it makes when it is new; none for "".
func siteID(ctx context.Context, q *db.Queries, name string) (sql.NullInt64, error) {
	if name == "" {
		return sql.NullInt64{}, nil
	}
	found, err := q.SiteByFold(ctx, Fold(name))
	if errors.Is(err, sql.ErrNoRows) {
		found.ID, err = q.InsertSite(ctx, db.InsertSiteParams{Name: name, NameFold: Fold(name)})
	}
	return sql.NullInt64{Int64: found.ID, Valid: true}, err
}

// areaID does the same for an area.
func areaID(ctx context.Context, q *db.Queries, name string) (sql.NullInt64, error) {
	if name == "" {
		return sql.NullInt64{}, nil
	}
	found, err := q.AreaByFold(ctx, Fold(name))
	if errors.Is(err, sql.ErrNoRows) {
		found.ID, err = q.InsertArea(ctx, db.InsertAreaParams{Name: name, NameFold: Fold(name)})
	}
	return sql.NullInt64{Int64: found.ID, Valid: true}, err
}

func noName(field string) error {
	return apperr.New(apperr.Invalid, "org.empty", apperr.Args{"field": field})
}

func toSite(v db.Site) org.Site {
	return org.Site{Name: v.Name, Remote: v.Remote, Zone: v.Zone, Inactive: v.Inactive}
}

func toArea(v db.Area) org.Area {
	return org.Area{Name: v.Name, Manager: v.Manager, Inactive: v.Inactive}
}

// RenameSite implements org.Store.
func (s *Store) RenameSite(ctx context.Context, from, to string) error {
	if Fold(to) == "" {
		return noName("site")
	}
	return s.write(ctx, "renaming a site", func(ctx context.Context, q *db.Queries) error {
		v, err := q.SiteByFold(ctx, Fold(from))
		if err != nil {
			return unknown(err, "site.unknown", apperr.Args{"site": from})
		}
		return q.UpdateSite(ctx, db.UpdateSiteParams{Name: to, NameFold: Fold(to), Remote: v.Remote, Zone: v.Zone, Inactive: v.Inactive, ID: v.ID})
	})
}

// RenameArea implements org.Store.
func (s *Store) RenameArea(ctx context.Context, from, to string) error {
	if Fold(to) == "" {
		return noName("area")
	}
	return s.write(ctx, "renaming an area", func(ctx context.Context, q *db.Queries) error {
		v, err := q.AreaByFold(ctx, Fold(from))
		if err != nil {
			return unknown(err, "area.unknown", apperr.Args{"area": from})
		}
		return q.UpdateArea(ctx, db.UpdateAreaParams{Name: to, NameFold: Fold(to), Manager: v.Manager, Inactive: v.Inactive, ID: v.ID})
	})
}

// SaveSite implements org.Store.
func (s *Store) SaveSite(ctx context.Context, site org.Site) error {
	if Fold(site.Name) == "" {
		return noName("site")
	}
	return s.write(ctx, "keeping a site", func(ctx context.Context, q *db.Queries) error {
		old, err := q.SiteByFold(ctx, Fold(site.Name))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			_, err = q.InsertSite(ctx, db.InsertSiteParams{Name: site.Name, NameFold: Fold(site.Name), Remote: site.Remote, Zone: site.Zone, Inactive: site.Inactive})
			return err
		case err != nil || toSite(old) == site:
			return err
		}
		return q.UpdateSite(ctx, db.UpdateSiteParams{Name: site.Name, NameFold: old.NameFold, Remote: site.Remote, Zone: site.Zone, Inactive: site.Inactive, ID: old.ID})
	})
}

// SaveArea implements org.Store.
func (s *Store) SaveArea(ctx context.Context, a org.Area) error {
	if Fold(a.Name) == "" {
		return noName("area")
	}
	a.Manager = strings.ToLower(a.Manager)
	return s.write(ctx, "keeping an area", func(ctx context.Context, q *db.Queries) error {
		old, err := q.AreaByFold(ctx, Fold(a.Name))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			_, err = q.InsertArea(ctx, db.InsertAreaParams{Name: a.Name, NameFold: Fold(a.Name), Manager: a.Manager, Inactive: a.Inactive})
			return err
		case err != nil || toArea(old) == a:
			return err
		}
		return q.UpdateArea(ctx, db.UpdateAreaParams{Name: a.Name, NameFold: old.NameFold, Manager: a.Manager, Inactive: a.Inactive, ID: old.ID})
	})
}

// SavePerson implements org.Store. An area or site that is not known yet is made.
func (s *Store) SavePerson(ctx context.Context, p org.Person) error {
	p.Email = strings.ToLower(strings.TrimSpace(p.Email))
	if p.Email == "" {
		return noName("email")
	}
	return s.write(ctx, "keeping a person", func(ctx context.Context, q *db.Queries) error {
		old, err := q.PersonByEmail(ctx, p.Email)
		known := err == nil
		if known && toPerson(old) == p {
			return nil
		}
		if err = ignoreNoRows(err); err != nil {
			return err
		}
		area, err := areaID(ctx, q, p.Area)
		if err != nil {
			return err
		}
		site, err := siteID(ctx, q, p.Site)
		if err != nil {
			return err
		}
		if known {
			return q.UpdatePerson(ctx, db.UpdatePersonParams{
				Name: p.Name, NameFold: Fold(p.Name), AreaID: area, SiteID: site, PrimaryMachine: p.PrimaryMachine,
				PrimaryFold: Fold(p.PrimaryMachine), Role: string(p.Role), Active: p.Active, Email: p.Email,
			})
		}
		return q.InsertPerson(ctx, db.InsertPersonParams{
			Email: p.Email, Name: p.Name, NameFold: Fold(p.Name), AreaID: area, SiteID: site, PrimaryMachine: p.PrimaryMachine,
			PrimaryFold: Fold(p.PrimaryMachine), Role: string(p.Role), Active: p.Active,
		})
	})
}

func toPerson(v db.PersonView) org.Person {
	return org.Person{
		Email: v.Email, Name: v.Name, Area: v.Area, Site: v.Site,
		PrimaryMachine: v.PrimaryMachine, Role: actor.Role(v.Role), Active: v.Active,
	}
}

func toPeople(views []db.PersonView) []org.Person {
	out := make([]org.Person, len(views))
	for i, v := range views {
		out[i] = toPerson(v)
	}
	return out
}

// Sites implements org.Store: by name.
func (s *Store) Sites(ctx context.Context) (out []org.Site, err error) {
	err = s.read(ctx, "listing sites", func(q *db.Queries) error {
		found, err := q.ListSites(ctx)
		for _, v := range found {
			out = append(out, toSite(v))
		}
		return err
	})
	return out, err
}

// Areas implements org.Store: by name.
func (s *Store) Areas(ctx context.Context) (out []org.Area, err error) {
	err = s.read(ctx, "listing areas", func(q *db.Queries) error {
		found, err := q.ListAreas(ctx)
		for _, v := range found {
			out = append(out, toArea(v))
		}
		return err
	})
	return out, err
}

// People implements org.Store: by e-mail.
func (s *Store) People(ctx context.Context) (out []org.Person, err error) {
	err = s.read(ctx, "listing people", func(q *db.Queries) error {
		found, err := q.ListPeople(ctx)
		out = toPeople(found)
		return err
	})
	return out, err
}

// Person implements org.Store.
func (s *Store) Person(ctx context.Context, email string) (p org.Person, err error) {
	err = s.read(ctx, "reading a person", func(q *db.Queries) error {
		v, err := q.PersonByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
		p = toPerson(v)
		return unknown(err, "person.unknown", apperr.Args{"person": email})
	})
	return p, err
}

// PeopleByRole implements org.Store: by e-mail, active or not.
func (s *Store) PeopleByRole(ctx context.Context, role actor.Role) (out []org.Person, err error) {
	err = s.read(ctx, "listing people of a role", func(q *db.Queries) error {
		found, err := q.ListPeopleByRole(ctx, string(role))
		out = toPeople(found)
		return err
	})
	return out, err
}

// AssignPrimary implements org.Store. Of several people with one primary machine, the
// first by e-mail answers for it. Archived machines stay as they are.
func (s *Store) AssignPrimary(ctx context.Context) (changed int, err error) {
	err = s.write(ctx, "assigning primary machines", func(ctx context.Context, q *db.Queries) error {
		changed = 0
		pairs, err := q.PrimaryMachines(ctx)
		if err != nil {
			return err
		}
		var last int64
		for _, p := range pairs {
			if p.ID == last {
				continue
			}
			last = p.ID
			did, err := assign(ctx, q, db.PrimaryOfRow(p))
			if err != nil {
				return err
			}
			if did {
				changed++
			}
		}
		return nil
	})
	return changed, err
}

// assign makes the person of p responsible for its machine, and tells whether that is
// a change. Site and area of the machine stay where it has them; one whose person
// somebody chose stays as it is.
func assign(ctx context.Context, q *db.Queries, p db.PrimaryOfRow) (changed bool, err error) {
	if p.PersonChosen {
		return false, nil
	}
	want := db.AssignMachineParams{PersonID: sql.NullInt64{Int64: p.NewPersonID, Valid: true}, SiteID: p.SiteID, AreaID: p.AreaID, ID: p.ID}
	if !want.SiteID.Valid {
		want.SiteID = p.NewSiteID
	}
	if !want.AreaID.Valid {
		want.AreaID = p.NewAreaID
	}
	if want.PersonID == p.PersonID && want.SiteID == p.SiteID && want.AreaID == p.AreaID {
		return false, nil
	}
	return true, q.AssignMachine(ctx, want)
}

// AssignPrimaryTo implements fleet.Store.
func (s *Store) AssignPrimaryTo(ctx context.Context, id string) (fleet.Machine, error) {
	err := s.write(ctx, "assigning a machine to its person", func(ctx context.Context, q *db.Queries) error {
		found, err := q.PrimaryOf(ctx, id)
		if err != nil || len(found) == 0 {
			return err
		}
		_, err = assign(ctx, q, found[0])
		return err
	})
	if err != nil {
		return fleet.Machine{}, err
	}
	return s.Machine(ctx, id)
}
