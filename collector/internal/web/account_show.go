package web

import (
	"net/http"
	"slices"

	"vigia/collector/internal/account"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/web/form"
)

type accountPage struct {
	Page
	account.Overview
	RoleWord string
	Sessions []sessionRow
	Look     string // one of Themes
	Language string // of the page, which the form offers first
	Saved    string // sentence about what was just done
	Problem  problem
	Wish     notify.Wish
	Admin    bool
}

type sessionRow struct {
	account.Session
	Current bool
}

// themes lists the choices of the form; "system" is account.ThemeSystem.
func themes() []string {
	return []string{"system", string(account.ThemeLight), string(account.ThemeDark)}
}

// Themes is for the template.
func (accountPage) Themes() []string { return themes() }

// oneself is the e-mail of who is signed in. The administrator of the server has no
// account: Forbidden "account.operator".
func oneself(r *http.Request) (string, error) {
	a := actor.From(r.Context())
	if a.ID == operatorID {
		return "", apperr.New(apperr.Forbidden, "account.operator", nil)
	}
	return a.ID, nil
}

// saidAfter are the messages that a page may show after a change, by ?done=.
func saidAfter() []string {
	return []string{"preferences", "password", "totp-removed", "session-ended", "others-ended", "invited", "totp-reset", "notices"}
}

// said is the sentence of ?done=.
func (c *console) said(r *http.Request, p Page) string {
	if done := form.OneOf(r, "done", saidAfter()...); done != "" {
		return p.Word("account.done", done)
	}
	return ""
}

// accountShow shows one's own account, or everybody's to whoever has none of their own.
func (c *console) accountShow(w http.ResponseWriter, r *http.Request) error {
	person, err := oneself(r)
	if err != nil {
		http.Redirect(w, r, "/accounts", http.StatusSeeOther)
		return nil
	}
	p, err := c.accountPage(w, r, person)
	if err != nil {
		return err
	}
	p.Title = p.T("account.title")
	return c.render(w, r, "account", p)
}

func (c *console) accountPage(w http.ResponseWriter, r *http.Request, person string) (accountPage, error) {
	p := accountPage{Page: c.newPage(w, r, "")}
	var err error
	if p.Overview, err = c.Accounts.Overview(r.Context(), person); err != nil {
		return p, err
	}
	if p.Wish, err = c.Wishes.Wish(r.Context()); err != nil {
		return p, err
	}
	list, err := c.Accounts.ListSessions(r.Context(), p.Overview.Person.Email)
	if err != nil {
		return p, err
	}
	st, _ := stateFrom(r.Context())
	for _, s := range list {
		p.Sessions = append(p.Sessions, sessionRow{s, s.ID == st.Session.ID})
	}
	p.RoleWord = p.Word("role", string(p.Overview.Person.Role))
	p.Look = string(p.Account.Theme)
	if p.Look == "" {
		p.Look = "system"
	}
	p.Language = p.Lang
	p.Saved = c.said(r, p.Page)
	p.Admin = p.actor.Role == actor.Administrator
	return p, nil
}

// accountPreferences keeps language and theme.
func (c *console) accountPreferences(w http.ResponseWriter, r *http.Request) error {
	person, err := oneself(r)
	if err != nil {
		return err
	}
	lang, theme := posted(r, "language", 10), posted(r, "theme", 10)
	if !slices.Contains(locale.Languages(), lang) || !slices.Contains(themes(), theme) {
		return apperr.New(apperr.Invalid, "account.preference", apperr.Args{"field": "language", "value": lang + " " + theme})
	}
	chosen := account.Theme(theme)
	if theme == "system" {
		chosen = account.ThemeSystem
	}
	if err := c.Accounts.Prefer(r.Context(), person, lang, &chosen); err != nil {
		return err
	}
	return c.done(w, r, "/account", "preferences")
}

// done goes back to a page, which says what was done.
func (c *console) done(w http.ResponseWriter, r *http.Request, path, what string) error {
	http.Redirect(w, r, form.Link(path, "done", what), http.StatusSeeOther)
	return nil
}
