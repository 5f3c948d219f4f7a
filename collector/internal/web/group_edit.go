package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/internal/policy"
)

// previewed is how many machines a preview lists.
const previewed = 20

type groupEditPage struct {
	Page
	Crumbs  []headLink
	Action  string
	Cancel  string
	Submit  string
	Name    string
	Fixed   bool // the name
	About   string
	Fields  []ruleEdit
	Problem map[string]string // by field; "" is about the form
	Preview *groupPreview
}

// ruleEdit is one field of a rule: boxes where what there is can be chosen, else one
// value in each line.
type ruleEdit struct {
	Name, Label, Help string
	Boxes             []ruleBox
	Lines             string
	Problem           string
}

type ruleBox struct {
	Value string
	On    bool
}

// groupPreview is which machines a rule would put into a group.
type groupPreview struct {
	N        int
	Machines []fleet.Machine
	More     int
	Empty    bool // there is no rule
}

// groupNew asks for a new group.
func (c *console) groupNew(w http.ResponseWriter, r *http.Request) error {
	return c.groupForm(w, r, fleet.Group{}, false, false, nil)
}

// groupCreate makes it.
func (c *console) groupCreate(w http.ResponseWriter, r *http.Request) error {
	g := postedGroup(r)
	if r.PostFormValue("preview") != "" {
		return c.groupForm(w, r, g, false, true, nil)
	}
	made, err := c.Fleet.CreateGroup(r.Context(), g)
	if err != nil {
		return c.groupForm(w, r, g, false, false, err)
	}
	return c.done(w, r, groupPath(made.Name), "created")
}

// groupEdit asks for changes of a group.
func (c *console) groupEdit(w http.ResponseWriter, r *http.Request) error {
	old, err := c.Groups.GroupRow(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	return c.groupForm(w, r, old.Group, true, false, nil)
}

// groupChange makes them.
func (c *console) groupChange(w http.ResponseWriter, r *http.Request) error {
	old, err := c.Groups.GroupRow(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	g := postedGroup(r)
	g.Name = old.Name
	if r.PostFormValue("preview") != "" {
		return c.groupForm(w, r, g, true, true, nil)
	}
	if err := c.Fleet.ChangeGroup(r.Context(), g); err != nil {
		return c.groupForm(w, r, g, true, false, err)
	}
	return c.done(w, r, groupPath(old.Name), "saved")
}

// groupPreview is the part of the form that shows, while it is filled in, which machines
// would be in the group.
func (c *console) groupPreview(w http.ResponseWriter, r *http.Request) error {
	p := groupEditPage{Page: c.newPage(w, r, "machines")}
	var err error
	if p.Preview, err = c.preview(r.Context(), postedGroup(r).Rule); err != nil {
		return err
	}
	return c.fragment(w, "group_edit", "preview", p)
}

func (c *console) preview(ctx context.Context, rule fleet.Rule) (*groupPreview, error) {
	if rule.IsZero() {
		return &groupPreview{Empty: true}, nil
	}
	list, n, err := c.Groups.RuleMembers(ctx, rule, previewed)
	return &groupPreview{N: n, Machines: list, More: n - len(list)}, err
}

func postedGroup(r *http.Request) fleet.Group {
	g := fleet.Group{Name: posted(r, "name", maxName), About: posted(r, "about", 2000)}
	for _, f := range ruleFields(&g.Rule) {
		for _, v := range r.PostForm[f.name] {
			if len(v) > 20_000 {
				continue
			}
			for _, line := range strings.Split(v, "\n") {
				if line = strings.TrimSpace(strings.ToValidUTF8(line, "")); line != "" && len(*f.values) < 200 {
					*f.values = append(*f.values, line)
				}
			}
		}
	}
	return g
}

// groupForm shows the form, after a failure with what is wrong beside each field.
func (c *console) groupForm(w http.ResponseWriter, r *http.Request, g fleet.Group, fixed, preview bool, failure error) error {
	ctx := r.Context()
	p := groupEditPage{Page: c.newPage(w, r, "machines"), Action: "/groups", Cancel: "/groups", Name: g.Name, About: g.About, Fixed: fixed, Problem: map[string]string{}}
	p.Title, p.Submit = p.T("group.new"), p.T("group.create")
	p.Crumbs = []headLink{{URL: "/machines", Text: p.T("nav.machines")}, {URL: "/groups", Text: p.T("groups.title")}}
	if fixed {
		p.Action, p.Cancel, p.Title, p.Submit = groupPath(g.Name), groupPath(g.Name), p.T("org.edit", "Name", g.Name), p.T("org.save")
		p.Crumbs = append(p.Crumbs, headLink{URL: groupPath(g.Name), Text: g.Name})
	}
	status, err := p.fail(failure)
	if err != nil {
		return err
	}
	if err := c.ruleEdits(ctx, &p, &g.Rule); err != nil {
		return err
	}
	if preview || fixed {
		if p.Preview, err = c.preview(ctx, g.Rule); err != nil {
			return err
		}
	}
	return c.execute(w, status, "group_edit", "layout", p)
}

// fail takes over what is wrong with one field; other failures come back.
func (p *groupEditPage) fail(failure error) (status int, err error) {
	if failure == nil {
		return http.StatusOK, nil
	}
	var e *apperr.Error
	if !errors.As(failure, &e) || e.Code != apperr.Invalid && e.Code != apperr.Conflict {
		return 0, failure
	}
	name, _ := e.Args["field"].(string)
	p.Problem[""], p.Problem[name] = p.Error(apperr.New(apperr.Invalid, "org.form", nil)), p.Error(failure)
	return http.StatusUnprocessableEntity, nil
}

// ruleEdits makes the fields of the rule.
func (c *console) ruleEdits(ctx context.Context, p *groupEditPage, rule *fleet.Rule) error {
	for _, f := range ruleFields(rule) {
		edit := ruleEdit{Name: f.name, Label: p.T(f.label), Help: p.T("group.help." + f.name), Problem: p.Problem[f.name]}
		var offered []choice
		var err error
		switch f.name {
		case "sites":
			offered, err = c.sitesInUse(ctx, &p.Page)
		case "areas":
			offered, err = c.areasInUse(ctx, &p.Page)
		default:
			edit.Lines = strings.Join(*f.values, "\n")
		}
		if err != nil {
			return err
		}
		if f.name == "sites" || f.name == "areas" {
			edit.Boxes = boxes(offered, *f.values)
		}
		p.Fields = append(p.Fields, edit)
	}
	return nil
}

// boxes offers what there is, and what was chosen though it is no longer there.
func boxes(offered []choice, chosen []string) []ruleBox {
	on := func(v string) func(string) bool {
		return func(x string) bool { return policy.Fold(x) == policy.Fold(v) }
	}
	var list []ruleBox
	for _, o := range offered {
		list = append(list, ruleBox{o.Value, slices.ContainsFunc(chosen, on(o.Value))})
	}
	for _, v := range chosen {
		if !slices.ContainsFunc(list, func(b ruleBox) bool { return on(v)(b.Value) }) {
			list = append(list, ruleBox{v, true})
		}
	}
	return list
}
