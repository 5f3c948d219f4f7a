package web

import (
	"net/http"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/web/form"
)

type helpPage struct {
	Page
	Query string
	Pages []manualPage
	Shown *manualPage // nil: the search, or the list of pages
	Hits  []manualHit
}

// helpIndex lists the manual's pages, or what a search in it found.
func (c *console) helpIndex(w http.ResponseWriter, r *http.Request) error {
	p := &helpPage{Page: c.newPage(w, r, "help"), Query: form.Text(r, "q")}
	p.Title, p.Pages = p.T("help.title"), c.manual[p.Lang]
	p.Hits = c.manual.search(p.Lang, p.Query)
	return c.render(w, r, "help", p)
}

// helpShow shows one page of the manual in the reader's language.
func (c *console) helpShow(w http.ResponseWriter, r *http.Request) error {
	p := &helpPage{Page: c.newPage(w, r, "help")}
	p.Pages, p.Shown = c.manual[p.Lang], c.manual.page(p.Lang, r.PathValue("page"))
	if p.Shown == nil {
		return apperr.New(apperr.NotFound, "web.no-page", nil)
	}
	p.Title = p.Shown.Title
	return c.render(w, r, "help", p)
}

// helpFor is the address of the manual's page about a section of the rail.
func (c *console) helpFor(lang, section string) string {
	if c.manual.page(lang, section) != nil {
		return "/help/" + section
	}
	return "/help"
}
