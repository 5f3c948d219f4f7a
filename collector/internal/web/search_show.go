package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/web/form"
)

// How many hits of one kind a search shows.
const (
	quickHits = 4
	pageHits  = 10
)

type searchPage struct {
	Page
	Query  string
	Groups []hitGroup
}

// hitGroup is what was found of one kind.
type hitGroup struct {
	Name string
	Hits []hit
	More string // address of the list with the same search; "" when all is shown
}

// hit is one thing found.
type hit struct {
	ID   string // of the element
	Text string
	Sub  string
	URL  string
}

// searchShow finds machines, programs, people and records that the reader may see.
func (c *console) searchShow(w http.ResponseWriter, r *http.Request) error {
	p, err := c.search(w, r, pageHits)
	if err != nil {
		return err
	}
	p.Title = p.T("find.title")
	return c.render(w, r, "search", p)
}

// searchQuick is the part below the search box.
func (c *console) searchQuick(w http.ResponseWriter, r *http.Request) error {
	p, err := c.search(w, r, quickHits)
	if err != nil {
		return err
	}
	return c.fragment(w, "search", "quick", p)
}

func (c *console) search(w http.ResponseWriter, r *http.Request, most int) (*searchPage, error) {
	p := &searchPage{Page: c.newPage(w, r, ""), Query: form.Text(r, "q")}
	if p.Query == "" {
		return p, nil
	}
	ctx := r.Context()
	for _, kind := range []struct {
		right access.Right
		name  string
		list  string
		find  func(ctx context.Context, p *searchPage, most int) ([]hit, bool, error)
	}{
		{access.SeeNonconformities, "nav.nonconformities", "/nonconformities", c.findRecords},
		{access.SeeFindings, "nav.findings", "/findings", c.findFindings},
		{access.SeeMachines, "nav.machines", "/machines", c.findMachines},
		{access.SeePrograms, "nav.software", "/software", c.findPrograms},
		{access.SeePeople, "people.title", "/people", c.findPeople},
	} {
		if !access.May(p.actor, kind.right) {
			continue
		}
		hits, more, err := kind.find(ctx, p, most)
		if err != nil {
			return nil, err
		}
		if len(hits) == 0 {
			continue
		}
		g := hitGroup{Name: p.T(kind.name), Hits: hits}
		if more {
			g.More = form.Link(kind.list, "q", p.Query)
		}
		p.Groups = append(p.Groups, g)
	}
	p.number()
	return p, nil
}

// number gives each hit an id of its own on the page.
func (p *searchPage) number() {
	n := 0
	for _, g := range p.Groups {
		for i := range g.Hits {
			n++
			g.Hits[i].ID = "hit-" + strconv.Itoa(n)
		}
	}
}

func (c *console) findMachines(ctx context.Context, p *searchPage, most int) ([]hit, bool, error) {
	found, err := c.Machines.MachinePage(ctx, fleet.MachineFilter{Query: p.Query, Archived: true}, paging.Order{By: "hostname", Limit: most})
	var hits []hit
	for _, m := range found.Rows {
		hits = append(hits, hit{Text: m.Hostname, Sub: joined(m.Serial, m.Person, m.Site), URL: "/machines/" + m.ID})
	}
	return hits, !found.Next.IsZero(), err
}

func (c *console) findPrograms(ctx context.Context, p *searchPage, most int) ([]hit, bool, error) {
	found, err := c.Inventory.TitlePage(ctx, fleet.TitleFilter{Query: p.Query}, paging.Order{By: "name", Limit: most})
	var hits []hit
	for _, t := range found.Rows {
		hits = append(hits, hit{Text: t.Name, Sub: joined(t.Version, t.Publisher, p.N("list.machines", t.Installs)), URL: form.Link("/software", "q", t.Name)})
	}
	return hits, !found.Next.IsZero(), err
}

func (c *console) findRecords(ctx context.Context, p *searchPage, most int) ([]hit, bool, error) {
	found, err := c.Nonconformities.Page(ctx, nonconformity.Filter{Query: p.Query}, paging.Order{Limit: most})
	var hits []hit
	for _, n := range found.Rows {
		hits = append(hits, hit{Text: n.Number, Sub: joined(p.Word("nc.state", string(n.State)), n.PersonName, n.Hostname), URL: "/nonconformities/" + n.Number})
	}
	return hits, !found.Next.IsZero(), err
}

func (c *console) findPeople(ctx context.Context, p *searchPage, most int) ([]hit, bool, error) {
	found, err := c.People.PersonPage(ctx, org.PersonFilter{Query: p.Query}, paging.Order{Limit: most})
	var hits []hit
	for _, x := range found.Rows {
		hits = append(hits, hit{Text: x.Name, Sub: joined(x.Email, x.Area, x.PrimaryMachine), URL: personPath(x)})
	}
	return hits, !found.Next.IsZero(), err
}

// findFindings finds one finding by its number, with or without "#".
func (c *console) findFindings(ctx context.Context, p *searchPage, _ int) ([]hit, bool, error) {
	row, err := strconv.ParseInt(strings.TrimPrefix(p.Query, "#"), 10, 64)
	if err != nil || row <= 0 {
		return nil, false, nil
	}
	var f authorization.Finding
	f, err = c.Findings.Finding(ctx, row)
	if apperr.Is(err, apperr.NotFound) {
		return nil, false, nil
	}
	return []hit{{Text: p.T("finding.title", "Number", p.Query), Sub: joined(f.Program, f.Hostname), URL: "/findings/" + strconv.FormatInt(row, 10)}}, false, err
}

// joined puts what there is of parts in one line.
func joined(parts ...string) string {
	var kept []string
	for _, s := range parts {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, " · ")
}
