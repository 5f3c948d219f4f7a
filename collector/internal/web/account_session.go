package web

import (
	"net/http"
	"net/url"

	"vigia/collector/internal/account"
	"vigia/collector/internal/web/form"
)

// sessionEnd ends one of one's own sessions.
func (c *console) sessionEnd(w http.ResponseWriter, r *http.Request) error {
	if err := c.Accounts.Revoke(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	return c.done(w, r, "/account", "session-ended")
}

// sessionEndOthers ends all of one's own sessions but this one.
func (c *console) sessionEndOthers(w http.ResponseWriter, r *http.Request) error {
	person, err := oneself(r)
	if err != nil {
		return err
	}
	st, _ := stateFrom(r.Context())
	if _, err := c.Accounts.RevokeOthers(r.Context(), person, st.Session.ID); err != nil {
		return err
	}
	return c.done(w, r, "/account", "others-ended")
}

type accountsPage struct {
	Page
	Sessions []sessionRow
	Saved    string
}

// accountList shows an administrator who is signed in.
func (c *console) accountList(w http.ResponseWriter, r *http.Request) error {
	p := accountsPage{Page: c.newPage(w, r, "administration")}
	list, err := c.Accounts.ListSessions(r.Context(), "")
	if err != nil {
		return err
	}
	st, _ := stateFrom(r.Context())
	for _, s := range list {
		p.Sessions = append(p.Sessions, sessionRow{s, s.ID == st.Session.ID})
	}
	p.Title, p.Saved = p.T("accounts.title"), c.said(r, p.Page)
	return c.render(w, r, "account_list", p)
}

// accountFind goes to the account of an e-mail address.
func (c *console) accountFind(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, accountURL(form.Text(r, "email")), http.StatusSeeOther)
	return nil
}

func accountURL(email string) string { return "/accounts/" + url.PathEscape(email) }

// accountOther shows an administrator somebody's account.
func (c *console) accountOther(w http.ResponseWriter, r *http.Request) error {
	p, err := c.accountPage(w, r, r.PathValue("email"))
	if err != nil {
		return err
	}
	p.Title = p.T("accounts.one")
	return c.render(w, r, "account_other", p)
}

// accountChange is what an administrator does to an account.
func (c *console) accountChange(what string, do func(r *http.Request, email string) error) action {
	return func(w http.ResponseWriter, r *http.Request) error {
		email := r.PathValue("email")
		if err := do(r, email); err != nil {
			return err
		}
		return c.done(w, r, accountURL(email), what)
	}
}

func (c *console) accountInvite() action {
	return c.accountChange("invited", func(r *http.Request, email string) error { return c.Accounts.Invite(r.Context(), email) })
}

func (c *console) accountResetTOTP() action {
	return c.accountChange("totp-reset", func(r *http.Request, email string) error { return c.Accounts.ResetTOTP(r.Context(), email) })
}

func (c *console) accountEndSessions() action {
	return c.accountChange("others-ended", func(r *http.Request, email string) error {
		st, _ := stateFrom(r.Context())
		_, err := c.Accounts.RevokeOthers(r.Context(), email, st.Session.ID)
		return err
	})
}

// accountEndSession ends one session of anybody.
func (c *console) accountEndSession(w http.ResponseWriter, r *http.Request) error {
	if err := c.Accounts.Revoke(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	return c.done(w, r, "/accounts", "session-ended")
}

// WhoOf names whose session it is, for templates.
func (p accountsPage) WhoOf(s account.Session) string {
	if s.Person == "" {
		return p.T("operator")
	}
	return s.Person
}
