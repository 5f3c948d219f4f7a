package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/promise"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/paging"
	"vigia/internal/inventory"
)

// Bounds of a person's own page.
const (
	myMachines = 5
	myRows     = 20
)

// myPage is what concerns one person: their machines in plain words, what is asked of them
// and what they asked for.
type myPage struct {
	Page
	Machines  []myMachine
	Questions []promise.Question // that wait
	Promises  []promise.Promise
	Requests  []request.Request
	Records   []nonconformity.Nonconformity
}

// myMachine is a machine as its person understands it.
type myMachine struct {
	fleet.Machine
	Fresh     string // how fresh: fresh, old or silent
	Memory    string
	Antivirus string // on, off or unknown; "" when nothing was told
	Findings  []authorization.Finding
}

// myShow shows the reader's own page. Nothing on it is anybody else's, whatever the
// reader's role.
func (c *console) myShow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p := myPage{Page: c.newPage(w, r, "my")}
	p.Title = p.T("my.title")
	if err := c.myThings(ctx, &p); err != nil {
		return err
	}
	machines, err := c.Machines.MachinePage(ctx, fleet.MachineFilter{Person: p.actor.ID}, paging.Order{Limit: myMachines})
	if err != nil && !apperr.Is(err, apperr.Forbidden) {
		return err
	}
	for _, m := range machines.Rows {
		if !strings.EqualFold(m.Person, p.actor.ID) {
			continue
		}
		x, err := c.myMachine(ctx, &p, m)
		if err != nil {
			return err
		}
		p.Machines = append(p.Machines, x)
	}
	return c.render(w, r, "my", p)
}

// myThings reads what is asked of the reader and by them.
func (c *console) myThings(ctx context.Context, p *myPage) error {
	promises, questions, err := c.Requests.List(ctx, promise.Filter{Person: p.actor.ID, Limit: myRows})
	if err != nil {
		return err
	}
	p.Promises = promises
	for _, q := range questions {
		if q.Waiting(p.Now) {
			p.Questions = append(p.Questions, q)
		}
	}
	page, err := c.Requests.Page(ctx, request.Filter{Person: p.actor.ID}, paging.Order{Limit: myRows})
	if err != nil {
		return err
	}
	p.Requests = page.Rows
	if !access.May(p.actor, access.SeeNonconformities) {
		return nil
	}
	records, err := c.Nonconformities.Page(ctx, nonconformity.Filter{Person: p.actor.ID}, paging.Order{Limit: myRows})
	p.Records = records.Rows
	return err
}

// myMachine says what IT sees of a machine.
func (c *console) myMachine(ctx context.Context, p *myPage, m fleet.Machine) (myMachine, error) {
	x := myMachine{Machine: m, Fresh: "fresh"}
	switch age := p.Now.Sub(m.LastSeen); {
	case m.LastSeen.IsZero() || age > silentAfter:
		x.Fresh = "silent"
	case age > silentAfter/7:
		x.Fresh = "old"
	}
	var err error
	if x.Findings, err = c.Findings.Findings(ctx, authorization.FindingFilter{Machine: m.ID, State: authorization.Open, Alone: true, Limit: myRows}); err != nil {
		return x, err
	}
	docs, err := c.Inventory.Documents(ctx, m.ID)
	if err != nil {
		return x, err
	}
	for _, d := range docs {
		if err := x.read(d, p); err != nil { // the rest is worth showing
			c.Log.Error("a stored section cannot be read", "machine", m.ID, "section", d.Section, "error", err)
		}
	}
	return x, nil
}

func (x *myMachine) read(d fleet.Document, p *myPage) error {
	switch d.Section {
	case inventory.SectionHardware:
		h, err := decoded[inventory.Hardware](d.Body)
		if err == nil && h.Memory.TotalBytes > 0 {
			x.Memory = p.Bytes(h.Memory.TotalBytes)
		}
		return err
	case inventory.SectionAntivirus:
		var list []inventory.Antivirus
		if err := json.Unmarshal(d.Body, &list); err != nil {
			return err
		}
		for _, a := range list {
			if x.Antivirus == "" || a.State == "on" {
				x.Antivirus = a.State
			}
		}
	}
	return nil
}
