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

// dataLife is how long a session's data are kept at first; a sign-in puts its own end in
// place of it.
const dataLife = 12 * time.Hour

// operatorID names whoever signed in by a link that was made for nobody in particular:
// only who may run vigia-collector on the server can make one.
const operatorID = "operator"

// Keys of a session's values.
const (
	sessionPerson = "person" // e-mail, or operatorID
	sessionID     = "id"     // of account.Session
)

// newSessions uses the __Host- prefix: a browser takes such a cookie over HTTPS only,
// for this host only.
func newSessions(store scs.Store) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.Lifetime = dataLife
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
		if known, err := c.who(r); err == nil {
			r = known
		}
		if err := c.rememberLanguage(w, r); err != nil {
			c.fail(w, r, err)
			return
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
		known, err := c.who(r)
		if err == nil {
			r = known
		}
		if lerr := c.rememberLanguage(w, r); err == nil {
			err = lerr
		}
		if err != nil {
			c.fail(w, r, err)
			return
		}
		if !access.May(actor.From(r.Context()), what) {
			c.fail(w, r, access.Refused(what))
			return
		}
		if st, _ := stateFrom(r.Context()); st.MustSetTOTP && r.URL.Path != totpPath {
			http.Redirect(w, r, totpPath, http.StatusSeeOther)
			return
		}
		c.serve(w, r, do)
	}))
}

// totpPath is where people must go first whose role asks for a second factor that they
// do not have.
const totpPath = "/account/totp"

func (c *console) serve(w http.ResponseWriter, r *http.Request, do action) {
	if err := do(w, r); err != nil {
		c.fail(w, r, err)
	}
}

// who returns the request with the actor and the state of its session. The role is
// looked up each time, so that a change in the directory holds at once. Parts of a page
// that refresh by themselves do not count as use.
func (c *console) who(r *http.Request) (*http.Request, error) {
	ctx := r.Context()
	a := actor.Actor{Kind: actor.Person, ID: c.sessions.GetString(ctx, sessionPerson), Role: actor.Administrator}
	if a.ID == "" {
		return nil, apperr.New(apperr.Unauthenticated, "web.sign-in", nil)
	}
	if a.ID != operatorID {
		p, err := c.Directory.Person(ctx, a.ID)
		if apperr.Is(err, apperr.NotFound) || (err == nil && !p.Active) {
			return nil, apperr.New(apperr.Unauthenticated, "web.person-inactive", nil)
		} else if err != nil {
			return nil, err
		}
		a.ID, a.Role = p.Email, p.Role
	}
	used := r.Method != http.MethodGet || r.Header.Get("HX-Request") != "true"
	st, err := c.Accounts.State(ctx, c.sessions.GetString(ctx, sessionID), a.Role, used)
	if err != nil {
		return nil, err
	}
	return r.WithContext(context.WithValue(actor.With(ctx, a), stateKey{}, st)), nil
}
