package web

import (
	"net/http"
	"net/url"

	"vigia/collector/internal/apperr"
)

type signinPage struct {
	Page
	Action string
}

// signinHelp tells how to get in.
func (c *console) signinHelp(w http.ResponseWriter, r *http.Request) error {
	return apperr.New(apperr.Unauthenticated, "web.sign-in", nil)
}

// signinShow asks for one press of a button, so that a mail scanner that opens the link
// does not use it up.
func (c *console) signinShow(w http.ResponseWriter, r *http.Request) error {
	p := signinPage{Page: c.newPage(w, r, ""), Action: "/signin/" + url.PathEscape(r.PathValue("secret"))}
	p.Title = p.T("signin.title")
	return c.render(w, r, "signin", p)
}

// signinUse uses the link up and starts a session with a new token.
func (c *console) signinUse(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	person, err := c.SignIn.UseLink(ctx, r.PathValue("secret"))
	if err != nil {
		return err
	}
	name := ""
	if person == "" {
		person = operatorID
	} else {
		p, err := c.Directory.Person(ctx, person)
		if apperr.Is(err, apperr.NotFound) || (err == nil && !p.Active) {
			return apperr.New(apperr.Forbidden, "web.person-inactive", nil)
		} else if err != nil {
			return err
		}
		name = p.Name
	}
	if err := c.sessions.RenewToken(ctx); err != nil {
		return err
	}
	c.sessions.Put(ctx, sessionPerson, person)
	c.sessions.Put(ctx, sessionName, name)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

// signout ends the session.
func (c *console) signout(w http.ResponseWriter, r *http.Request) error {
	if err := c.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
	return nil
}
