package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/notify/webhook"
)

// webhookKinds are the patterns that are offered as boxes.
func webhookKinds() []string {
	return []string{"nonconformity.*", "finding.opened", "machine.*", "allowlist.*", "backup.*", "setting.*"}
}

// webhookNew asks for a new address.
func (c *console) webhookNew(w http.ResponseWriter, r *http.Request) error {
	return c.webhookForm(w, r, webhook.Hook{Format: webhook.EventJSON, Kinds: webhookKinds()[:1], Active: true}, nil)
}

// webhookCreate adds it; the next page shows its secret.
func (c *console) webhookCreate(w http.ResponseWriter, r *http.Request) error {
	h := postedHook(r)
	made, err := c.Webhooks.Create(r.Context(), h)
	if err != nil {
		return c.webhookForm(w, r, h, err)
	}
	c.sessions.Put(r.Context(), sessionHookSecret, made.Secret)
	return c.done(w, r, webhookPath(made.Row), "saved")
}

// webhookEdit asks for changes.
func (c *console) webhookEdit(w http.ResponseWriter, r *http.Request) error {
	h, err := c.hook(r)
	if err != nil {
		return err
	}
	return c.webhookForm(w, r, h, nil)
}

// webhookChange makes them.
func (c *console) webhookChange(w http.ResponseWriter, r *http.Request) error {
	old, err := c.hook(r)
	if err != nil {
		return err
	}
	h := postedHook(r)
	h.Row = old.Row
	if _, err := c.Webhooks.Change(r.Context(), h, false); err != nil {
		return c.webhookForm(w, r, h, err)
	}
	return c.done(w, r, webhookPath(h.Row), "saved")
}

func postedHook(r *http.Request) webhook.Hook {
	h := webhook.Hook{Name: posted(r, "name", maxName), URL: posted(r, "url", 1100), Format: webhook.Format(posted(r, "format", 20)),
		Lang: posted(r, "lang", 10), Active: r.PostFormValue("active") == "yes"}
	for _, k := range webhookKinds() {
		if r.PostFormValue(kindField(k)) == "yes" {
			h.Kinds = append(h.Kinds, k)
		}
	}
	h.Kinds = append(h.Kinds, strings.FieldsFunc(posted(r, "kinds", 2000), func(c rune) bool { return c == ' ' || c == ',' || c == ';' })...)
	if !slices.Contains(locale.Languages(), h.Lang) {
		h.Lang = ""
	}
	return h
}

// kindField is the name of the box of a pattern.
func kindField(kind string) string {
	group, _, _ := strings.Cut(kind, ".")
	return "kind-" + group
}

// webhookForm shows the form, after a failure with what is wrong beside its field.
func (c *console) webhookForm(w http.ResponseWriter, r *http.Request, h webhook.Hook, failure error) error {
	p := editPage{Page: c.newPage(w, r, "administration"), Action: "/webhooks", Cancel: "/webhooks"}
	p.Title, p.Submit, p.Crumbs, p.Intro = p.T("webhook.new"), p.T("webhook.create"), p.crumbs("/webhooks", "admin.webhooks"), p.T("webhook.new.about")
	if h.Row > 0 {
		p.Action, p.Cancel, p.Intro = webhookPath(h.Row), webhookPath(h.Row), ""
		p.Title, p.Submit = p.T("org.edit", "Name", h.Name), p.T("org.save")
	}
	p.Fields = []field{
		{Name: "name", Label: p.T("webhook.name"), Kind: "text", Value: h.Name, Required: true},
		{Name: "url", Label: p.T("webhook.url"), Help: p.T("webhook.url.help"), Kind: "url", Value: h.URL, Required: true},
		{Name: "format", Label: p.T("webhook.format"), Help: p.T("webhook.format.help"), Kind: "select", Value: string(h.Format),
			Choices: []choice{{string(webhook.EventJSON), p.Word("webhook.format", "event")}, {string(webhook.ChatJSON), p.Word("webhook.format", "chat")}}},
		{Name: "lang", Label: p.T("webhook.language"), Kind: "select", Value: h.Lang,
			Choices: []choice{{"", p.T("webhook.language.company")}, {locale.Spanish, p.T("language.es")}, {locale.English, p.T("language.en")}}},
	}
	var more []string
	for _, k := range h.Kinds {
		if !slices.Contains(webhookKinds(), k) {
			more = append(more, k)
		}
	}
	for _, k := range webhookKinds() {
		p.Fields = append(p.Fields, field{Name: kindField(k), Label: p.T("webhook." + kindField(k)), Kind: "check", Value: "yes", Checked: slices.Contains(h.Kinds, k)})
	}
	p.Fields = append(p.Fields, field{Name: "kinds", Label: p.T("webhook.kinds"), Help: p.T("webhook.kinds.help"), Kind: "text", Value: strings.Join(more, " ")},
		field{Name: "active", Label: p.T("webhook.active"), Kind: "check", Value: "yes", Checked: h.Active})
	return c.showProblem(w, p, failure)
}

// showProblem answers with a form, after a failure of one field with what is wrong
// beside it. Other failures come back.
func (c *console) showProblem(w http.ResponseWriter, p editPage, failure error) error {
	status := http.StatusOK
	var e *apperr.Error
	switch {
	case failure == nil:
	case errors.As(failure, &e) && (e.Code == apperr.Invalid || e.Code == apperr.Conflict || e.Code == apperr.TooMany):
		status, p.Problem = http.StatusUnprocessableEntity, p.T("org.form")
		name, _ := e.Args["field"].(string)
		if i := slices.IndexFunc(p.Fields, func(f field) bool { return f.Name == name }); i >= 0 {
			p.Fields[i].Problem = p.Error(failure)
		} else {
			p.Problem = p.Error(failure)
		}
	default:
		return failure
	}
	return c.execute(w, status, "directory_edit", "layout", p)
}
