package web

import (
	"net/http"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/fleet"
)

type tokenPage struct {
	Page
	Crumbs []headLink
	Token  fleet.Token
	State  fleet.TokenState
	Left   string // how many uses are left, in words
	Revoke bool
	Saved  string
}

// Serials are the hardware serial numbers that the token is for, as one text.
func (p tokenPage) Serials() string { return strings.Join(p.Token.Serials, ", ") }

// tokenShow shows one token, without its secret, which nobody has.
func (c *console) tokenShow(w http.ResponseWriter, r *http.Request) error {
	p := tokenPage{Page: c.newPage(w, r, "administration")}
	var err error
	if p.Token, err = c.Agents.TokenByID(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	p.State = p.Token.StateAt(p.Now, c.Agents.Trusted())
	p.Title, p.Crumbs, p.Saved = p.T("token.title", "Token", p.Token.ID), p.crumbs("/tokens", "admin.tokens"), c.sessions.PopString(r.Context(), sessionNotice)
	p.Left = p.N("token.uses-left", p.Token.UsesLeft)
	if p.Token.Uses > 0 {
		p.Left = p.T("token.left-of", "Left", p.Token.UsesLeft, "Uses", p.Token.Uses)
	}
	p.Revoke = p.Token.RevokedAt.IsZero() && access.May(p.actor, access.ChangeMachines)
	return c.render(w, r, "token_show", p)
}

// tokenRevokeForm says what ends with a token.
func (c *console) tokenRevokeForm(w http.ResponseWriter, r *http.Request) error {
	t, err := c.Agents.TokenByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	p := confirmPage{Page: c.newPage(w, r, "administration"), Action: "/tokens/" + t.ID + "/revoke", Cancel: "/tokens/" + t.ID}
	p.Title, p.Intro, p.Submit = p.T("token.revoke-title", "Token", t.ID), p.T("token.revoke.about"), p.T("token.revoke-do", "Token", t.ID)
	p.Crumbs = append(p.crumbs("/tokens", "admin.tokens"), headLink{URL: p.Cancel, Text: t.ID})
	p.Lost, p.Stays = []string{p.N("token.revoke.lost", t.UsesLeft)}, []string{p.T("token.revoke.stays")}
	return c.confirm(w, r, p, "")
}

// tokenRevoke takes it back.
func (c *console) tokenRevoke(w http.ResponseWriter, r *http.Request) error {
	t, err := c.Agents.RevokeToken(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionNotice, c.newPage(w, r, "").T("token.revoked-now", "Token", t.ID))
	http.Redirect(w, r, "/tokens/"+t.ID, http.StatusSeeOther)
	return nil
}
