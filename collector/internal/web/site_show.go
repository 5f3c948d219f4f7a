package web

import (
	"net/http"

	"vigia/collector/internal/org"
)

// siteShow shows one site.
func (c *console) siteShow(w http.ResponseWriter, r *http.Request) error {
	x, err := c.site(r)
	if err != nil {
		return err
	}
	p := showPage{Page: c.newPage(w, r, "administration")}
	p.Title, p.Crumbs = x.Name, p.crumbs("/sites", "sites.title")
	p.Facts = []fact{{p.T("site.kind"), cell{Text: p.siteKind(x.Remote)}}, {p.T("site.zone"), p.zoneCell(x.Zone)}}
	p.Links = []headLink{
		{URL: "/people?site=" + urlValue(x.Name), Text: p.N("people.count", x.People), Icon: "users"},
		{URL: "/machines?site=" + urlValue(x.Name), Text: p.N("people.machines", x.Machines), Icon: "device-desktop"},
		{URL: "/nonconformities?site=" + urlValue(x.Name), Text: p.T("nav.nonconformities"), Icon: "clipboard-text"},
	}
	p.activity(sitePath(x), "org.active", !x.Inactive)
	p.after(r)
	return c.render(w, r, "directory_show", p)
}

// site reads the site that the URL names.
func (c *console) site(r *http.Request) (org.SiteRow, error) {
	n, err := number(r, "n", "site.unknown")
	if err != nil {
		return org.SiteRow{}, err
	}
	return c.People.SiteRow(r.Context(), n)
}

// siteToggle takes a site out of use or back.
func (c *console) siteToggle(active bool) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		x, err := c.site(r)
		if err != nil {
			return err
		}
		s := x.Site
		s.Inactive = !active
		if err := c.People.ChangeSite(r.Context(), x.Name, s); err != nil {
			return err
		}
		return c.done(w, r, sitePath(x), doneWord(active))
	}
}
