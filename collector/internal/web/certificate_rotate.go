package web

import (
	"net/http"
	"strconv"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/paging"
)

// rotateForm says what a step of a rotation does, and to whom.
func (c *console) rotateForm(w http.ResponseWriter, r *http.Request) error {
	return c.askRotate(w, r, "", nil)
}

// rotate takes the step.
func (c *console) rotate(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), c.newPage(w, r, "")
	var err error
	done := "rotate.begun"
	switch r.PathValue("step") {
	case "begin":
		_, err = c.Agents.BeginRotation(ctx)
	case "abort":
		var ended bool
		if ended, err = c.Agents.AbortRotation(ctx); ended {
			done = "rotate.aborted"
		} else {
			done = "rotate.aborting"
		}
	case "finish":
		typed := posted(r, "cut-off", 20)
		n := 0
		if typed != "" {
			if n, err = strconv.Atoi(typed); err != nil || n < 0 {
				return c.askRotate(w, r, typed, apperr.New(apperr.Invalid, "rotate.wrong-number", apperr.Args{"field": "cut-off", "value": typed}))
			}
		}
		done = "rotate.finished"
		if _, err = c.Agents.FinishRotation(ctx, n); apperr.Is(err, apperr.TooMany) {
			return c.askRotate(w, r, typed, err)
		}
	default:
		return apperr.New(apperr.NotFound, "web.no-page", nil)
	}
	if err != nil {
		return err
	}
	c.sessions.Put(ctx, sessionNotice, p.T(done))
	http.Redirect(w, r, "/certificates", http.StatusSeeOther)
	return nil
}

func (c *console) askRotate(w http.ResponseWriter, r *http.Request, typed string, failure error) error {
	step := r.PathValue("step")
	p := confirmPage{Page: c.newPage(w, r, "administration"), Action: "/certificates/rotate/" + step, Cancel: "/certificates", Crumbs: nil}
	p.Crumbs = p.crumbs("/certificates", "admin.certificates")
	progress, err := c.Agents.Progress(r.Context())
	if err != nil {
		return err
	}
	switch step {
	case "begin":
		p.Title, p.Intro, p.Submit = p.T("rotate.begin"), p.T("rotate.begin.about"), p.T("rotate.begin.do")
		p.Lost = []string{p.T("rotate.begin.signs"), p.N("rotate.begin.machines", progress.Machines)}
		p.Stays = []string{p.T("rotate.begin.trusted"), p.T("rotate.begin.back")}
	case "abort":
		p.Title, p.Intro, p.Submit = p.T("rotate.abort"), p.T("rotate.abort.about"), p.T("rotate.abort.do")
		p.Lost, p.Stays = []string{p.T("rotate.abort.signs")}, []string{p.N("rotate.abort.renewed", progress.Renewed)}
	case "finish":
		if err := c.finishForm(r, &p, progress.Behind, typed); err != nil {
			return err
		}
	default:
		return apperr.New(apperr.NotFound, "web.no-page", nil)
	}
	problem := ""
	if failure != nil {
		problem = p.T("rotate.type-number", "Count", progress.Behind)
	}
	return c.confirm(w, r, p, problem)
}

// finishForm names those whom finishing would cut off, and asks for their number.
func (c *console) finishForm(r *http.Request, p *confirmPage, behind int, typed string) error {
	p.Title, p.Intro, p.Submit = p.T("rotate.finish"), p.T("rotate.finish.about"), p.T("rotate.finish.do")
	p.Lost = []string{p.T("rotate.finish.tokens")}
	p.Stays = []string{p.T("rotate.finish.reconnect")}
	if behind == 0 {
		p.Stays = append(p.Stays, p.T("rotate.finish.nobody"))
		return nil
	}
	p.Lost = append([]string{p.N("rotate.finish.cut-off", behind)}, p.Lost...)
	page, err := c.Agents.BehindPage(r.Context(), paging.Order{Limit: 100})
	if err != nil {
		return err
	}
	for _, m := range page.Rows {
		p.Names = append(p.Names, headLink{URL: "/machines/" + m.ID + "/agent", Text: m.Hostname, Icon: p.Ago(m.LastSeen, p.Now)})
	}
	if more := behind - len(page.Rows); more > 0 {
		p.More = p.N("rotate.more", more)
	}
	p.Field = &field{Name: "cut-off", Label: p.T("rotate.type-number", "Count", behind), Kind: "number", Value: typed, Required: true}
	return nil
}
