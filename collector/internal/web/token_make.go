package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
)

// tokenLives are how long a token may hold; the first is the default.
func tokenLives() []time.Duration {
	return []time.Duration{24 * time.Hour, time.Hour, 72 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 90 * 24 * time.Hour}
}

// tokenDraft is what was typed into the form.
type tokenDraft struct{ site, area, uses, life, serials, note string }

// tokenNew asks what a token is to be for.
func (c *console) tokenNew(w http.ResponseWriter, r *http.Request) error {
	return c.tokenForm(w, r, tokenDraft{uses: "1", life: tokenLives()[0].String()}, nil)
}

// tokenCreate makes it and shows it, this once: it is stored nowhere, so there is no page
// to be sent on to.
func (c *console) tokenCreate(w http.ResponseWriter, r *http.Request) error {
	d := tokenDraft{site: posted(r, "site", maxName), area: posted(r, "area", maxName), uses: posted(r, "uses", 20), life: posted(r, "expires", 20),
		serials: posted(r, "serial", 20_000), note: posted(r, "note", maxName)}
	n, err := d.parse()
	if err != nil {
		return c.tokenForm(w, r, d, err)
	}
	t, line, err := c.Agents.MakeToken(r.Context(), n)
	if err != nil {
		return c.tokenForm(w, r, d, err)
	}
	p := tokenMadePage{Page: c.newPage(w, r, "administration"), Token: t, Line: line}
	p.Title, p.Crumbs = p.T("token.made-title", "Token", t.ID), p.crumbs("/tokens", "admin.tokens")
	p.Commands = []installCommand{
		{"linux", p.T("token.linux"), p.T("token.linux.help"), "sudo apt install ./vigia-agent.deb\nsudo vigia-agent enroll --token " + line},
		{"windows", p.T("token.windows"), p.T("token.windows.help"), "msiexec /i vigia-agent.msi /qn TOKEN=" + line},
		{"binary", p.T("token.binary"), p.T("token.binary.help"), "sudo vigia-agent enroll --token " + line + "\nsudo vigia-agent service install\nsudo vigia-agent service start"},
		{"token", p.T("token.alone"), p.T("token.alone.help"), line},
	}
	return c.render(w, r, "token_made", p)
}

type tokenMadePage struct {
	Page
	Crumbs   []headLink
	Token    fleet.Token
	Line     string
	Commands []installCommand
}

// installCommand is one way to use a token, ready to be copied.
type installCommand struct{ ID, Title, About, Text string }

// parse reads the draft, or tells which field is wrong.
func (d tokenDraft) parse() (fleet.NewToken, error) {
	n := fleet.NewToken{Site: d.site, Area: d.area, Note: d.note}
	bad := func(field, value, want string) error {
		return apperr.New(apperr.Invalid, "token.bad-field", apperr.Args{"field": field, "value": value, "want": want})
	}
	var err error
	if n.Uses, err = strconv.Atoi(d.uses); err != nil {
		return n, bad("uses", d.uses, "1–"+strconv.Itoa(fleet.MaxTokenUses))
	}
	if n.Life, err = time.ParseDuration(d.life); err != nil {
		return n, bad("expires", d.life, "1h–8784h")
	}
	for _, s := range strings.FieldsFunc(d.serials, func(r rune) bool { return r == ',' || r == ';' }) {
		if s = strings.TrimSpace(s); s != "" {
			n.Serials = append(n.Serials, s)
		}
	}
	return n, nil
}

// tokenForm shows the form, after a failure with what was typed and what is wrong.
func (c *console) tokenForm(w http.ResponseWriter, r *http.Request, d tokenDraft, failure error) error {
	p := editPage{Page: c.newPage(w, r, "administration"), Action: "/tokens", Cancel: "/tokens"}
	p.Title, p.Intro, p.Submit, p.Crumbs = p.T("token.new"), p.T("token.new.about"), p.T("token.create"), p.crumbs("/tokens", "admin.tokens")
	sites, err := c.siteChoices(r.Context(), &p.Page)
	if err != nil {
		return err
	}
	areas, err := c.areaChoices(r.Context(), &p.Page)
	if err != nil {
		return err
	}
	nowhere := choice{"", p.T("token.not-chosen")}
	var lives []choice
	for _, l := range tokenLives() {
		lives = append(lives, choice{l.String(), p.lifeText(l)})
	}
	p.Fields = []field{
		{Name: "site", Label: p.T("machine.site"), Help: p.T("token.site.help"), Kind: "select", Value: d.site, Choices: append([]choice{nowhere}, sites...)},
		{Name: "area", Label: p.T("machine.area"), Kind: "select", Value: d.area, Choices: append([]choice{nowhere}, areas...)},
		{Name: "uses", Label: p.T("token.uses"), Help: p.T("token.uses.help"), Kind: "number", Value: d.uses, Required: true},
		{Name: "expires", Label: p.T("token.life"), Help: p.T("token.life.help"), Kind: "select", Value: d.life, Choices: lives},
		{Name: "serial", Label: p.T("token.serials"), Help: p.T("token.serials.help"), Kind: "text", Value: d.serials},
		{Name: "note", Label: p.T("token.note"), Help: p.T("token.note.help"), Kind: "text", Value: d.note},
	}
	if failure == nil {
		return c.render(w, r, "directory_edit", p)
	}
	if !apperr.Is(failure, apperr.Invalid) {
		return failure
	}
	where, text, placed := fieldOf(failure), p.T("token.wrong-value"), false
	for i := range p.Fields {
		if p.Fields[i].Name == where {
			p.Fields[i].Problem, placed = p.fieldProblem(failure), true
		}
	}
	if !placed {
		text = p.Error(failure)
	}
	p.Problem = text
	return c.execute(w, http.StatusUnprocessableEntity, "directory_edit", "layout", p)
}

// fieldProblem says beside a field what is expected there.
func (p *Page) fieldProblem(err error) string {
	if key := "token.want." + fieldOf(err); fieldOf(err) != "" {
		return p.T(key)
	}
	return p.Error(err)
}

// lifeText is how long a token holds, in words.
func (p *Page) lifeText(d time.Duration) string {
	if d < 48*time.Hour && d != 24*time.Hour {
		return p.N("count.hours", int(d/time.Hour))
	}
	return p.N("count.days", int(d/(24*time.Hour)))
}
