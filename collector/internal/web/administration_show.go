package web

import (
	"net/http"

	"vigia/collector/internal/access"
)

type administrationPage struct {
	Page
	Pages []section
}

// administration lists the pages of the administration. The text of each is "admin."
// and its name, what it is for that and ".about".
func administration() []section {
	return []section{
		{"people", "/people", "users", access.SeePeople},
		{"areas", "/areas", "sitemap", access.SeePeople},
		{"sites", "/sites", "map-pin", access.SeePeople},
		{"import", importPath, "upload", access.ChangePeople},
		{"accounts", "/accounts", "login", access.ChangeRoles},
		{"settings", "/settings", "settings", access.SeeSettings},
		{"mail", "/mail", "mail", access.SeeSettings},
		{"webhooks", "/webhooks", "webhook", access.SeeSettings},
		{"updates", "/updates", "download", access.SeeSettings},
		{"backups", "/backups", "database", access.SeeSettings},
	}
}

// administrationShow leads to the pages of the administration that the reader may open.
func (c *console) administrationShow(w http.ResponseWriter, r *http.Request) error {
	p := administrationPage{Page: c.newPage(w, r, "administration")}
	p.Title, p.Pages = p.T("nav.administration"), allowed(p.actor, administration())
	return c.render(w, r, "administration", p)
}
