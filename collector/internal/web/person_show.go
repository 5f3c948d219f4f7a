package web

import (
	"net/http"
	"net/url"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/org"
)

// personShow shows one person with what they answer for.
func (c *console) personShow(w http.ResponseWriter, r *http.Request) error {
	x, err := c.person(r)
	if err != nil {
		return err
	}
	p := showPage{Page: c.newPage(w, r, "administration")}
	p.Title, p.Crumbs = x.Name, p.crumbs("/people", "people.title")
	p.Facts = []fact{
		{p.T("person.email"), p.textCell(x.Email)},
		{p.T("person.role"), cell{Text: p.Word("role", string(x.Role))}},
		{p.T("machine.area"), p.textCell(x.Area)},
		{p.T("machine.site"), p.textCell(x.Site)},
		{p.T("person.machine"), p.textCell(x.PrimaryMachine)},
	}
	p.Links = []headLink{
		{URL: "/machines?person=" + urlValue(x.Email), Text: p.N("people.machines", x.Machines), Icon: "device-desktop"},
		{URL: "/nonconformities?person=" + urlValue(x.Email), Text: p.T("nav.nonconformities"), Icon: "clipboard-text"},
	}
	if access.May(p.actor, access.ChangeRoles) {
		p.Links = append(p.Links, headLink{URL: "/accounts/" + url.PathEscape(x.Email), Text: p.T("person.account"), Icon: "login"})
	}
	p.activity(personPath(x), "person.active", x.Active)
	p.after(r)
	return c.render(w, r, "directory_show", p)
}

// person reads the person that the URL names.
func (c *console) person(r *http.Request) (org.PersonRow, error) {
	n, err := number(r, "n", "person.unknown")
	if err != nil {
		return org.PersonRow{}, err
	}
	return c.People.PersonRow(r.Context(), n)
}

func personPath(x org.PersonRow) string { return "/people/" + strconv.FormatInt(x.ID, 10) }

// personToggle ends or brings back a person.
func (c *console) personToggle(active bool) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		x, err := c.person(r)
		if err != nil {
			return err
		}
		if err := c.People.SetPersonActive(r.Context(), x.Email, active); err != nil {
			return err
		}
		return c.done(w, r, personPath(x), doneWord(active))
	}
}

func doneWord(active bool) string {
	if active {
		return "activated"
	}
	return "deactivated"
}
