package web

import (
	"net/http"
	"time"

	"vigia/collector/internal/fleet"
)

type machineRetirePage struct {
	machinePage
	Lost []string // what ends with it
	Kept string
}

// machineRetireForm says what ends when a machine is taken out of service.
func (c *console) machineRetireForm(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "retire")
	if err != nil {
		return err
	}
	p := machineRetirePage{machinePage: base}
	p.Title, p.Kept = p.T("retire.title", "Machine", p.Machine.Hostname), p.N("retire.kept", p.Machine.Programs)
	p.Lost = []string{p.T("retire.identity")}
	if p.Machine.Findings > 0 {
		p.Lost = append(p.Lost, p.N("retire.findings", p.Machine.Findings))
	}
	if p.Machine.Spooled > 0 {
		p.Lost = append(p.Lost, p.N("retire.spooled", p.Machine.Spooled))
	}
	if p.Now.Sub(p.Machine.LastSeen) < time.Hour {
		p.Lost = append(p.Lost, p.T("retire.alive", "Ago", p.Ago(p.Machine.LastSeen, p.Now)))
	}
	return c.render(w, r, "machine_retire", p)
}

// machineRetire takes it out of service.
func (c *console) machineRetire(w http.ResponseWriter, r *http.Request) error {
	return c.machineTo(w, r, "retired", func(id string) error {
		_, err := c.Fleet.Archive(r.Context(), id)
		return err
	})
}

// machineRestore takes that back.
func (c *console) machineRestore(w http.ResponseWriter, r *http.Request) error {
	return c.machineTo(w, r, "restored", func(id string) error {
		_, err := c.Fleet.Restore(r.Context(), id)
		return err
	})
}

// machineTo does something to the machine that the URL names, and goes to its page.
func (c *console) machineTo(w http.ResponseWriter, r *http.Request, what string, do func(id string) error) error {
	p, err := c.machineOf(w, r, "summary")
	if err != nil {
		return err
	}
	if err := do(p.Machine.ID); err != nil {
		return err
	}
	return c.done(w, r, p.Path(""), what)
}

// after says what was just done to a machine, with the way back.
func (p *machinePage) after(done string) {
	if done == "" {
		return
	}
	p.Saved = p.Word("machine.done", done)
	if done == "retired" && p.Machine.State == fleet.Archived {
		p.Undo = &toggle{p.Path("restore"), p.T("org.undo")}
	}
}
