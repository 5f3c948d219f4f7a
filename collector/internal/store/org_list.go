package store

import (
	"context"
	"database/sql"
	"fmt"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
)

var _ org.Lister = (*Store)(nil)

const siteRows = `SELECT s.id, s.name, s.remote, s.zone, s.inactive,
	(SELECT count(*) FROM person p WHERE p.site_id = s.id AND p.active),
	(SELECT count(*) FROM machine m WHERE m.site_id = s.id AND m.state <> 'archived') FROM site s`

func scanSiteRow(r *sql.Rows, s *org.SiteRow) error {
	return r.Scan(&s.ID, &s.Name, &s.Remote, &s.Zone, &s.Inactive, &s.People, &s.Machines)
}

// SiteRows implements org.Lister.
func (s *Store) SiteRows(ctx context.Context) ([]org.SiteRow, error) {
	list, err := rows(ctx, s.on(ctx), siteRows+" ORDER BY s.name_fold", nil, scanSiteRow)
	return list, s.mapError("listing sites", err)
}

// SiteRow implements org.Lister.
func (s *Store) SiteRow(ctx context.Context, id int64) (org.SiteRow, error) {
	list, err := rows(ctx, s.on(ctx), siteRows+" WHERE s.id = $1", []any{id}, scanSiteRow)
	return onlyRow(s, "reading a site", list, err, "site.unknown", "site", id)
}

const areaRows = `SELECT a.id, a.name, a.manager, a.inactive, coalesce(b.name, ''),
	(SELECT count(*) FROM person p WHERE p.area_id = a.id AND p.active),
	(SELECT count(*) FROM machine m WHERE m.area_id = a.id AND m.state <> 'archived')
	FROM area a LEFT JOIN person b ON b.email = a.manager`

func scanAreaRow(r *sql.Rows, a *org.AreaRow) error {
	return r.Scan(&a.ID, &a.Name, &a.Manager, &a.Inactive, &a.ManagerName, &a.People, &a.Machines)
}

// AreaRows implements org.Lister.
func (s *Store) AreaRows(ctx context.Context) ([]org.AreaRow, error) {
	list, err := rows(ctx, s.on(ctx), areaRows+" ORDER BY a.name_fold", nil, scanAreaRow)
	return list, s.mapError("listing areas", err)
}

// AreaRow implements org.Lister.
func (s *Store) AreaRow(ctx context.Context, id int64) (org.AreaRow, error) {
	list, err := rows(ctx, s.on(ctx), areaRows+" WHERE a.id = $1", []any{id}, scanAreaRow)
	return onlyRow(s, "reading an area", list, err, "area.unknown", "area", id)
}

// onlyRow is the one row of a list, or NotFound.
func onlyRow[T any](s *Store, doing string, list []T, err error, key, arg string, id int64) (T, error) {
	var none T
	if err != nil {
		return none, s.mapError(doing, err)
	}
	if len(list) == 0 {
		return none, apperr.New(apperr.NotFound, key, apperr.Args{arg: fmt.Sprint(id)})
	}
	return list[0], nil
}

const personColumns = `SELECT p.id, p.email, p.name, coalesce(a.name, ''), coalesce(s.name, ''), p.primary_machine, p.role, p.active, ` + personMachines

const personMachines = "(SELECT count(*) FROM machine m WHERE m.person_id = p.id AND m.state <> 'archived')"

const personFrom = " FROM person p LEFT JOIN area a ON a.id = p.area_id LEFT JOIN site s ON s.id = p.site_id"

func scanPersonRow(r *sql.Rows, p *org.PersonRow, more ...any) error {
	var role string
	err := r.Scan(append([]any{&p.ID, &p.Email, &p.Name, &p.Area, &p.Site, &p.PrimaryMachine, &role, &p.Active, &p.Machines}, more...)...)
	p.Role = actor.Role(role)
	return err
}

// personWhere narrows people p with their area a and site s.
func personWhere(f org.PersonFilter) where {
	var w where
	if f.Query != "" {
		q := like(f.Query)
		w.add(`(p.name_fold LIKE ? ESCAPE '\' OR p.email LIKE ? ESCAPE '\' OR p.primary_fold LIKE ? ESCAPE '\' OR a.name_fold LIKE ? ESCAPE '\' OR s.name_fold LIKE ? ESCAPE '\')`, q, q, q, q, q)
	}
	if f.Area != "" {
		w.add("a.name_fold = ?", Fold(f.Area))
	}
	if f.Site != "" {
		w.add("s.name_fold = ?", Fold(f.Site))
	}
	if f.Role != "" {
		w.add("p.role = ?", string(f.Role))
	}
	if f.Active {
		w.add("p.active")
	}
	if f.Inactive {
		w.add("NOT p.active")
	}
	return w
}

// personSorting is how the list can stand by the column of that key.
func personSorting(key string) (sorting, error) {
	by := sorting{key: "p.id", numericKey: true}
	switch key {
	case "", "name":
		by.expr = "p.name_fold"
	case "email":
		by.expr = "p.email"
	case "area":
		by.expr = "coalesce(a.name_fold, '')"
	case "site":
		by.expr = "coalesce(s.name_fold, '')"
	case "role":
		by.expr = "p.role"
	case "machine":
		by.expr = "p.primary_fold"
	case "machines":
		by.expr, by.number = personMachines, true
	case "active":
		by.expr, by.number = "CASE WHEN p.active THEN 0 ELSE 1 END", true
	default:
		return by, paging.Unknown(key)
	}
	return by, nil
}

// PersonPage implements org.Lister.
func (s *Store) PersonPage(ctx context.Context, f org.PersonFilter, o paging.Order) (paging.Page[org.PersonRow], error) {
	by, err := personSorting(o.By)
	if err != nil {
		return paging.Page[org.PersonRow]{}, err
	}
	page, err := readPage(ctx, s.on(ctx), personColumns, personFrom, personWhere(f), by, o, scanPersonRow)
	return page, s.mapError("listing people", err)
}

// CountPeople implements org.Lister.
func (s *Store) CountPeople(ctx context.Context, f org.PersonFilter, most int) (int, error) {
	n, err := countRows(ctx, s.on(ctx), personFrom, personWhere(f), most)
	return n, s.mapError("counting people", err)
}

// PersonRow implements org.Lister.
func (s *Store) PersonRow(ctx context.Context, id int64) (org.PersonRow, error) {
	list, err := rows(ctx, s.on(ctx), personColumns+personFrom+" WHERE p.id = $1", []any{id},
		func(r *sql.Rows, p *org.PersonRow) error { return scanPersonRow(r, p) })
	return onlyRow(s, "reading a person", list, err, "person.unknown", "person", id)
}
