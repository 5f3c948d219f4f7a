package web

import (
	"net/http"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
)

type passwordPage struct {
	Page
	Email   string
	Has     bool // there is one, which is asked for
	Min     int
	Problem problem
}

// accountPasswordForm asks for a new password.
func (c *console) accountPasswordForm(w http.ResponseWriter, r *http.Request) error {
	return c.showPassword(w, r, http.StatusOK, problem{})
}

func (c *console) showPassword(w http.ResponseWriter, r *http.Request, status int, bad problem) error {
	person, err := oneself(r)
	if err != nil {
		return err
	}
	o, err := c.Accounts.Overview(r.Context(), person)
	if err != nil {
		return err
	}
	p := passwordPage{Page: c.newPage(w, r, ""), Email: person, Has: o.Password, Min: account.MinPassword, Problem: bad}
	p.Title = p.T("account.password.title")
	return c.execute(w, status, "account_password", "layout", p)
}

// accountPassword sets it; all other sessions end.
func (c *console) accountPassword(w http.ResponseWriter, r *http.Request) error {
	person, err := oneself(r)
	if err != nil {
		return err
	}
	password, err := twice(r)
	if err == nil {
		st, _ := stateFrom(r.Context())
		err = c.Accounts.ChangePassword(r.Context(), person, r.PostFormValue("current"), password, st.Session.ID, c.client(r))
	}
	switch apperr.CodeOf(err) {
	case "":
		if err := c.sessions.RenewToken(r.Context()); err != nil {
			return err
		}
		if st, ok := stateFrom(r.Context()); ok {
			c.sessions.SetDeadline(r.Context(), st.Session.ExpiresAt)
		}
		return c.done(w, r, "/account", "password")
	case apperr.Invalid, apperr.TooMany:
		status := formStatus(err)
		bad, err := c.newPage(w, r, "").problemOf(err)
		if err != nil {
			return err
		}
		return c.showPassword(w, r, status, bad)
	}
	return err
}
