package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/setting"
)

// Settings is what pages ask about settings; setting.Service has it.
type Settings interface {
	List(ctx context.Context) ([]setting.Current, error)
	Set(ctx context.Context, changes map[string]string) (changed []string, err error)
}

type settingPage struct {
	Page
	Groups  []settingGroup
	Saved   string
	Problem string // of none of the fields
	Change  bool   // the reader may
}

// settingGroup is the settings of one card.
type settingGroup struct {
	Name, Title, About string
	Fields             []settingField
}

// settingField is one setting as a field.
type settingField struct {
	field
	Options  []settingOption // of a list of boxes
	IsSet    bool
	ByWhom   string // who changed it and when, in words
	Input    string // of the HTML element: "text", "number", "password"
	Fallback string // the default, in words; "" where it says nothing
}

type settingOption struct {
	choice
	Checked bool
}

// settingEdit shows every setting.
func (c *console) settingEdit(w http.ResponseWriter, r *http.Request) error {
	return c.settingForm(w, r, nil, nil)
}

// settingChange changes what was typed otherwise than it was, all or nothing.
func (c *console) settingChange(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return apperr.Wrap(err, apperr.Invalid, "web.too-large", nil)
	}
	list, err := c.Settings.List(r.Context())
	if err != nil {
		return err
	}
	typed, changes := map[string]string{}, map[string]string{}
	for _, x := range list {
		values, sent := r.PostForm[x.Name]
		if x.Local || !sent {
			continue
		}
		typed[x.Name] = strings.Join(slices.DeleteFunc(values, func(s string) bool { return s == "" }), ",")
		switch {
		case x.Kind == setting.Secret && r.PostForm.Get(x.Name+".remove") != "":
			changes[x.Name] = ""
		case x.Kind == setting.Secret && typed[x.Name] == "": // stays as it is
		case typed[x.Name] == x.Default:
			changes[x.Name] = ""
		case typed[x.Name] != x.Effective() || x.Kind == setting.Secret:
			changes[x.Name] = typed[x.Name]
		}
	}
	_, err = c.Settings.Set(r.Context(), changes)
	if apperr.Is(err, apperr.Invalid) {
		return c.settingForm(w, r, typed, err)
	} else if err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionNotice, c.newPage(w, r, "").T("setting.saved"))
	http.Redirect(w, r, "/settings", http.StatusSeeOther)
	return nil
}

// settingForm shows the form, after a failure with what was typed and what is wrong.
func (c *console) settingForm(w http.ResponseWriter, r *http.Request, typed map[string]string, failure error) error {
	p := settingPage{Page: c.newPage(w, r, "administration")}
	p.Title, p.Change = p.T("admin.settings"), access.May(p.actor, access.ChangeSettings)
	list, err := c.Settings.List(r.Context())
	if err != nil {
		return err
	}
	var e *apperr.Error
	errors.As(failure, &e)
	placed := false
	for _, x := range list {
		f := p.settingField(x, typed)
		if e != nil && e.Args["field"] == x.Name {
			f.Problem, placed = p.Error(failure), true
		}
		if n := len(p.Groups); n == 0 || p.Groups[n-1].Name != x.Group() {
			p.Groups = append(p.Groups, settingGroup{Name: x.Group(), Title: p.T("setting.group." + x.Group()), About: p.T("setting.about." + x.Group())})
		}
		g := &p.Groups[len(p.Groups)-1]
		g.Fields = append(g.Fields, f)
	}
	status := http.StatusOK
	if failure != nil {
		status = http.StatusUnprocessableEntity
		if p.Problem = p.T("setting.unsaved"); !placed {
			p.Problem += " " + p.Error(failure)
		}
	} else {
		p.Saved = c.sessions.PopString(r.Context(), sessionNotice)
	}
	return c.execute(w, status, "setting_edit", "layout", p)
}

func (p *settingPage) settingField(x setting.Current, typed map[string]string) settingField {
	f := settingField{IsSet: x.IsSet, Input: "text", field: field{Name: x.Name, Label: p.T("setting.label." + x.Name), Help: p.T("setting.help." + x.Name),
		Kind: string(x.Kind), Value: x.Effective(), Fixed: x.Local || !p.Change}}
	if v, ok := typed[x.Name]; ok && x.Kind != setting.Secret {
		f.Value = v
	}
	if x.IsSet {
		f.ByWhom = p.T("setting.changed", "Who", p.Actor(x.ChangedBy), "When", x.ChangedAt)
	}
	switch x.Kind {
	case setting.Choice:
		for _, v := range x.Choices {
			f.Choices = append(f.Choices, choice{v, p.choiceWord(x.Name, v)})
		}
	case setting.Roles:
		chosen := strings.Split(f.Value, ",")
		for _, role := range actor.Roles() {
			f.Options = append(f.Options, settingOption{choice{string(role), p.Word("role", string(role))}, slices.Contains(chosen, string(role))})
		}
	case setting.Number:
		f.Input = "number"
	case setting.Secret:
		f.Input, f.Value = "password", ""
	case setting.Zone:
		f.Suggest = zones()
	}
	if x.Default != "" && x.Kind != setting.Choice {
		f.Fallback = p.T("setting.default", "Value", x.Default)
	}
	return f
}

// choiceWord is one value of a choice in words.
func (p *settingPage) choiceWord(name, value string) string {
	if name == setting.CompanyLanguage {
		return p.T("language." + value)
	}
	if strings.HasPrefix(name, "mail.") {
		return p.Word("setting.tls", value)
	}
	return p.Word("setting.choice", value)
}
