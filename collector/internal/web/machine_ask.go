package web

import (
	"net/http"
	"time"

	"vigia/collector/internal/fleet"
)

// askedFor is how long after its answer a request is still shown.
const askedFor = 15 * time.Minute

// asked is a report that was asked for, and how far that came.
type asked struct {
	fleet.Command
	Path   string // of the machine's page
	Silent bool   // nothing was heard of the machine since it was asked
}

// machineAsk asks one machine for a whole inventory now.
func (c *console) machineAsk(w http.ResponseWriter, r *http.Request) error {
	p, err := c.machineOf(w, r, "summary")
	if err != nil {
		return err
	}
	if _, err := c.Fleet.Ask(r.Context(), p.Machine.ID, reportNow, nil); err != nil {
		return err
	}
	http.Redirect(w, r, p.Path(""), http.StatusSeeOther)
	return nil
}

// machineAsked is the part of a machine's page that follows what was asked.
func (c *console) machineAsked(w http.ResponseWriter, r *http.Request) error {
	p, err := c.machineOf(w, r, "summary")
	if err != nil {
		return err
	}
	if p.Asked, err = c.lastAsked(r, &p); err != nil {
		return err
	}
	return c.fragment(w, "machine_show", "asked", p)
}

// lastAsked is the newest report that was asked for, while it is of interest.
func (c *console) lastAsked(r *http.Request, p *machinePage) (*asked, error) {
	list, err := c.Machines.Commands(r.Context(), p.Machine.ID, 10)
	for _, x := range list {
		if x.Kind != reportNow {
			continue
		}
		if !x.DoneAt.IsZero() && p.Now.Sub(x.DoneAt) > askedFor {
			break
		}
		return &asked{Command: x, Path: p.Path(""), Silent: p.Machine.LastSeen.Before(x.CreatedAt)}, err
	}
	return nil, err
}
