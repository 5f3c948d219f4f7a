package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"vigia/collector/internal/access"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/web/form"
	"vigia/internal/policy"
)

// groupMembers is how many machines a group's page lists.
const groupMembers = 50

type groupShowPage struct {
	Page
	Crumbs  []headLink
	Group   fleet.GroupRow
	Kind    string
	Rule    string
	Used    []usedBy
	Members []fleet.Machine
	More    int    // members beyond those listed
	All     string // address of the list of them
	Change  bool
	Saved   string
}

// usedBy is a rule of the allowlist that names a group.
type usedBy struct {
	Name   string
	Except bool // it holds for everybody else
}

// groupShow shows one group: what puts machines into it, which they are, and which rules
// of the allowlist it is for.
func (c *console) groupShow(w http.ResponseWriter, r *http.Request) error {
	p, err := c.groupPage(w, r)
	if err != nil {
		return err
	}
	p.Members, err = c.Machines.Machines(r.Context(), fleet.MachineFilter{Group: p.Group.Name, Limit: groupMembers})
	if err != nil {
		return err
	}
	p.More = max(p.Group.Machines-len(p.Members), 0)
	if done := form.OneOf(r, "done", "created", "saved"); done != "" {
		p.Saved = p.Word("group.done", done)
	}
	return c.render(w, r, "group_show", p)
}

// groupPage reads the group that the URL names.
func (c *console) groupPage(w http.ResponseWriter, r *http.Request) (groupShowPage, error) {
	p := groupShowPage{Page: c.newPage(w, r, "machines")}
	var err error
	if p.Group, err = c.Groups.GroupRow(r.Context(), r.PathValue("name")); err != nil {
		return p, err
	}
	p.Title, p.Kind, p.Rule = p.Group.Name, groupKind(&p.Group.Group), p.ruleText(&p.Group.Rule)
	p.Crumbs = []headLink{{URL: "/machines", Text: p.T("nav.machines")}, {URL: "/groups", Text: p.T("groups.title")}}
	p.All, p.Change = "/machines?group="+url.QueryEscape(p.Group.Name), access.May(p.actor, access.ChangeMachines)
	p.Used, err = c.rulesOf(r.Context(), p.Group.Name)
	return p, err
}

// rulesOf are the rules of the allowlist that name a group.
func (c *console) rulesOf(ctx context.Context, group string) ([]usedBy, error) {
	a, err := c.Allowlist.CurrentAllowlist(ctx)
	is := func(name string) bool { return policy.Fold(name) == policy.Fold(group) }
	var list []usedBy
	for _, rule := range a.Rules {
		if slices.ContainsFunc(rule.Scope.Groups, is) {
			list = append(list, usedBy{Name: rule.Name})
		}
		if slices.ContainsFunc(rule.Scope.Except.Groups, is) {
			list = append(list, usedBy{Name: rule.Name, Except: true})
		}
	}
	return list, err
}

// Path is the address of one part of the group's page.
func (p groupShowPage) Path(part string) string {
	if part != "" {
		part = "/" + part
	}
	return groupPath(p.Group.Name) + part
}

// groupDeleteForm says what is lost with a group.
func (c *console) groupDeleteForm(w http.ResponseWriter, r *http.Request) error {
	p, err := c.groupPage(w, r)
	if err != nil {
		return err
	}
	p.Title = p.T("group.delete.title", "Group", p.Group.Name)
	return c.render(w, r, "group_delete", p)
}

// groupDelete forgets it.
func (c *console) groupDelete(w http.ResponseWriter, r *http.Request) error {
	if err := c.Fleet.DeleteGroup(r.Context(), r.PathValue("name")); err != nil {
		return err
	}
	return c.done(w, r, "/groups", "deleted")
}
