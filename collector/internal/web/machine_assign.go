package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
)

// maxListText bounds a field that holds several names, in bytes.
const maxListText = 4000

// machineAssignForm asks where a machine belongs.
func (c *console) machineAssignForm(w http.ResponseWriter, r *http.Request) error {
	p, err := c.machineOf(w, r, "assign")
	if err != nil {
		return err
	}
	return c.assignForm(w, r, p, p.Machine.Assignment(), nil)
}

// machineAssign takes it over.
func (c *console) machineAssign(w http.ResponseWriter, r *http.Request) error {
	p, err := c.machineOf(w, r, "assign")
	if err != nil {
		return err
	}
	a := fleet.Assignment{Site: posted(r, "site", maxName), Area: posted(r, "area", maxName), Person: strings.ToLower(posted(r, "person", maxEmail)),
		Tags: splitNames(posted(r, "tags", maxListText)), Groups: splitNames(posted(r, "groups", maxListText))}
	if _, err := c.Fleet.Assign(r.Context(), p.Machine.ID, a); err != nil {
		return c.assignForm(w, r, p, a, err)
	}
	return c.done(w, r, p.Path(""), "assigned")
}

// splitNames takes a field of names apart, which stand between commas.
func splitNames(s string) []string {
	var list []string
	for _, x := range strings.Split(s, ",") {
		if x = strings.TrimSpace(x); x != "" {
			list = append(list, x)
		}
	}
	return list
}

func (c *console) assignForm(w http.ResponseWriter, r *http.Request, m machinePage, a fleet.Assignment, failure error) error {
	ctx := r.Context()
	p := editPage{Page: m.Page, Action: m.Path("assign"), Cancel: m.Path("")}
	p.Title, p.Submit, p.Intro = p.T("assign.title", "Machine", m.Machine.Hostname), p.T("org.save"), p.T("assign.about")
	p.Crumbs = []headLink{{URL: "/machines", Text: p.T("nav.machines")}, {URL: m.Path(""), Text: m.Machine.Hostname}}
	sites, err := c.placeChoices(ctx, &p.Page, c.sitesInUse, a.Site)
	if err != nil {
		return err
	}
	areas, err := c.placeChoices(ctx, &p.Page, c.areasInUse, a.Area)
	if err != nil {
		return err
	}
	people, err := c.peopleSuggested(ctx)
	if err != nil {
		return err
	}
	groups, err := c.groupsByHand(ctx)
	if err != nil {
		return err
	}
	p.Fields = []field{
		{Name: "site", Label: p.T("machine.site"), Kind: "select", Value: a.Site, Choices: sites},
		{Name: "area", Label: p.T("machine.area"), Kind: "select", Value: a.Area, Choices: areas},
		{Name: "person", Label: p.T("machine.person"), Help: p.T("assign.person.help"), Kind: "email", Value: a.Person, Suggest: people},
		{Name: "tags", Label: p.T("machine.tags"), Help: p.T("assign.tags.help"), Kind: "text", Value: strings.Join(a.Tags, ", ")},
		{Name: "groups", Label: p.T("assign.groups"), Help: p.T("assign.groups.help"), Kind: "text", Value: strings.Join(a.Groups, ", "), Suggest: groups},
	}
	return c.showForm(w, r, p, inFields(failure))
}

// inFields turns an error about one field into what a form shows beside it. Others come
// back as they are.
func inFields(err error) error {
	var e *apperr.Error
	if !errors.As(err, &e) || e.Code == apperr.Internal || e.Code == apperr.Forbidden {
		return err
	}
	name, ok := e.Args["field"].(string)
	if !ok {
		return err
	}
	value, _ := e.Args["value"].(string)
	return org.Problems{{Field: name, Value: value, Key: e.Key, Args: e.Args}}
}

// peopleSuggested are the first people, offered while typing.
func (c *console) peopleSuggested(ctx context.Context) ([]choice, error) {
	page, err := c.People.PersonPage(ctx, org.PersonFilter{Active: true}, paging.Order{Limit: maxSuggested})
	var list []choice
	for _, x := range page.Rows {
		list = append(list, choice{x.Email, x.Name})
	}
	return list, err
}

// groupsByHand are the groups that machines can be put into.
func (c *console) groupsByHand(ctx context.Context) ([]choice, error) {
	rows, err := c.Groups.GroupNames(ctx)
	var list []choice
	for _, g := range rows {
		if !g.ByRule() {
			list = append(list, choice{Value: g.Name})
		}
	}
	return list, err
}
