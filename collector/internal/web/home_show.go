package web

import (
	"context"
	"net/http"
	"sync"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
)

// silentAfter is after how long without a word a machine needs somebody.
const silentAfter = 7 * 24 * time.Hour

type homePage struct {
	Page
	Counts   []count
	Mode     authorization.Mode
	Rules    int
	Newest   []authorization.Finding
	Machines int
	Tray     string // what is said to those whom nothing is shown to yet
}

// count is one figure of the home page: a number that is a link.
type count struct {
	N    string
	Text string
	URL  string
	Due  bool // needs somebody
}

// homeShow answers "what needs me today".
func (c *console) homeShow(w http.ResponseWriter, r *http.Request) error {
	p, err := c.home(w, r)
	if err != nil {
		return err
	}
	return c.render(w, r, "home", p)
}

// homeCounts is the part of the home page that refreshes itself.
func (c *console) homeCounts(w http.ResponseWriter, r *http.Request) error {
	p, err := c.home(w, r)
	if err != nil {
		return err
	}
	return c.fragment(w, "home", "live", p)
}

func (c *console) home(w http.ResponseWriter, r *http.Request) (homePage, error) {
	ctx := r.Context()
	p := homePage{Page: c.newPage(w, r, "home")}
	p.Title = p.T("nav.home")
	if access.May(p.actor, access.SeeCounts) {
		n, err := c.Deps.Counts(ctx, p.Now.Add(-silentAfter))
		if err != nil {
			return p, err
		}
		p.Machines, p.Counts = n.Machines, p.figures(n)
	}
	if access.May(p.actor, access.SeeAllowlist) {
		list, err := c.Allowlist.CurrentAllowlist(ctx)
		if err != nil {
			return p, err
		}
		p.Mode, p.Rules = list.Mode, len(list.Rules)
	}
	if access.May(p.actor, access.SeeFindings) {
		var err error
		p.Newest, err = c.Findings.Findings(ctx, authorization.FindingFilter{State: authorization.Open, Limit: 8})
		return p, err
	}
	p.Tray = p.T("home.tray.other")
	if p.actor.Role == actor.Treasury {
		p.Tray = p.T("home.tray.treasury")
	}
	return p, nil
}

func (p *homePage) figures(n Counts) []count {
	var list []count
	figure := func(n int, key, url string, right access.Right, due bool) {
		if !access.May(p.actor, right) {
			url = "" // a figure to read: the list behind it is not for this reader
		}
		list = append(list, count{N: p.Number(int64(n)), Text: p.N(key, n), URL: url, Due: due && n > 0})
	}
	figure(n.OpenFindings, "count.findings", "/findings?state=open", access.SeeFindings, true)
	figure(n.OpenNonconformities, "count.nonconformities", "/nonconformities?state=open", access.SeeNonconformities, true)
	figure(n.Quarantined, "count.quarantined", "/machines?state=quarantined", access.SeeMachines, true)
	figure(n.Silent, "count.silent", "/machines?seen=silent", access.SeeMachines, true)
	if n.FailingMachines >= 0 {
		figure(n.FailingMachines, "count.failing", "/machines", access.SeeMachines, true)
	}
	figure(n.Machines, "count.machines", "/machines", access.SeeMachines, false)
	return list
}

// countCache keeps what scanCounts read, so that pages that refresh themselves do not
// read every machine each time.
type countCache struct {
	mu   sync.Mutex
	at   time.Time
	last Counts
}

// countLife is how old the counts may be.
const countLife = 10 * time.Second

// scanCounts counts by reading the lists.
func (c *console) scanCounts(ctx context.Context, silentSince time.Time) (Counts, error) {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	if age := c.Now().Sub(c.counts.at); age >= 0 && age < countLife {
		return c.counts.last, nil
	}
	n := Counts{FailingMachines: -1}
	for after := ""; ; {
		rows, err := c.Machines.Machines(ctx, fleet.MachineFilter{After: after, Limit: 1000})
		if err != nil {
			return n, err
		}
		for _, m := range rows {
			n.Machines++
			if m.State == fleet.Quarantined {
				n.Quarantined++
			}
			if silent(m, silentSince) {
				n.Silent++
			}
		}
		if len(rows) < 1000 {
			break
		}
		after = rows[len(rows)-1].ID
	}
	states, err := c.Findings.FindingCounts(ctx)
	if err != nil {
		return n, err
	}
	n.OpenFindings = states[authorization.Open]
	open, err := c.Nonconformities.List(ctx, nonconformity.Filter{State: nonconformity.Open, Limit: 1000})
	if err != nil && !apperr.Is(err, apperr.NotFound) {
		return n, err
	}
	n.OpenNonconformities = len(open)
	c.counts.at, c.counts.last = c.Now(), n
	return n, nil
}
