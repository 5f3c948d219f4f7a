package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
)

// Keys of what a session holds between the first and the second step of a sign-in.
const (
	pendingPerson = "pending-person"
	pendingName   = "pending-name"
	pendingMethod = "pending-method"
	pendingUntil  = "pending-until"
	pendingNext   = "pending-next"
	pendingTOTP   = "pending-totp" // secret that is being set up
)

// pendingLife is how long the second step may take.
const pendingLife = 10 * time.Minute

// proven goes on after the first step: to the second, or in.
func (c *console) proven(w http.ResponseWriter, r *http.Request, p account.Proof, next string) error {
	ctx := r.Context()
	if !p.NeedsCode {
		return c.begin(w, r, p, false, next)
	}
	if err := c.fresh(r); err != nil {
		return err
	}
	c.sessions.Put(ctx, pendingPerson, p.Person)
	c.sessions.Put(ctx, pendingName, p.Name)
	c.sessions.Put(ctx, pendingMethod, string(p.Method))
	c.sessions.Put(ctx, pendingUntil, c.Now().Add(pendingLife).UnixMicro())
	c.sessions.Put(ctx, pendingNext, next)
	http.Redirect(w, r, "/signin/code", http.StatusSeeOther)
	return nil
}

// fresh ends whatever this browser was signed in with and takes a new token, so that
// one that somebody planted is worth nothing.
func (c *console) fresh(r *http.Request) error {
	ctx := r.Context()
	if id := c.sessions.GetString(ctx, sessionID); id != "" {
		if err := c.Accounts.End(ctx, id); err != nil {
			return err
		}
	}
	if err := c.sessions.Clear(ctx); err != nil {
		return err
	}
	return c.sessions.RenewToken(ctx)
}

// begin starts the session.
func (c *console) begin(w http.ResponseWriter, r *http.Request, p account.Proof, coded bool, next string) error {
	ctx := r.Context()
	started, err := c.Accounts.Begin(ctx, p, coded, c.client(r))
	if err != nil {
		return err
	}
	if err := c.fresh(r); err != nil {
		return err
	}
	person := p.Person
	if person == "" {
		person = operatorID
	}
	c.sessions.Put(ctx, sessionPerson, person)
	c.sessions.Put(ctx, sessionID, started.Session.ID)
	c.sessions.SetDeadline(ctx, started.Session.ExpiresAt)
	if started.Device != "" {
		http.SetCookie(w, &http.Cookie{Name: deviceCookie, Value: started.Device, Path: "/", MaxAge: 180 * 24 * 3600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	http.Redirect(w, r, local(next), http.StatusSeeOther)
	return nil
}

// pending returns who has to give a code, and where they go then.
func (c *console) pending(r *http.Request) (p account.Proof, next string, err error) {
	ctx := r.Context()
	p = account.Proof{Person: c.sessions.GetString(ctx, pendingPerson), Name: c.sessions.GetString(ctx, pendingName),
		Method: account.Method(c.sessions.GetString(ctx, pendingMethod)), NeedsCode: true}
	if p.Person == "" || c.Now().UnixMicro() > c.sessions.GetInt64(ctx, pendingUntil) {
		return p, "", apperr.New(apperr.Unauthenticated, "signin.again", nil)
	}
	return p, c.sessions.GetString(ctx, pendingNext), nil
}

// local keeps a redirect on the console: a path of ours, or the home page.
func local(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil, u.Scheme != "", u.Host != "", u.User != nil, u.Opaque != "", len(next) > 2000,
		!strings.HasPrefix(next, "/"), strings.HasPrefix(next, "//"), strings.ContainsAny(next, "\\\r\n\t"), strings.HasPrefix(u.Path, "//"):
		return "/"
	case u.Path == "/signin", strings.HasPrefix(u.Path, "/signin/"), u.Path == "/signout", strings.HasPrefix(u.Path, "/home/"):
		return "/"
	}
	return next
}
