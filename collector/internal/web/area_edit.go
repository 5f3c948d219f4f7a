package web

import (
	"context"
	"net/http"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
)

// maxSuggested is how many managers are offered while typing.
const maxSuggested = 200

// areaNew asks for a new area.
func (c *console) areaNew(w http.ResponseWriter, r *http.Request) error {
	return c.areaForm(w, r, nil, org.Area{}, nil)
}

// areaCreate adds it.
func (c *console) areaCreate(w http.ResponseWriter, r *http.Request) error {
	a := postedArea(r)
	if err := c.People.AddArea(r.Context(), a); err != nil {
		return c.areaForm(w, r, nil, a, err)
	}
	return c.done(w, r, "/areas", "created")
}

// areaEdit asks for changes of an area.
func (c *console) areaEdit(w http.ResponseWriter, r *http.Request) error {
	x, err := c.area(r)
	if err != nil {
		return err
	}
	return c.areaForm(w, r, &x, x.Area, nil)
}

// areaChange makes them.
func (c *console) areaChange(w http.ResponseWriter, r *http.Request) error {
	old, err := c.area(r)
	if err != nil {
		return err
	}
	a := postedArea(r)
	a.Inactive = old.Inactive
	if err := c.People.ChangeArea(r.Context(), old.Name, a); err != nil {
		return c.areaForm(w, r, &old, a, err)
	}
	return c.done(w, r, areaPath(old), "saved")
}

func postedArea(r *http.Request) org.Area {
	return org.Area{Name: posted(r, "name", maxName), Manager: posted(r, "manager_email", maxEmail)}
}

// areaForm shows the form; old is nil for a new area.
func (c *console) areaForm(w http.ResponseWriter, r *http.Request, old *org.AreaRow, a org.Area, failure error) error {
	p := editPage{Page: c.newPage(w, r, "administration"), Action: "/areas", Cancel: "/areas"}
	p.Title, p.Submit, p.Crumbs = p.T("area.new"), p.T("area.create"), p.crumbs("/areas", "areas.title")
	if old != nil {
		p.Action, p.Cancel = areaPath(*old), areaPath(*old)
		p.Title, p.Submit, p.Crumbs = p.T("org.edit", "Name", old.Name), p.T("org.save"), append(p.Crumbs, headLink{URL: areaPath(*old), Text: old.Name})
	}
	managers, err := c.managers(r.Context())
	if err != nil {
		return err
	}
	p.Fields = []field{
		{Name: "name", Label: p.T("area.name"), Kind: "text", Value: a.Name, Required: true},
		{Name: "manager_email", Label: p.T("area.manager"), Help: p.T("area.manager.help"), Kind: "email", Value: a.Manager, Suggest: managers},
	}
	return c.showForm(w, r, p, failure)
}

// managers are the people with the role of an area manager.
func (c *console) managers(ctx context.Context) ([]choice, error) {
	page, err := c.People.PersonPage(ctx, org.PersonFilter{Role: actor.AreaManager, Active: true}, paging.Order{Limit: maxSuggested})
	var list []choice
	for _, x := range page.Rows {
		list = append(list, choice{x.Email, x.Name})
	}
	return list, err
}
