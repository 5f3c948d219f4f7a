package web

import (
	"net/http"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
)

type linkPage struct {
	Page
	Action  string
	Email   string
	Next    string
	Choose  bool // a password is to be chosen
	Invited bool
	Min     int
	Problem problem
}

// signinShow asks for one press of a button, so that a mail scanner that opens the link
// does not use it up; or for the password that the link lets one choose.
func (c *console) signinShow(w http.ResponseWriter, r *http.Request) error {
	return c.showLink(w, r, http.StatusOK, problem{})
}

func (c *console) showLink(w http.ResponseWriter, r *http.Request, status int, bad problem) error {
	l, err := c.Accounts.Link(r.Context(), r.PathValue("secret"))
	if err != nil {
		return err
	}
	p := linkPage{Page: c.newPage(w, r, ""), Action: linkAddress(r), Email: l.Person, Problem: bad, Next: elsewhere(local(r.URL.Query().Get("next"))), Min: account.MinPassword,
		Choose: l.Purpose == account.ForInvite || l.Purpose == account.ForReset, Invited: l.Purpose == account.ForInvite}
	p.Title = p.T("signin.title")
	if p.Choose {
		p.Title = p.T("signin.choose.title")
	}
	return c.execute(w, status, "signin_link", "layout", p)
}

// signinUse uses the link up and starts a session with a new token.
func (c *console) signinUse(w http.ResponseWriter, r *http.Request) error {
	ctx, secret := r.Context(), r.PathValue("secret")
	l, err := c.Accounts.Link(ctx, secret)
	if err != nil {
		return err
	}
	if l.Purpose != account.ForInvite && l.Purpose != account.ForReset {
		proof, err := c.Accounts.UseLink(ctx, secret, c.client(r))
		if err != nil {
			return err
		}
		return c.proven(w, r, proof, local(posted(r, "next", 2000)))
	}
	password, err := twice(r)
	if err == nil {
		var proof account.Proof
		if proof, err = c.Accounts.ChoosePassword(ctx, secret, password, c.client(r)); err == nil {
			return c.proven(w, r, proof, "/")
		}
	}
	if apperr.CodeOf(err) != apperr.Invalid {
		return err
	}
	bad, err := c.newPage(w, r, "").problemOf(err)
	if err != nil {
		return err
	}
	return c.showLink(w, r, http.StatusUnprocessableEntity, bad)
}

// twice returns the new password of a form when it was typed twice alike. It is not
// trimmed: spaces count.
func twice(r *http.Request) (string, error) {
	password := r.PostFormValue("password")
	if password != r.PostFormValue("again") {
		return "", apperr.New(apperr.Invalid, "account.password-differs", apperr.Args{"field": "again"})
	}
	return password, nil
}

// signout ends the session.
func (c *console) signout(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if id := c.sessions.GetString(ctx, sessionID); id != "" {
		if err := c.Accounts.End(ctx, id); err != nil {
			return err
		}
	}
	if err := c.sessions.Destroy(ctx); err != nil {
		return err
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
	return nil
}
