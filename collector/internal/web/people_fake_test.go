package web_test

import (
	"context"
	"strings"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
)

// fakePeople is the directory of the sample people; what is changed is only noted.
type fakePeople struct{ f *fake }

func (d fakePeople) rows() []org.PersonRow {
	var list []org.PersonRow
	for i, p := range samplePeople() {
		list = append(list, org.PersonRow{Person: p, ID: int64(i + 1), Machines: i})
	}
	return list
}

func (d fakePeople) PersonPage(_ context.Context, q org.PersonFilter, _ paging.Order) (paging.Page[org.PersonRow], error) {
	var page paging.Page[org.PersonRow]
	for _, p := range d.rows() {
		if !d.f.empty && strings.Contains(p.Name, q.Query) && (q.Role == "" || p.Role == q.Role) && (!q.Inactive || !p.Active) {
			page.Rows = append(page.Rows, p)
		}
	}
	return page, d.f.broken
}

func (d fakePeople) CountPeople(ctx context.Context, q org.PersonFilter, _ int) (int, error) {
	page, err := d.PersonPage(ctx, q, paging.Order{})
	return len(page.Rows), err
}

func (d fakePeople) PersonRow(_ context.Context, id int64) (org.PersonRow, error) {
	return pick(d.rows(), id, d.f.broken)
}

func (d fakePeople) AreaRows(context.Context) ([]org.AreaRow, error) {
	if d.f.empty {
		return nil, d.f.broken
	}
	return []org.AreaRow{{ID: 1, Area: org.Area{Name: "Ingeniería", Manager: "marta@example.com"}, ManagerName: "Marta Ibáñez", People: 3, Machines: 1},
		{ID: 2, Area: org.Area{Name: markup, Inactive: true}}}, d.f.broken
}

func (d fakePeople) AreaRow(ctx context.Context, id int64) (org.AreaRow, error) {
	rows, err := d.AreaRows(ctx)
	return pick(rows, id, err)
}

func (d fakePeople) SiteRows(context.Context) ([]org.SiteRow, error) {
	if d.f.empty {
		return nil, d.f.broken
	}
	return []org.SiteRow{{ID: 1, Site: org.Site{Name: "Querétaro", Zone: "America/Mexico_City"}, People: 4, Machines: 2},
		{ID: 2, Site: org.Site{Name: "Cliente norte", Remote: true, Inactive: true}, Machines: 1}}, d.f.broken
}

func (d fakePeople) SiteRow(ctx context.Context, id int64) (org.SiteRow, error) {
	rows, err := d.SiteRows(ctx)
	return pick(rows, id, err)
}

func pick[T any](rows []T, id int64, err error) (T, error) {
	if err == nil && id <= int64(len(rows)) {
		return rows[id-1], nil
	}
	var none T
	if err == nil {
		err = notFound()
	}
	return none, err
}

func (d fakePeople) AddPerson(context.Context, org.Person) error         { return d.f.broken }
func (d fakePeople) ChangePerson(context.Context, org.Person) error      { return d.f.broken }
func (d fakePeople) SetPersonActive(context.Context, string, bool) error { return d.f.broken }
func (d fakePeople) AddArea(context.Context, org.Area) error             { return d.f.broken }
func (d fakePeople) ChangeArea(context.Context, string, org.Area) error  { return d.f.broken }
func (d fakePeople) AddSite(context.Context, org.Site) error             { return d.f.broken }
func (d fakePeople) ChangeSite(context.Context, string, org.Site) error  { return d.f.broken }
func (d fakePeople) Bring(context.Context, string, *org.File) (string, error) {
	return "wrong", d.f.broken
}

// Look shows a file without problems for the id "good", one with them otherwise.
func (d fakePeople) Look(_ context.Context, id string) (org.Draft, org.Preview, error) {
	p := org.Preview{People: org.Counts{New: 1, Changed: 1, Same: 40}, Areas: org.Counts{New: 1}, Changes: []org.Change{
		{Kind: "area", Name: markup, New: true, Fields: []org.FieldChange{{Field: "name", To: markup}, {Field: "manager_email", To: "marta@example.com"}}},
		{Kind: "site", Name: "Cliente norte", Fields: []org.FieldChange{{Field: "remote", From: "true", To: "false"}, {Field: "zone", From: "UTC"}}},
		{Line: 2, Kind: "person", Name: "eva@example.com", New: true, Fields: []org.FieldChange{{Field: "name", To: "Eva"}, {Field: "role", To: string(actor.Employee)}, {Field: "active", To: "true"}}},
		{Line: 3, Kind: "person", Name: "luis@example.com", Fields: []org.FieldChange{{Field: "area", From: "Ingeniería"}, {Field: "role", From: "employee", To: "hr"}}}}}
	if id != "good" {
		p.Problems = org.Problems{{Line: 4, Field: "email", Value: markup, Key: "org.problem.email"}, {Line: 7, Key: "org.problem.fields", Args: map[string]any{"fields": 2, "want": 8}}}
	}
	return org.Draft{ID: id, Name: "personas.csv", ExpiresAt: ago(-org.DraftLife)}, p, d.f.broken
}

func (d fakePeople) Confirm(context.Context, string) (org.Preview, error) {
	return org.Preview{}, d.f.broken
}
