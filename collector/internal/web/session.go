package web

import (
	"context"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// sessionLife is how long a sign-in holds, whatever is done with it.
const sessionLife = 12 * time.Hour

// operatorID names whoever signed in by a link that was made for nobody in particular:
// only who may run vigia-collector on the server can make one.
const operatorID = "operator"

// Keys of a session's values.
const (
	sessionPerson = "person" // e-mail, or operatorID
	sessionName   = "name"
)

// newSessions uses the __Host- prefix: a browser takes such a cookie over HTTPS only,
// for this host only.
func newSessions(store scs.Store) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.Lifetime = sessionLife
	m.Cookie.Name = "__Host-vigia"
	m.Cookie.Path = "/"
	m.Cookie.HttpOnly = true
	m.Cookie.Secure = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Persist = true
	return m
}

// action is a page: what it returns as an error is shown by fail.
type action func(w http.ResponseWriter, r *http.Request) error

// open serves a page that needs no session, but knows it where there is one.
func (c *console) open(do action) http.Handler {
	return c.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.rememberLanguage(w, r)
		if a, err := c.who(r.Context()); err == nil {
			r = r.WithContext(actor.With(r.Context(), a))
		}
		c.serve(w, r, do)
	}))
}

// page serves a page for those who have the right.
func (c *console) page(what access.Right, do action) http.Handler {
	if what == access.Anybody {
		return c.open(do)
	}
	return c.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.rememberLanguage(w, r)
		a, err := c.who(r.Context())
		if err != nil {
			c.fail(w, r, err)
			return
		}
		r = r.WithContext(actor.With(r.Context(), a))
		if !access.May(a, what) {
			c.fail(w, r, access.Refused(what))
			return
		}
		c.serve(w, r, do)
	}))
}

func (c *console) serve(w http.ResponseWriter, r *http.Request, do action) {
	if err := do(w, r); err != nil {
		c.fail(w, r, err)
	}
}

// who returns the actor of the session. The role is looked up each time, so that a
// change in the directory holds at once.
func (c *console) who(ctx context.Context) (actor.Actor, error) {
	id := c.sessions.GetString(ctx, sessionPerson)
	switch id {
	case "":
		return actor.Actor{}, apperr.New(apperr.Unauthenticated, "web.sign-in", nil)
	case operatorID:
		return actor.Actor{Kind: actor.Person, ID: operatorID, Role: actor.Administrator}, nil
	}
	p, err := c.Directory.Person(ctx, id)
	if apperr.Is(err, apperr.NotFound) || (err == nil && !p.Active) {
		return actor.Actor{}, apperr.New(apperr.Unauthenticated, "web.person-inactive", nil)
	} else if err != nil {
		return actor.Actor{}, err
	}
	return actor.Actor{Kind: actor.Person, ID: p.Email, Role: p.Role}, nil
}
