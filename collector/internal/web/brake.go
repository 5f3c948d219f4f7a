package web

import (
	"context"
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/web/form"
)

// Brakes is what pages ask about the cap on nonconformities; authorize.Brakes has it.
type Brakes interface {
	Look(ctx context.Context) (authorization.Brake, []authorization.Finding, error)
	Resume(ctx context.Context, open bool) (int, error)
	SetCap(ctx context.Context, limit int) error
}

// brakePath is where the opening is paused and resumed.
const brakePath = requestsPath + "/brake"

type brakePage struct {
	Page
	Brake  authorization.Brake
	Held   []authorization.Finding
	Field  field
	Saved  string
	Change bool // resume
	Chief  bool // set the cap
}

// brakeShow tells whether nonconformities are opened, and what was held back.
func (c *console) brakeShow(w http.ResponseWriter, r *http.Request) error {
	return c.showBrake(w, r, nil)
}

func (c *console) showBrake(w http.ResponseWriter, r *http.Request, failure error) error {
	p := brakePage{Page: c.newPage(w, r, "authorizations")}
	var err error
	if p.Brake, p.Held, err = c.Brakes.Look(r.Context()); err != nil {
		return err
	}
	p.Title, p.Change, p.Chief = p.T("brake.title"), access.May(p.actor, access.ChangeAllowlist), access.May(p.actor, access.ChangeSettings)
	if done := form.OneOf(r, "done", "resumed", "opened", "saved"); done != "" {
		p.Saved = p.Word("brake.done", done)
	}
	p.Field = field{Name: "cap", Label: p.T("brake.cap"), Help: p.T("brake.cap.help"), Kind: "number", Value: strconv.Itoa(p.Brake.Limit())}
	if failure != nil {
		fields := []field{p.Field}
		if _, err := mark(&p.Page, fields, failure); err != nil {
			return err
		}
		p.Field = fields[0]
	}
	return c.execute(w, statusFor(failure), "brake", "layout", p)
}

// brakeResume lets nonconformities open again.
func (c *console) brakeResume(w http.ResponseWriter, r *http.Request) error {
	open := r.PostFormValue("open") == "yes"
	if _, err := c.Brakes.Resume(r.Context(), open); err != nil {
		return err
	}
	if open {
		return c.done(w, r, brakePath, "opened")
	}
	return c.done(w, r, brakePath, "resumed")
}

// brakeCap says how many may open in an hour.
func (c *console) brakeCap(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(posted(r, "cap", 20))
	if err != nil {
		err = apperr.New(apperr.Invalid, "brake.bad-cap", apperr.Args{"field": "cap"})
	} else {
		err = c.Brakes.SetCap(r.Context(), n)
	}
	if err != nil {
		return c.showBrake(w, r, err)
	}
	return c.done(w, r, brakePath, "saved")
}

// brakeNote is whether the home page says that opening is paused.
func (c *console) brakeNote(ctx context.Context, p *homePage) (bool, error) {
	if !access.May(p.actor, access.SeeAllowlist) {
		return false, nil
	}
	b, _, err := c.Brakes.Look(ctx)
	return b.Paused(), err
}
