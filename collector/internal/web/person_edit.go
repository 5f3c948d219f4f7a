package web

import (
	"context"
	"net/http"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/org"
)

// Bounds of a form's values, in bytes.
const (
	maxEmail = 254
	maxName  = 300
)

// personNew asks for a new person.
func (c *console) personNew(w http.ResponseWriter, r *http.Request) error {
	return c.personForm(w, r, nil, org.Person{Role: actor.Employee, Area: r.URL.Query().Get("area")}, nil)
}

// personCreate adds them.
func (c *console) personCreate(w http.ResponseWriter, r *http.Request) error {
	x := postedPerson(r)
	x.Email, x.Active = posted(r, "email", maxEmail), true
	if x.Role == "" {
		x.Role = actor.Employee // the form shows no roles to those who may not give them
	}
	if err := c.People.AddPerson(r.Context(), x); err != nil {
		return c.personForm(w, r, nil, x, err)
	}
	return c.done(w, r, "/people", "created")
}

// personEdit asks for changes of a person.
func (c *console) personEdit(w http.ResponseWriter, r *http.Request) error {
	x, err := c.person(r)
	if err != nil {
		return err
	}
	return c.personForm(w, r, &x, x.Person, nil)
}

// personChange makes them.
func (c *console) personChange(w http.ResponseWriter, r *http.Request) error {
	old, err := c.person(r)
	if err != nil {
		return err
	}
	x := postedPerson(r)
	x.Email, x.Active = old.Email, old.Active
	if x.Role == "" {
		x.Role = old.Role
	}
	if err := c.People.ChangePerson(r.Context(), x); err != nil {
		return c.personForm(w, r, &old, x, err)
	}
	return c.done(w, r, personPath(old), "saved")
}

func postedPerson(r *http.Request) org.Person {
	return org.Person{Name: posted(r, "name", maxName), Area: posted(r, "area", maxName), Site: posted(r, "site", maxName),
		PrimaryMachine: posted(r, "primary_machine", maxName), Role: actor.Role(posted(r, "role", 40))}
}

// personForm shows the form; old is nil for a new person.
func (c *console) personForm(w http.ResponseWriter, r *http.Request, old *org.PersonRow, x org.Person, failure error) error {
	p := editPage{Page: c.newPage(w, r, "administration"), Action: "/people", Cancel: "/people"}
	p.Title, p.Submit, p.Crumbs = p.T("person.new"), p.T("person.create"), p.crumbs("/people", "people.title")
	if old != nil {
		p.Action, p.Cancel = personPath(*old), personPath(*old)
		p.Title, p.Submit, p.Crumbs = p.T("org.edit", "Name", old.Name), p.T("org.save"), append(p.Crumbs, headLink{URL: personPath(*old), Text: old.Name})
	}
	areas, err := c.placeChoices(r.Context(), &p.Page, c.areasInUse, x.Area)
	if err != nil {
		return err
	}
	sites, err := c.placeChoices(r.Context(), &p.Page, c.sitesInUse, x.Site)
	if err != nil {
		return err
	}
	role := field{Name: "role", Label: p.T("person.role"), Help: p.T("person.role.help"), Kind: "select", Value: string(x.Role), Choices: roleChoices(&p.Page)}
	if !access.May(p.actor, access.ChangeRoles) {
		role.Fixed, role.Value, role.Help = true, p.Word("role", string(x.Role)), p.T("org.problem.role-right")
	}
	p.Fields = []field{
		{Name: "email", Label: p.T("person.email"), Help: p.T("person.email.help"), Kind: "email", Value: x.Email, Required: true, Fixed: old != nil},
		{Name: "name", Label: p.T("person.name"), Kind: "text", Value: x.Name, Required: true},
		role,
		{Name: "area", Label: p.T("machine.area"), Kind: "select", Value: x.Area, Choices: areas},
		{Name: "site", Label: p.T("machine.site"), Kind: "select", Value: x.Site, Choices: sites},
		{Name: "primary_machine", Label: p.T("person.machine"), Help: p.T("person.machine.help"), Kind: "text", Value: x.PrimaryMachine},
	}
	return c.showForm(w, r, p, failure)
}

// placeChoices offers places after "none"; the current one stays even when it is no
// longer offered.
func (c *console) placeChoices(ctx context.Context, p *Page, offer func(context.Context, *Page) ([]choice, error), current string) ([]choice, error) {
	list, err := offer(ctx, p)
	known := current == ""
	for _, x := range list {
		known = known || x.Value == current
	}
	if !known {
		list = append(list, choice{current, current})
	}
	return append([]choice{{"", p.T("org.none")}}, list...), err
}
