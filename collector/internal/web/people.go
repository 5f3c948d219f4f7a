package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/org"
	"vigia/collector/internal/web/form"
)

// People is what pages ask of the directory; org.Directory has it.
type People interface {
	org.Lister
	AddPerson(ctx context.Context, p org.Person) error
	ChangePerson(ctx context.Context, p org.Person) error
	SetPersonActive(ctx context.Context, email string, active bool) error
	AddArea(ctx context.Context, a org.Area) error
	ChangeArea(ctx context.Context, name string, a org.Area) error
	AddSite(ctx context.Context, s org.Site) error
	ChangeSite(ctx context.Context, name string, s org.Site) error
}

// Imports is what pages ask about files of people; org.Drafts has it.
type Imports interface {
	Bring(ctx context.Context, name string, f *org.File) (string, error)
	Look(ctx context.Context, id string) (org.Draft, org.Preview, error)
	Confirm(ctx context.Context, id string) (org.Preview, error)
}

// editPage is a form of the directory.
type editPage struct {
	Page
	Crumbs  []headLink
	Intro   string
	Action  string
	Fields  []field
	Problem string // about the form as a whole
	Submit  string
	Cancel  string
}

// field is one field of a form, with what is wrong with it beside it.
type field struct {
	Name, Label, Help string
	Kind              string // "text", "email", "select", "check"
	Value             string
	Checked           bool
	Required          bool
	Fixed             bool // shown, not to be changed
	Choices           []choice
	Suggest           []choice // offered while typing
	Problem           string
}

// Described is the ids of what describes the field.
func (f field) Described() string {
	ids := ""
	if f.Help != "" {
		ids = f.Name + "-help"
	}
	if f.Problem != "" {
		ids = f.Name + "-problem " + ids
	}
	return ids
}

// showForm answers with the form, after a failure with what is wrong beside each field.
// Other failures than those of the form come back.
func (c *console) showForm(w http.ResponseWriter, r *http.Request, p editPage, failure error) error {
	status := http.StatusOK
	if failure != nil {
		var problems org.Problems
		if !errors.As(failure, &problems) {
			return failure
		}
		status = http.StatusUnprocessableEntity
		p.Problem = p.Error(apperr.New(apperr.Invalid, "org.form", nil))
		for _, x := range problems {
			p.mark(x)
		}
	}
	return c.execute(w, status, "directory_edit", "layout", p)
}

// mark sets a problem beside its field, or above the form where it has none.
func (p *editPage) mark(x org.Problem) {
	text := p.Error(x.Err())
	for i := range p.Fields {
		if p.Fields[i].Name == x.Field {
			p.Fields[i].Problem = text
			return
		}
	}
	p.Problem += " " + text
}

// showPage is one object of the directory.
type showPage struct {
	Page
	Crumbs []headLink
	State  tag
	Facts  []fact
	Links  []headLink // what belongs to it
	Edit   string     // address; "" for those who may not
	Toggle *toggle
	Saved  string
	Undo   *toggle // beside Saved
}

// fact is one line of a definition grid.
type fact struct {
	Label string
	Value cell
}

// toggle is a form of one button.
type toggle struct{ Action, Text string }

// headLink is a link of a page's head.
type headLink struct{ URL, Text, Icon string }

// activity is how an object is taken out of use and back, as its page shows it; group
// has the words for its state.
func (p *showPage) activity(path, group string, active bool) {
	p.State = p.Tag(group, active)
	if !access.May(p.actor, access.ChangePeople) {
		return
	}
	p.Edit = path + "/edit"
	if active {
		p.Toggle = &toggle{path + "/deactivate", p.T("org.deactivate")}
	} else {
		p.Toggle = &toggle{path + "/activate", p.T("org.activate")}
	}
}

// after shows what was just done, with the way back.
func (p *showPage) after(r *http.Request) {
	done := form.OneOf(r, "done", "created", "saved", "deactivated", "activated")
	if done == "" {
		return
	}
	p.Saved = p.Word("org.done", done)
	if p.Toggle != nil && (done == "deactivated" || done == "activated") {
		p.Undo = &toggle{p.Toggle.Action, p.T("org.undo")}
	}
}

// number is the number in the path, or NotFound.
func number(r *http.Request, name, key string) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil || n < 1 {
		return 0, apperr.New(apperr.NotFound, key, nil)
	}
	return n, nil
}

func roleChoices(p *Page) []choice {
	var list []choice
	for _, r := range actor.Roles() {
		list = append(list, choice{string(r), p.Word("role", string(r))})
	}
	return list
}

// crumbs lead from the administration to a list of the directory.
func (p Page) crumbs(url, key string) []headLink {
	return []headLink{{URL: "/administration", Text: p.T("nav.administration")}, {URL: url, Text: p.T(key)}}
}

// directoryTabs lead from one list of the directory to another.
func directoryTabs(p *Page) []headLink {
	return []headLink{{URL: "/people", Text: p.T("people.title")}, {URL: "/areas", Text: p.T("areas.title")}, {URL: "/sites", Text: p.T("sites.title")}}
}

// newLinks offers to add an object and to import, to those who may.
func newLinks(url, key string) func(*Page) []headLink {
	return func(p *Page) []headLink {
		if !access.May(p.actor, access.ChangePeople) {
			return nil
		}
		return []headLink{{URL: url, Text: p.T(key), Icon: "plus"}, {URL: importPath, Text: p.T("import.title"), Icon: "upload"}}
	}
}
