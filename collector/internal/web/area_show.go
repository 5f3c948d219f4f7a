package web

import (
	"net/http"

	"vigia/collector/internal/org"
)

// areaShow shows one area with who answers for it.
func (c *console) areaShow(w http.ResponseWriter, r *http.Request) error {
	x, err := c.area(r)
	if err != nil {
		return err
	}
	p := showPage{Page: c.newPage(w, r, "administration")}
	p.Title, p.Crumbs = x.Name, p.crumbs("/areas", "areas.title")
	manager := cell{Text: x.Manager}
	switch {
	case x.Manager == "":
		manager = cell{Text: p.T("area.nobody"), Quiet: true}
	case x.ManagerName != "":
		manager = cell{Text: x.ManagerName, Sub: x.Manager}
	}
	p.Facts = []fact{{p.T("area.manager"), manager}}
	p.Links = []headLink{
		{URL: "/people?area=" + urlValue(x.Name), Text: p.N("people.count", x.People), Icon: "users"},
		{URL: "/machines?area=" + urlValue(x.Name), Text: p.N("people.machines", x.Machines), Icon: "device-desktop"},
		{URL: "/nonconformities?area=" + urlValue(x.Name), Text: p.T("nav.nonconformities"), Icon: "clipboard-text"},
	}
	p.activity(areaPath(x), "org.active", !x.Inactive)
	p.after(r)
	return c.render(w, r, "directory_show", p)
}

// area reads the area that the URL names.
func (c *console) area(r *http.Request) (org.AreaRow, error) {
	n, err := number(r, "n", "area.unknown")
	if err != nil {
		return org.AreaRow{}, err
	}
	return c.People.AreaRow(r.Context(), n)
}

// areaToggle takes an area out of use or back.
func (c *console) areaToggle(active bool) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		x, err := c.area(r)
		if err != nil {
			return err
		}
		a := x.Area
		a.Inactive = !active
		if err := c.People.ChangeArea(r.Context(), x.Name, a); err != nil {
			return err
		}
		return c.done(w, r, areaPath(x), doneWord(active))
	}
}
