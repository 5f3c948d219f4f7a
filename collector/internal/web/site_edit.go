package web

import (
	"net/http"

	"vigia/collector/internal/org"
)

// siteNew asks for a new site.
func (c *console) siteNew(w http.ResponseWriter, r *http.Request) error {
	return c.siteForm(w, r, nil, org.Site{}, nil)
}

// siteCreate adds it.
func (c *console) siteCreate(w http.ResponseWriter, r *http.Request) error {
	s := postedSite(r)
	if err := c.People.AddSite(r.Context(), s); err != nil {
		return c.siteForm(w, r, nil, s, err)
	}
	return c.done(w, r, "/sites", "created")
}

// siteEdit asks for changes of a site.
func (c *console) siteEdit(w http.ResponseWriter, r *http.Request) error {
	x, err := c.site(r)
	if err != nil {
		return err
	}
	return c.siteForm(w, r, &x, x.Site, nil)
}

// siteChange makes them.
func (c *console) siteChange(w http.ResponseWriter, r *http.Request) error {
	old, err := c.site(r)
	if err != nil {
		return err
	}
	s := postedSite(r)
	s.Inactive = old.Inactive
	if err := c.People.ChangeSite(r.Context(), old.Name, s); err != nil {
		return c.siteForm(w, r, &old, s, err)
	}
	return c.done(w, r, sitePath(old), "saved")
}

func postedSite(r *http.Request) org.Site {
	return org.Site{Name: posted(r, "name", maxName), Remote: r.PostFormValue("remote") == "yes", Zone: posted(r, "zone", 60)}
}

// zones are those of Mexico and its neighbours, offered while typing; any other IANA
// name is taken too.
func zones() []choice {
	var list []choice
	for _, z := range []string{"America/Mexico_City", "America/Cancun", "America/Merida", "America/Monterrey", "America/Matamoros", "America/Chihuahua",
		"America/Ciudad_Juarez", "America/Ojinaga", "America/Mazatlan", "America/Bahia_Banderas", "America/Hermosillo", "America/Tijuana",
		"America/Guatemala", "America/Bogota", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Europe/Madrid", "UTC"} {
		list = append(list, choice{Value: z})
	}
	return list
}

// siteForm shows the form; old is nil for a new site.
func (c *console) siteForm(w http.ResponseWriter, r *http.Request, old *org.SiteRow, s org.Site, failure error) error {
	p := editPage{Page: c.newPage(w, r, "administration"), Action: "/sites", Cancel: "/sites"}
	p.Title, p.Submit, p.Crumbs = p.T("site.new"), p.T("site.create"), p.crumbs("/sites", "sites.title")
	if old != nil {
		p.Action, p.Cancel = sitePath(*old), sitePath(*old)
		p.Title, p.Submit, p.Crumbs = p.T("org.edit", "Name", old.Name), p.T("org.save"), append(p.Crumbs, headLink{URL: sitePath(*old), Text: old.Name})
	}
	p.Fields = []field{
		{Name: "name", Label: p.T("site.name"), Kind: "text", Value: s.Name, Required: true},
		{Name: "remote", Label: p.T("site.is-remote"), Help: p.T("site.is-remote.help"), Kind: "check", Value: "yes", Checked: s.Remote},
		{Name: "zone", Label: p.T("site.zone"), Help: p.T("site.zone.help"), Kind: "text", Value: s.Zone, Suggest: zones()},
	}
	return c.showForm(w, r, p, failure)
}
